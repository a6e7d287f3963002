"""Crystal Text LLM (Gruver et al. 2024, arXiv:2402.04379): a causal language model that writes crystals.

One model does both tasks and takes conditions: what is asked for is the beginning of a document that it goes on with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

from nucleate.configuration import from_dict
from nucleate.crystals import Crystals, Padded
from nucleate.elements import MAX_NUMBER
from nucleate.models.crystal_llm.config import CrystalLLMConfig
from nucleate.models.crystal_llm.decoding import write_answers
from nucleate.models.crystal_llm.language import Documents, Language, Wish
from nucleate.models.crystal_llm.rehearsal import drawn_wishes, forbidden_nats, mixed, rehearse
from nucleate.models.crystal_llm.remainder import SIZES, remaining
from nucleate.models.crystal_llm.text_language import TextLanguage, load_tokenizer
from nucleate.models.crystal_llm.tokens import CrystalTokens
from nucleate.models.crystal_llm.vllm_backend import VllmWriter
from nucleate.models.generator import Example, Request, Task
from nucleate.models.networks.causal import CausalNetwork
from nucleate.models.networks.llama import Beside, Llama
from nucleate.models.networks.pretrained import PretrainedNetwork
from nucleate.models.parts.atoms import numbers_of
from nucleate.models.parts.sizes import SizedGenerator


class CrystalLLM(SizedGenerator):
    """A language and a network that continues it."""

    family: ClassVar[str] = "crystal-llm"
    elements: Tensor

    def __init__(self, config: CrystalLLMConfig) -> None:
        super().__init__()
        self.config = config
        self.language, self.network = _build(config)
        self.writer: VllmWriter | None = None
        """Writes the answers in the place of the network, if there is one: for large models."""
        self.register_buffer("elements", torch.zeros(MAX_NUMBER + 1, dtype=torch.bool))

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> CrystalLLM:
        """Builds an untrained model from plain JSON types."""
        return cls(from_dict(CrystalLLMConfig, config))

    @property
    def tasks(self) -> frozenset[Task]:
        """Both: the formula may be part of the prompt."""
        return frozenset(Task)

    @property
    def pairs_at_once(self) -> int:
        """A small network writes a thousand answers at once; one with billions of weights has no room for them."""
        return 400_000 if self.config.language == "tokens" else super().pairs_at_once

    @property
    def samplers(self) -> Mapping[str, Mapping[str, Any]]:
        """Under the grammar of the language; or without it, from the published nucleus, where answers may fail."""
        return {"default": {}, "plain": {"constrained": False, "top_p": 0.9}}

    @property
    def conditions(self) -> Mapping[str, tuple[float, float]]:
        """What the prompt can say."""
        return CONDITIONS

    @property
    def known_elements(self) -> frozenset[int]:
        """Atomic numbers of the elements in the training set."""
        return numbers_of(self.elements)

    # --- training -----------------------------------------------------------------------------------------------

    def fit(self, data: Padded) -> None:
        """Sets the histogram of sizes and the elements that occur."""
        super().fit(data)
        self.elements = torch.zeros_like(self.elements)
        self.elements[data.numbers[data.mask].unique()] = True

    @property
    def labels(self) -> Sequence[str]:
        """Those of the language."""
        return self.language.labels

    @property
    def atoms_limit(self) -> int | None:
        """Of the language."""
        return self.language.atoms_limit

    @property
    def description(self) -> str:
        """Of the language."""
        return self.language.description

    def describe(
        self, crystals: Crystals, *, jobs: int = 1, on_progress: Callable[[float], None] | None = None
    ) -> Float[Tensor, "c p"]:
        """What the language sees of crystals."""
        return self.language.describe(crystals, jobs=jobs, on_progress=on_progress)

    def lengths(self, data: Padded) -> Int[Tensor, " c"]:
        """Tokens of each crystal's document."""
        return self.language.lengths(data)

    def draw(self, batch: Padded, rng: torch.Generator) -> Example:
        """Writes the crystals as documents, with conditions and order drawn at random.

        Some are replaced by what the network writes itself when it is asked for as many atoms, or for a composition.
        """
        documents = self.language.documents(batch, rng)
        own = round(self.config.rehearsal * len(batch.numbers))
        if not own:
            return Example(batch, documents._asdict())
        rows = batch.map(lambda column: column[:own])
        wishes = drawn_wishes(rows.numbers, rows.counts, self.elements, rng)
        rehearsal = rehearse(self.network, self.language, wishes, rng, elements=self.elements)
        return Example(batch, mixed(rehearsal, documents, self.language.pad))

    def loss(self, example: Example) -> dict[str, Tensor]:
        """Minus the logarithm of the probability of the answers, in nats a token; its parts in nats a crystal.

        Of answers that the network wrote itself counts only whether the grammar allows them: `forbidden`, in nats an
        answer.
        """
        noise = dict(example.noise)
        own, allowed = noise.pop("own", None), noise.pop("allowed", None)
        documents = Documents(**noise)
        if own is None or allowed is None:
            return self._likelihood(documents)
        # Means over all rows, so that they can be shared out among chunks and processes.
        terms: dict[str, Tensor] = {}
        if not bool(own.all()):
            share = (~own).float().mean() / (1 - self.config.rehearsal)
            terms = {name: share * value for name, value in self._likelihood(documents.rows(~own)).items()}
        if bool(own.any()):
            written = documents.rows(own)
            logits = self.network(written.tokens, written.mask).float()
            nats = forbidden_nats(logits, written, allowed[own, : logits.shape[1]])
            terms["forbidden"] = nats.mean() * own.float().mean() / self.config.rehearsal
            terms["loss"] = terms.get("loss", 0.0) + FORBIDDEN_WEIGHT * terms["forbidden"]
        return terms

    def _likelihood(self, documents: Documents) -> dict[str, Tensor]:
        logits = self.network(documents.tokens, documents.mask)[:, :-1].float()
        target = documents.tokens[:, 1:]
        weight = documents.answer[:, 1:].to(logits.dtype)
        alike = torch.cat([target.unsqueeze(-1), self.language.neighbours(target)], -1)
        logp = logits.gather(-1, alike) - logits.logsumexp(-1, keepdim=True)
        own = logp[..., 0]
        learned = own.lerp(logp[..., 1:].mean(-1), self.config.smoothing)
        nats = -own.detach()
        parts = self.language.parts(documents)
        return {
            "loss": -((learned * weight).sum(1) / weight.sum(1)).mean(),
            **{name: (nats * part[:, 1:]).sum(1).mean() for name, part in parts.items()},
        }

    @torch.no_grad()
    def log_probability(self, documents: Documents) -> Float[Tensor, " b"]:
        """Logarithm of the probability that the network writes each document's answer, as its language weighs it."""
        logits = self.network(documents.tokens, documents.mask)[:, :-1].float()
        own = logits.gather(-1, documents.tokens[:, 1:, None]) - logits.logsumexp(-1, keepdim=True)
        return (own[..., 0] * self.language.weights(documents)[:, 1:]).sum(1)

    # --- sampling -----------------------------------------------------------------------------------------------

    def sample(self, request: Request, rng: torch.Generator) -> Crystals:
        """Writes answers to the prompts of the request, and reads them; one answer to each, whatever it is."""
        changes = dict(request.options or {})
        conditions = {name: changes.pop(name) for name in CONDITIONS if name in changes}
        sampling = replace(self.config.sampling, **changes)
        wishes = wished(request, conditions)
        grammar = None
        if sampling.constrained:
            device = next(self.network.parameters()).device
            grammar = self.language.grammar(wishes, device, elements=self.elements, clearance=sampling.clearance)
        if self.writer is not None:
            return self.language.read(self.writer.write_answers(self.language, wishes, sampling, rng), wishes)
        answers = write_answers(
            self.network, self.language, wishes, sampling, rng, grammar=grammar, progress=request.progress
        )
        return self.language.read(answers, wishes)


def _build(config: CrystalLLMConfig) -> tuple[Language, CausalNetwork]:
    """The language and the network of a configuration.

    Raises:
        UserError: plain text needs libraries, or a model, that are not there.
    """
    if config.language == "tokens":
        beside = Beside(remaining, SIZES) if config.remainder else None
        return CrystalTokens(config.tokens), Llama(config.llama, CrystalTokens.vocabulary, beside)
    tokenizer = load_tokenizer(config.pretrained.model, config.pretrained.revision)
    language = TextLanguage(tokenizer, config.text)
    return language, PretrainedNetwork(config.pretrained, language.vocabulary)


def wished(request: Request, conditions: Mapping[str, float]) -> list[Wish]:
    """What each crystal of a request is to be: a composition or a number of atoms, and the same conditions for all."""
    group = conditions.get("space_group")
    rows = zip(request.numbers.tolist(), request.mask.sum(1).tolist(), strict=True)
    return [
        Wish(
            numbers=tuple(numbers[:atoms]) if any(numbers[:atoms]) else None,
            num_atoms=atoms,
            space_group=None if group is None else int(group),
            e_above_hull=conditions.get("e_above_hull"),
            band_gap=conditions.get("band_gap"),
        )
        for numbers, atoms in rows
    ]


FORBIDDEN_WEIGHT = 0.5
"""Of the nats of an answer of the network's own, beside the nats of a token of a crystal."""

CONDITIONS: Mapping[str, tuple[float, float]] = {
    "space_group": (1, 230),
    "e_above_hull": (0.0, 0.99),
    "band_gap": (0.0, 100.0),
}
"""What a request may ask for beside the composition, among its options."""
