"""Functions of distances and angles that networks over neighbours are built on."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn


def envelope(share: Float[Tensor, "*dims"], power: int = 6) -> Float[Tensor, "*dims"]:
    """A polynomial that falls from 1 at 0 to 0 at 1, with two derivatives (Gasteiger et al. 2020, eq. 8)."""
    p = power
    inside = 1 - share**p * ((p + 1) * (p + 2) / 2 - p * (p + 2) * share + p * (p + 1) / 2 * share**2)
    return torch.where(share < 1, inside, 0.0)


def gaussian_basis(distance: Float[Tensor, "*dims"], radius: float, count: int) -> Float[Tensor, "*dims r"]:
    """Gaussians with centres evenly from 0 to `radius`, each as wide as their spacing, under the envelope."""
    share = distance / radius
    centres = torch.linspace(0, 1, count, device=distance.device, dtype=distance.dtype)
    gaussians = torch.exp(-0.5 * ((share.unsqueeze(-1) - centres) * (count - 1)).square())
    return gaussians * envelope(share).unsqueeze(-1)


def legendre(cosine: Float[Tensor, "*dims"], count: int) -> Float[Tensor, "*dims l"]:
    """Spherical harmonics Y_l0 for l = 0 … count − 1, which are Legendre polynomials of the cosine, normalised."""
    values = [torch.ones_like(cosine), cosine]
    for degree in range(1, count - 1):
        last, before = values[-1], values[-2]
        values.append(((2 * degree + 1) * cosine * last - degree * before) / (degree + 1))
    norms = [math.sqrt((2 * degree + 1) / (4 * math.pi)) for degree in range(count)]
    return torch.stack([norm * value for norm, value in zip(norms, values, strict=False)], -1)


class BesselBasis(nn.Module):
    """sin(n π d/c) / d with learned frequencies n π, under the envelope (Gasteiger et al. 2020, eq. 7)."""

    def __init__(self, count: int, radius: float) -> None:
        super().__init__()
        self.radius = radius
        self.frequencies = nn.Parameter(math.pi * torch.arange(1, count + 1, dtype=torch.float32))

    def forward(self, distance: Float[Tensor, "*dims"]) -> Float[Tensor, "*dims r"]:
        """Values at `distance` in Å; 0 at distance 0, where there is no neighbour."""
        share = (distance / self.radius).unsqueeze(-1)
        waves = (self.frequencies * share).sin() / share.clamp(min=1e-2)
        return waves * envelope(share)


class SphericalBesselBasis(nn.Module):
    """j_l(z_ln d/c), with z_ln the n-th zero of j_l, normalised, under the envelope (Gasteiger et al. 2020, eq. 6).

    Read off a table between whose 2,048 rows it is linear: the recurrences for j_l lose all digits at small d.
    """

    table: Tensor

    def __init__(self, degrees: int, count: int, radius: float) -> None:
        super().__init__()
        self.radius = radius
        table = torch.from_numpy(_bessel_table(degrees, count, _ROWS)).float()
        self.register_buffer("table", table, persistent=False)

    def forward(self, distance: Float[Tensor, "*dims"]) -> Float[Tensor, "*dims l n"]:
        """Values at `distance` in Å; 0 from the radius on."""
        share = (distance / self.radius).clamp(max=1)
        place = share * (_ROWS - 1)
        lower = place.long().clamp(max=_ROWS - 2)
        part = (place - lower)[..., None, None]
        return (self.table[lower] * (1 - part) + self.table[lower + 1] * part) * envelope(share)[..., None, None]


_ROWS = 2048


def spherical_bessel(degree: int, x: Float[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
    """j_l(x) by its integral over Legendre polynomials, exact to rounding for the x of a basis (below 100)."""
    nodes, weights = np.polynomial.legendre.leggauss(120)
    legendre_values = np.polynomial.legendre.Legendre.basis(degree)(nodes)
    # j_l(x) = ½ (−i)^l ∫ exp(i x t) P_l(t) dt, of which the cosine is left for even l and the sine for odd.
    wave = np.cos if degree % 2 == 0 else np.sin
    sign = (-1) ** (degree // 2)
    return 0.5 * sign * (wave(np.outer(x, nodes)) @ (weights * legendre_values))


def bessel_zeros(degree: int, count: int) -> Float[np.ndarray, " n"]:
    """The first positive zeros of j_l, by bisection."""
    grid = np.linspace(degree + 1.0, degree + 2 + math.pi * (count + degree / 2 + 2), 2000)
    values = spherical_bessel(degree, grid)
    at = np.nonzero(np.sign(values[:-1]) != np.sign(values[1:]))[0][:count]
    low, high = grid[at], grid[at + 1]
    rising = values[at] < 0
    for _ in range(60):
        middle = (low + high) / 2
        below = (spherical_bessel(degree, middle) < 0) == rising
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2


@lru_cache
def _bessel_table(degrees: int, count: int, rows: int) -> Float[np.ndarray, "rows l n"]:
    share = np.linspace(0, 1, rows)
    table = np.empty((rows, degrees, count))
    for degree in range(degrees):
        for n, zero in enumerate(bessel_zeros(degree, count)):
            norm = math.sqrt(2) / abs(float(spherical_bessel(degree + 1, np.array([zero]))[0]))
            table[:, degree, n] = norm * spherical_bessel(degree, zero * share)
    return table
