"""FlowMM: Riemannian flow matching for crystals (Miller et al. 2024, arXiv:2406.04713).

A crystal flows from noise to data along geodesics: coordinates on the flat torus without drift, the lattice as six
unconstrained numbers, types (for DNG) as analog bits. A network learns the velocities, and an ordinary differential
equation carries noise to crystals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from nucleate.configuration import from_dict
from nucleate.crystals import Padded
from nucleate.geometry import torus
from nucleate.models.flowmm import types as atom_types
from nucleate.models.flowmm.config import FlowMMConfig
from nucleate.models.generator import Example, Request, Task
from nucleate.models.networks.cspnet import CSPNet
from nucleate.models.networks.interface import FlowOutput
from nucleate.models.networks.pairformer import Pairformer
from nucleate.models.parts.atoms import CLASSES, mean_over_crystals, numbers_of, one_hot
from nucleate.models.parts.coupling import permute_like_atoms
from nucleate.models.parts.lattice import LatticeCoordinates
from nucleate.models.parts.sizes import SizedGenerator


class FlowMM(SizedGenerator):
    """Flow matching over coordinates, lattice and, for DNG, types."""

    family: ClassVar[str] = "flowmm"
    element_counts: Tensor

    def __init__(self, config: FlowMMConfig) -> None:
        super().__init__()
        self.config = config
        self.lattice = LatticeCoordinates(config.lattice)
        self.register_buffer("element_counts", torch.zeros(CLASSES))
        self.network = _build_network(config)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> FlowMM:
        """Builds an untrained model from plain JSON types."""
        return cls(from_dict(FlowMMConfig, config))

    @property
    def known_elements(self) -> frozenset[int]:
        """Atomic numbers of the elements in the training set."""
        return numbers_of(self.element_counts > 0)

    # --- training -----------------------------------------------------------------------------------------------

    def fit(self, data: Padded) -> None:
        """Sets the lattice base, the histogram of sizes and the counts of elements."""
        super().fit(data)
        self.lattice.fit(data)
        self.element_counts = torch.bincount(data.numbers[data.mask], minlength=CLASSES).float()

    def draw(self, batch: Padded, rng: torch.Generator) -> Example:
        """Draws times and starting points, and mirrors half of the crystals if the configuration says so."""
        return self.draw_from(batch, None, rng)

    def draw_from(self, batch: Padded, start: Padded | None, rng: torch.Generator) -> Example:
        """Draws times, and starting points around some crystals.

        Args:
            batch: crystals to be learned.
            start: where their paths begin, atom by atom in the same order; noise where it is None or NaN.
            rng: random state.
        """
        count, width = batch.numbers.shape
        device = batch.frac.device

        def uniform(*shape: int) -> Tensor:
            return torch.rand(*shape, generator=rng, device=rng.device).to(device)

        sign = torch.where(uniform(count, 1, 1) < 0.5, 1.0, -1.0) if self.config.invert else 1.0
        batch = batch._replace(frac=torus.wrap(batch.frac * sign))
        frac = uniform(count, width, 3)
        if self.config.couple:
            frac = permute_like_atoms(frac, batch.frac, batch.numbers, batch.mask)
        noise = {"time": uniform(count), "frac": frac, "lattice": self.lattice.base(count, rng)}
        if start is not None:
            near = self._near(start._replace(frac=start.frac * sign), rng)
            noise |= {name: torch.where(value.isnan(), noise[name], value) for name, value in near.items()}
        if self.task is Task.DNG:
            noise["bits"] = torch.randn(count, width, atom_types.BITS, generator=rng, device=rng.device).to(device)
        return Example(batch, noise)

    def _near(self, start: Padded, rng: torch.Generator) -> dict[str, Tensor]:
        """Points around crystals, where flows with a given base begin; NaN where there is no crystal."""
        numbers, frac, cell, mask = start[:4]

        def normal(*shape: int) -> Tensor:
            return torch.randn(*shape, generator=rng, device=rng.device).to(frac.device)

        there = (cell.isfinite().flatten(1).all(1))[:, None, None]
        unit = torch.eye(3, device=cell.device)
        moves = self.config.base_frac * normal(*frac.shape) @ torch.linalg.inv(torch.where(there, cell, unit))
        lattice = self.lattice.encode(torch.where(there, cell, unit), numbers, mask)
        lattice = lattice + self.config.base_lattice * normal(*lattice.shape)
        return {
            "frac": torch.where(there, torus.wrap(frac + moves), torch.nan),
            "lattice": torch.where(there[:, 0], lattice, torch.nan),
        }

    def loss(self, example: Example) -> dict[str, Tensor]:
        """Squared errors of the velocities at a random time of each crystal (Miller et al. 2024, eq. 10)."""
        crystals, noise = example
        time, mask = noise["time"], crystals.mask
        t = time[:, None]

        frac_target = torus.mean_free(torus.log_map(noise["frac"], crystals.frac), mask)
        frac = noise["frac"] + t[..., None] * frac_target
        end = self.lattice.encode(crystals.lattice, self._given(crystals.numbers), mask)
        lattice_target = end - noise["lattice"]
        lattice = noise["lattice"] + t * lattice_target

        bits = None
        if self.task is Task.DNG:
            bits = torch.lerp(noise["bits"], atom_types.codebook(frac.device)[crystals.numbers], t[..., None])
        velocity = self._velocity(crystals._replace(frac=frac), lattice, bits, time)

        terms = {
            "frac": mean_over_crystals((velocity.frac - frac_target).square().mean(-1), mask),
            "lattice": (velocity.lattice - lattice_target).square().mean(),
        }
        total = self.config.frac_weight * terms["frac"] + self.config.lattice_weight * terms["lattice"]
        if self.task is Task.DNG:
            terms["types"] = self._types_loss(velocity.types, noise["bits"], crystals)
            total = total + self.config.types_weight * terms["types"]
        return {"loss": total, **terms}

    def _types_loss(
        self, predicted: Float[Tensor, "b n c"], start: Float[Tensor, "b n bits"], crystals: Padded
    ) -> Float[Tensor, ""]:
        if self.config.types == "posterior":
            error = nn.functional.cross_entropy(predicted.transpose(1, 2), crystals.numbers, reduction="none")
        else:
            target = atom_types.codebook(start.device)[crystals.numbers] - start
            error = (predicted - target).square().mean(-1)
        return mean_over_crystals(error, crystals.mask)

    def _velocity(
        self, crystals: Padded, lattice: Float[Tensor, "b 6"], bits: Float[Tensor, "b n bits"] | None, time: Tensor
    ) -> FlowOutput:
        """Calls the network on the crystals at `time`; their own lattice is ignored in favour of `lattice`."""
        numbers, frac, _, mask = crystals[:4]
        if bits is None:
            types = one_hot(numbers)
        elif self.config.types == "posterior":
            types = atom_types.posterior(bits, time, self._log_prior())
        else:
            types = bits
        metric = self.lattice.metric(lattice, self._given(numbers), mask)
        velocity = self.network(types, frac, lattice, metric, time, mask)
        return velocity._replace(frac=torus.mean_free(velocity.frac, mask))

    def _given(self, numbers: Int[Tensor, "b n"]) -> Int[Tensor, "b n"]:
        """What is known of the types before sampling: everything for CSP, nothing for DNG."""
        return numbers if self.task is Task.CSP else torch.zeros_like(numbers)

    def _log_prior(self) -> Float[Tensor, " z"]:
        share = self.element_counts / self.element_counts.sum().clamp(min=1)
        return share.log().clamp(min=-1e4)

    # --- sampling -----------------------------------------------------------------------------------------------

    @torch.no_grad()
    def sample(self, request: Request, rng: torch.Generator, *, start: Padded | None = None) -> Padded:
        """Integrates with Euler steps, the coordinates' velocity growing as 1 + s·t (anti-annealing).

        Args:
            request: what to make.
            rng: random state.
            start: crystals around which to start, if the base is given; noise otherwise.
        """
        count, width = request.mask.shape
        device = request.mask.device
        options = {**asdict(self.config.sampling), **(request.options or {})}
        steps = request.steps or int(options["steps"])

        frac = torch.rand(count, width, 3, generator=rng, device=rng.device).to(device)
        lattice = self.lattice.base(count, rng)
        if start is not None:
            near = self._near(start, rng)
            frac, lattice = near["frac"], near["lattice"]
        bits = None
        if self.task is Task.DNG:
            bits = torch.randn(count, width, atom_types.BITS, generator=rng, device=rng.device).to(device)
        crystals = Padded(request.numbers, frac, torch.empty(count, 3, 3, device=device), request.mask)
        for step in range(steps):
            time = torch.full((count,), step / steps, device=device)
            velocity = self._velocity(crystals, lattice, bits, time)
            frac_step, lattice_step = (_step_length(step, steps, options[s], options["capped"]) for s in _SLOPES)
            crystals = crystals._replace(frac=torus.wrap(crystals.frac + frac_step * velocity.frac))
            lattice = lattice + lattice_step * velocity.lattice
            if bits is not None:
                bits = bits + self._bits_velocity(velocity.types, bits, time) / steps
            if request.progress is not None:
                request.progress((step + 1) / steps)
        if bits is not None:
            numbers = atom_types.from_bits(bits, self.element_counts > 0) * request.mask
            crystals = crystals._replace(numbers=numbers)
        return crystals._replace(
            frac=crystals.frac * request.mask.unsqueeze(-1),
            lattice=self.lattice.decode(lattice, self._given(crystals.numbers), request.mask),
        )

    def _bits_velocity(
        self, predicted: Float[Tensor, "b n c"], bits: Float[Tensor, "b n bits"], time: Float[Tensor, " b"]
    ) -> Float[Tensor, "b n bits"]:
        if self.config.types == "bits":
            return predicted
        allowed = torch.where(self.element_counts > 0, 0.0, -torch.inf)
        end = (predicted + allowed).softmax(-1) @ atom_types.codebook(bits.device)
        return (end - bits) / (1 - time[:, None, None])


def _build_network(config: FlowMMConfig) -> nn.Module:
    posterior = config.task == "csp" or config.types == "posterior"
    inputs = CLASSES if posterior else atom_types.BITS
    outputs = 0 if config.task == "csp" else inputs
    if config.backbone == "cspnet":
        return CSPNet(config.cspnet, inputs, outputs)
    return Pairformer(config.pairformer, inputs, outputs)


_SLOPES = ("frac_slope", "lattice_slope")


def _step_length(step: int, steps: int, slope: float, capped: bool) -> float:
    """Length in time of an Euler step at t = step / steps, lengthened by 1 + slope·t and, if capped, at most 1 − t."""
    time = step / steps
    length = (1 + slope * time) / steps
    return min(length, 1 - time) if capped else length
