"""FlowLLM (Sriram et al. 2024, arXiv:2410.23405): the language model's crystals are the base of the flow.

The language model says the composition, or is given it, and proposes a structure; Riemannian flow matching for CSP then
carries cell and coordinates from there to the data, instead of from noise.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from nucleate.configuration import from_dict
from nucleate.crystals import FAILURE, Crystals, Padded
from nucleate.models.crystal_llm import CrystalLLM
from nucleate.models.flowllm.alignment import aligned
from nucleate.models.flowllm.config import FlowLLMConfig
from nucleate.models.flowmm import FlowMM
from nucleate.models.generator import Example, Generator, Request, Task
from nucleate.models.parts.sizes import SizedGenerator
from nucleate.models.precision import autocast

PROPOSALS_PER_BATCH = 512
"""Crystals that the language model writes at once."""


class FlowLLM(SizedGenerator):
    """A language model, which stays as it is, and a flow that learns to go on from its crystals."""

    family: ClassVar[str] = "flowllm"

    def __init__(self, config: FlowLLMConfig) -> None:
        super().__init__()
        self.config = config
        self.language = CrystalLLM(config.language).requires_grad_(False)
        self.flow = FlowMM(config.flow)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> FlowLLM:
        """Builds an untrained model from plain JSON types."""
        return cls(from_dict(FlowLLMConfig, config))

    @property
    def tasks(self) -> frozenset[Task]:
        """Both, as its language model."""
        return frozenset(Task)

    @property
    def samplers(self) -> Mapping[str, Mapping[str, Any]]:
        """Those of the language model."""
        return self.language.samplers

    @property
    def settings(self) -> frozenset[str]:
        """Those of the language model."""
        return self.language.settings

    @property
    def conditions(self) -> Mapping[str, tuple[float, float]]:
        """Those of the language model."""
        return self.language.conditions

    @property
    def known_elements(self) -> frozenset[int]:
        """Atomic numbers of the elements that both the language model and the flow were trained on."""
        return self.language.known_elements & self.flow.known_elements

    # --- training -----------------------------------------------------------------------------------------------

    def adopt(self, source: Generator) -> float:
        """Takes over a language model, but for how it is sampled, or a flow's weights.

        Returns:
            The share of the parameters that were taken.
        """
        if isinstance(source, CrystalLLM):
            language = replace(source.config, sampling=self.config.language.sampling)
            self.config = replace(self.config, language=language)
            self.language = CrystalLLM(language).requires_grad_(False)
            self.language.load_state_dict(source.state_dict())
            return 1.0
        return self.flow.adopt(source)

    def fit(self, data: Padded) -> None:
        """Sets what the flow knows of the data, and the histogram of sizes."""
        super().fit(data)
        self.flow.fit(data)

    @property
    def atoms_limit(self) -> int | None:
        """Of the language model, which proposes crystals of the same composition."""
        return self.language.atoms_limit

    @property
    def description(self) -> str:
        """Of this language model, which decides what is proposed."""
        digest = hashlib.sha256()
        for parameter in self.language.parameters():
            digest.update(parameter.detach().float().cpu().numpy().tobytes())
        return f"proposals-1-{digest.hexdigest()[:16]}"

    def describe(
        self, crystals: Crystals, *, jobs: int = 1, on_progress: Callable[[float], None] | None = None
    ) -> Float[Tensor, "c p"]:
        """One proposal of the language model for each composition, aligned with the crystal; NaN where it failed."""
        most = int(crystals.counts.max())
        rows = torch.full((len(crystals), 9 + 3 * most), torch.nan)
        proposals = self.propose(crystals.numbers_of_each(), torch.Generator().manual_seed(0), on_progress)
        columns = (crystals.numbers_of_each(), crystals.frac_of_each(), crystals.lattice.double().numpy())
        theirs = (proposals.numbers_of_each(), proposals.frac_of_each(), proposals.lattice.double().numpy())
        for i in np.flatnonzero(proposals.built):
            numbers, frac, lattice = (column[i] for column in theirs)
            places, cell = aligned(numbers, frac, lattice, columns[1][i], columns[2][i], columns[0][i])
            rows[i, :9] = torch.from_numpy(cell).flatten()
            rows[i, 9 : 9 + 3 * len(places)] = torch.from_numpy(places).flatten()
        return rows

    def lacking(self, labels: Float[Tensor, "c p"] | None) -> Mapping[str, int]:
        """Crystals for which the language model proposed nothing that can be read: their paths start from noise."""
        if labels is None:
            return {}
        return {"proposal of the language model, and start from noise": int(labels[:, 0].isnan().sum())}

    def propose(
        self,
        compositions: list[np.ndarray],
        rng: torch.Generator,
        on_progress: Callable[[float], None] | None = None,
    ) -> Crystals:
        """What the language model writes for compositions, in reduced cells."""
        order = np.argsort([len(numbers) for numbers in compositions], kind="stable")
        device = next(self.parameters()).device
        parts = []
        for start in range(0, len(order), PROPOSALS_PER_BATCH):
            rows = order[start : start + PROPOSALS_PER_BATCH]
            request = Request.of([compositions[i] for i in rows], device)
            with autocast(device):
                parts.append(self.language.sample(request, rng))
            if on_progress is not None:
                on_progress(min(1.0, (start + len(rows)) / len(order)))
        return Crystals.concat(parts)[np.argsort(order, kind="stable")].niggli()

    def draw(self, batch: Padded, rng: torch.Generator) -> Example:
        """Draws times, and starts near the proposals."""
        start = None
        if batch.labels is not None:
            count, width = batch.numbers.shape
            cell = batch.labels[:, :9].view(count, 3, 3)
            start = Padded(batch.numbers, batch.labels[:, 9 : 9 + 3 * width].view(count, width, 3), cell, batch.mask)
        return self.flow.draw_from(batch, start, rng)

    def loss(self, example: Example) -> dict[str, Tensor]:
        """Of the flow."""
        return self.flow.loss(example)

    # --- sampling -----------------------------------------------------------------------------------------------

    def sample(self, request: Request, rng: torch.Generator) -> Crystals:
        """Proposes and refines. A proposal that failed stays a failure, with its reason."""
        wished = Request(numbers=request.numbers, mask=request.mask, options=request.options)
        proposals = self.language.sample(wished, rng).niggli()
        built = np.flatnonzero(proposals.built)
        if not len(built):
            return proposals
        device = request.mask.device
        start = proposals[built].to(dtype=torch.float32).padded().to(device)
        refining = Request(numbers=start.numbers, mask=start.mask, steps=request.steps, progress=request.progress)
        refined = Crystals.from_padded(self.flow.sample(refining, rng, start=start).to("cpu"))
        return _put(proposals, built, refined)


def _put(proposals: Crystals, rows: np.ndarray, refined: Crystals) -> Crystals:
    """The refined crystals in the places of their proposals; one that is no crystal any more is a failure."""
    finite = refined.lattice.isfinite().flatten(1).all(1).numpy()
    kept = refined[np.flatnonzero(finite)].with_info(
        **{name: column[rows[finite]] for name, column in proposals.info.items()}
    )
    others = np.setdiff1d(np.arange(len(proposals)), rows[finite])
    reasons = [reason or "not_finite" for reason in proposals.failures[others]]
    info = {name: column[others] for name, column in proposals.info.items() if name != FAILURE}
    parts = Crystals.concat([kept, Crystals.failed(reasons, info)])
    return parts[np.argsort(np.concatenate([rows[finite], others]), kind="stable")]
