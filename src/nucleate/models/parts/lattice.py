"""Lattices as six unconstrained numbers, in which a flow is a straight line and a network predicts.

Lengths enter by their logarithms, angles by a map of [60°, 120°] to the real line (Miller et al. 2024, section 4.1);
Niggli-reduced cells have their angles there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from nucleate.crystals import Padded
from nucleate.elements import MAX_NUMBER
from nucleate.geometry import lattice as cells


@dataclass(frozen=True, kw_only=True)
class LatticeConfig:
    """How a lattice becomes six numbers, and where a flow starts.

    Attributes:
        angles: "logit" maps 60–120° to the real line as in the paper; "linear" leaves degrees.
        volume_scaled: measures lengths against the cube root of a volume that is predicted from the composition.
        volumes: "fitted" finds a volume for each element by which the composition's is predicted; with "equal" ones
            lengths are measured against the cube root of the number of atoms.
        standardised: shifts and scales each number to mean 0 and deviation 1 over the training set; the base is then
            a standard normal. Otherwise the base is the paper's: log-normal lengths fitted to the data, uniform angles.
    """

    angles: Literal["logit", "linear"] = "logit"
    volume_scaled: bool = False
    volumes: Literal["fitted", "equal"] = "fitted"
    standardised: bool = False


class LatticeCoordinates(nn.Module):
    """The change of coordinates between cells and R⁶, and the base distribution on R⁶."""

    mean: Tensor
    deviation: Tensor
    volumes: Tensor

    def __init__(self, config: LatticeConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("mean", torch.zeros(6))
        self.register_buffer("deviation", torch.ones(6))
        self.register_buffer("volumes", torch.ones(MAX_NUMBER + 1))

    def fit(self, data: Padded) -> None:
        """Sets the volume of each element, and the means and deviations of the coordinates, from the training set."""
        if self.config.volume_scaled and self.config.volumes == "fitted":
            self.volumes.copy_(atomic_volumes(data))
        self.mean.zero_()
        self.deviation.fill_(1)
        raw = self.encode(data.lattice, data.numbers, data.mask)
        self.mean.copy_(raw.mean(0))
        # Where all cells agree, as the angles of perovskites do, a little width is left to divide by.
        self.deviation.copy_(raw.std(0).nan_to_num().clamp(min=0.01))

    def encode(
        self, lattice: Float[Tensor, "b 3 3"], numbers: Int[Tensor, "b n"], mask: Bool[Tensor, "b n"]
    ) -> Float[Tensor, "b 6"]:
        """Row vectors in Å to coordinates."""
        lengths, angles = cells.parameters(lattice)
        logs = lengths.log() - self._log_scale(numbers, mask)
        if self.config.angles == "logit":
            share = ((angles - 60) / 60).clamp(_EDGE, 1 - _EDGE)
            angles = torch.logit(share)
        raw = torch.cat([logs, angles], -1)
        return (raw - self.mean) / self.deviation if self.config.standardised else raw

    def decode(
        self, coordinates: Float[Tensor, "b 6"], numbers: Int[Tensor, "b n"], mask: Bool[Tensor, "b n"]
    ) -> Float[Tensor, "b 3 3"]:
        """Coordinates to row vectors in Å; NaN where no cell has the three angles."""
        return cells.matrix(*self._lengths_and_angles(coordinates, numbers, mask))

    def metric(
        self, coordinates: Float[Tensor, "b 6"], numbers: Int[Tensor, "b n"], mask: Bool[Tensor, "b n"]
    ) -> Float[Tensor, "b 3 3"]:
        """Coordinates to the scalar products of the lattice vectors, Å².

        On the way from noise three angles may not meet in a corner; this stays finite where `decode` would not.
        """
        lengths, angles = self._lengths_and_angles(coordinates, numbers, mask)
        alpha, beta, gamma = torch.deg2rad(angles).cos().unbind(-1)
        one = torch.ones_like(alpha)
        rows = [torch.stack(row, -1) for row in ((one, gamma, beta), (gamma, one, alpha), (beta, alpha, one))]
        return torch.stack(rows, 1) * lengths[:, :, None] * lengths[:, None]

    def _lengths_and_angles(
        self, coordinates: Float[Tensor, "b 6"], numbers: Int[Tensor, "b n"], mask: Bool[Tensor, "b n"]
    ) -> tuple[Float[Tensor, "b 3"], Float[Tensor, "b 3"]]:
        raw = coordinates * self.deviation + self.mean if self.config.standardised else coordinates
        lengths = (raw[:, :3] + self._log_scale(numbers, mask)).exp()
        angles = 60 + 60 * torch.sigmoid(raw[:, 3:]) if self.config.angles == "logit" else raw[:, 3:]
        return lengths, angles

    def base(self, count: int, rng: torch.Generator) -> Float[Tensor, "b 6"]:
        """Draws the start of a flow, in coordinates."""
        device = self.mean.device
        normal = torch.randn(count, 6, generator=rng, device=rng.device).to(device)
        if self.config.standardised:
            return normal
        lengths = normal[:, :3] * self.deviation[:3] + self.mean[:3]
        # A uniform angle, seen through the logit, is a logistic variable.
        uniform = torch.rand(count, 3, generator=rng, device=rng.device).to(device)
        angles = torch.logit(uniform.clamp(_EDGE, 1 - _EDGE))
        return torch.cat([lengths, angles if self.config.angles == "logit" else 60 + 60 * uniform], -1)

    def _log_scale(self, numbers: Int[Tensor, "b n"], mask: Bool[Tensor, "b n"]) -> Float[Tensor, "b 1"] | float:
        if not self.config.volume_scaled:
            return 0.0
        return (self.volumes[numbers] * mask).sum(1, keepdim=True).log() / 3


_EDGE = 0.005
"""Angles within 0.3° of 60° and 120° are taken as that near, since the logit has no value at the ends."""


def atomic_volumes(data: Padded, prior: float = 20.0, strength: float = 1.0) -> Float[Tensor, " z"]:
    """Fits one volume (Å3) per element to the cells' volumes by ridge regression towards `prior`.

    Residuals are weighed by 1/√V, as for counts, so that large cells do not outvote small ones. On MP-20 the sum of
    these volumes predicts a cell's volume to 12 % (standard deviation of the logarithm).
    """
    contents = torch.zeros(len(data.numbers), MAX_NUMBER + 1, dtype=torch.float64, device=data.mask.device)
    contents.scatter_add_(1, data.numbers, data.mask.double())
    volume = cells.volume(data.lattice.double())
    weight = volume.rsqrt()
    weighted = contents * weight[:, None]
    penalty = strength * torch.eye(MAX_NUMBER + 1, dtype=torch.float64, device=weight.device)
    solution = torch.linalg.solve(weighted.T @ weighted + penalty, weighted.T @ (volume * weight) + strength * prior)
    return solution.clamp(min=_SMALLEST_VOLUME).float()


_SMALLEST_VOLUME = 3.0
"""Å3 an atom; hydrogen in metals is fitted to nearly nothing, but a logarithm is taken of the sum."""
