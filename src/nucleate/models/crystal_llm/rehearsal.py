"""Teaches a network the grammar of its language where it needs it: on answers of its own.

The network writes answers under the grammar, and learns to give what the grammar allowed all the probability: the
semantic loss of Xu et al. 2018 (arXiv:1711.11157), with the grammar in place of their sentences. Crystals alone teach
it only on the paths that they take; without the grammar it strays from them, and does not know where it may go on.

Axes: B documents, T tokens, V tokens of the vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from nucleate.models.crystal_llm.config import SamplingConfig
from nucleate.models.crystal_llm.decoding import write_answers
from nucleate.models.crystal_llm.language import Documents, Language, Wish
from nucleate.models.networks.causal import CausalNetwork
from nucleate.models.precision import autocast

SAMPLING = SamplingConfig(temperature=1.0, structure_temperature=0.5)
"""How a rehearsal is written: any composition that the network thinks of, and structures as they are sampled later."""

MOST = 64
"""Tokens of an answer; what would come after them in long ones is left out, since a batch is as wide as its longest."""

_TOLD, _NEW = 0.75, 0.375
"""Shares of the wishes that say a composition, and a new one."""


class Rehearsal(NamedTuple):
    """Answers of a network's own, with their prompts."""

    documents: Documents
    allowed: Bool[Tensor, "b t v"]
    """What could have stood at each place; of a place outside an answer everything."""


def drawn_wishes(
    numbers: Int[Tensor, "b n"], counts: Int[Tensor, " b"], elements: Bool[Tensor, " e"], rng: torch.Generator
) -> list[Wish]:
    """What to ask for instead of crystals: of a quarter as many atoms, of the others the composition or a new one.

    There are as many of these as of those. A new one has any elements in the places of the crystal's own, since what
    the network is asked later is new to it.

    Args:
        numbers: of the crystals' atoms.
        counts: of their atoms.
        elements: that there are.
        rng: random state.
    """
    chance = torch.rand(len(counts), generator=rng, device=rng.device).tolist()
    orders = torch.rand(len(counts), int(elements.sum()), generator=rng, device=rng.device).argsort(1).cpu()
    known = elements.cpu().nonzero()[:, 0]
    wishes = []
    for row, atoms, share, order in zip(numbers.tolist(), counts.tolist(), chance, orders, strict=True):
        own = row[:atoms]
        if share < _NEW:
            others = dict(zip(dict.fromkeys(own), known[order].tolist(), strict=False))
            own = [others.get(number, number) for number in own]
        wishes.append(Wish(numbers=tuple(own) if share < _TOLD else None, num_atoms=atoms))
    return wishes


def rehearse(
    network: CausalNetwork,
    language: Language,
    wishes: Sequence[Wish],
    rng: torch.Generator,
    *,
    elements: Bool[Tensor, " e"] | None = None,
) -> Rehearsal:
    """Has answers written under the grammar.

    Raises:
        ValueError: the language has no grammar.
    """
    device = next(network.parameters()).device
    grammars = [language.grammar(wishes, device, elements=elements) for _ in range(2)]
    if grammars[0] is None or grammars[1] is None:
        raise ValueError("this language has no grammar to rehearse")
    with autocast(device):
        answers = write_answers(network, language, wishes, SAMPLING, rng, grammar=grammars[0], most=MOST)
    permitted = []
    for place in range(answers.shape[1]):
        permitted.append(grammars[1].allowed())
        grammars[1].advance(answers[:, place])
    return _joined(language, wishes, answers.to(device), torch.stack(permitted, 1))


def _joined(
    language: Language, wishes: Sequence[Wish], answers: Int[Tensor, "b t"], permitted: Bool[Tensor, "b t v"]
) -> Rehearsal:
    """Prompts and answers as documents, padded on the right."""
    prompts = language.prompts(wishes)
    tokens, answer, allowed = [], [], []
    for row, there in enumerate((answers != language.pad).sum(1).tolist()):
        prompt = prompts.tokens[row, prompts.mask[row]].to(answers.device)
        given = torch.ones(len(prompt), dtype=torch.bool, device=answers.device)
        tokens.append(torch.cat([prompt, answers[row, :there]]))
        answer.append(torch.cat([~given, given.new_ones(there)]))
        free = permitted.new_ones(len(prompt), permitted.shape[2])
        allowed.append(torch.cat([free, permitted[row, :there]]))
    padded = pad_sequence(tokens, batch_first=True, padding_value=language.pad)
    return Rehearsal(
        Documents(padded, padded != language.pad, pad_sequence(answer, batch_first=True)),
        pad_sequence(allowed, batch_first=True, padding_value=True),
    )


def forbidden_nats(
    logits: Float[Tensor, "b t v"], documents: Documents, allowed: Bool[Tensor, "b t v"]
) -> Float[Tensor, " b"]:
    """Minus the logarithm of the probability that nothing forbidden is written on the way, one a document.

    Args:
        logits: of what follows each token.
        documents: that were written.
        allowed: what could have stood at each place.
    """
    told = logits[:, :-1]
    within = told.masked_fill(~allowed[:, 1:], -torch.inf).logsumexp(-1)
    return ((told.logsumexp(-1) - within) * documents.answer[:, 1:]).sum(1)


def mixed(rehearsal: Rehearsal, documents: Documents, pad: int) -> dict[str, Tensor]:
    """Documents whose first ones are replaced by those of a rehearsal, which `own` says, with what was `allowed`."""
    own = len(rehearsal.documents.tokens)
    count, width = documents.tokens.shape
    width = max(width, rehearsal.documents.tokens.shape[1])

    def joined(ours: Tensor, theirs: Tensor, filling: int) -> Tensor:
        whole = theirs.new_full((count, width, *theirs.shape[2:]), filling)
        whole[:own, : ours.shape[1]] = ours
        whole[own:, : theirs.shape[1]] = theirs[own:]
        return whole

    return {
        "tokens": joined(rehearsal.documents.tokens, documents.tokens, pad),
        "mask": joined(rehearsal.documents.mask, documents.mask, 0),
        "answer": joined(rehearsal.documents.answer, documents.answer, 0),
        "own": torch.arange(count, device=documents.tokens.device) < own,
        "allowed": joined(rehearsal.allowed, rehearsal.allowed.new_ones(count, 0, rehearsal.allowed.shape[2]), 1),
    }
