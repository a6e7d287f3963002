"""Noise levels, noisy coordinates, and the way back that the decoder learns.

Noise is Gaussian in Å (Xie et al. 2022, section 4.1), less its mean, which no network that ignores the origin could
tell. The way back leads to the nearest image; among like atoms, to the nearest of them if the configuration says so.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from nucleate.crystals import Padded
from nucleate.geometry import torus
from nucleate.geometry.periodic import shortest_displacements
from nucleate.models.cdvae.config import NoiseConfig
from nucleate.models.parts.coupling import match_like_atoms


class Noisy(NamedTuple):
    """Noisy coordinates and the way back."""

    frac: Float[Tensor, "b n 3"]
    displacement: Float[Tensor, "b n 3"]
    """To the clean place, Å, without drift."""


def noise_levels(config: NoiseConfig, device: torch.device) -> Float[Tensor, " s"]:
    """The levels in Å, largest first."""
    logs = torch.linspace(math.log(config.largest), math.log(config.smallest), config.levels, device=device)
    return logs.exp()


def type_noise_levels(config: NoiseConfig, device: torch.device) -> Float[Tensor, " s"]:
    """The levels of the types, largest first."""
    logs = torch.linspace(math.log(config.types_largest), math.log(config.types_smallest), config.levels, device=device)
    return logs.exp()


def corrupt_types(
    numbers: Int[Tensor, "b n"], log_shares: Float[Tensor, "b z"], sigma: Float[Tensor, " b"], uniform: Tensor
) -> Int[Tensor, "b n"]:
    """Draws types from one-hot truth + σ · predicted shares (Xie et al. 2022, section 4.3).

    Args:
        numbers: true types; padding stays padding.
        log_shares: logarithm of the predicted probability of each element.
        sigma: level of each crystal.
        uniform: uniform random numbers, (b, n, z).
    """
    truth = torch.nn.functional.one_hot(numbers, log_shares.shape[1])
    weights = truth + (sigma[:, None] * log_shares.exp())[:, None]
    gumbel = -(-uniform.clamp(1e-20, 1 - 1e-7).log()).log()
    return (weights.clamp(min=1e-30).log() + gumbel).argmax(-1) * (numbers > 0)


def draw_levels(config: NoiseConfig, count: int, rng: torch.Generator) -> Int[Tensor, " b"]:
    """Draws which level each crystal gets."""
    levels = noise_levels(config, rng.device)
    if config.centre is None:
        return torch.randint(config.levels, (count,), generator=rng, device=rng.device)
    weights = torch.exp(-0.5 * ((levels / config.centre).log() / config.width).square())
    return torch.multinomial(weights, count, replacement=True, generator=rng)


def scale(config: NoiseConfig, sigma: Float[Tensor, "*dims"]) -> Float[Tensor, "*dims"]:
    """Å in one unit of what the network predicts: the typical displacement at each level."""
    return sigma / (1 + (sigma / config.spread).square()).sqrt()


def strained(lattice: Float[Tensor, "b 3 3"], normal: Float[Tensor, "b 3 3"], size: float) -> Float[Tensor, "b 3 3"]:
    """Deforms cells by small symmetric strains."""
    return lattice + size * lattice @ ((normal + normal.mT) / 2)


def corrupt(crystals: Padded, sigma: Float[Tensor, " b"], normal: Float[Tensor, "b n 3"], config: NoiseConfig) -> Noisy:
    """Moves the atoms by σ times `normal`.

    Args:
        crystals: clean.
        sigma: one level a crystal, Å.
        normal: standard normal numbers along x, y and z.
        config: whether to permute like atoms.
    """
    numbers, clean, lattice, mask = crystals[:4]
    moves = torus.mean_free(normal, mask) * sigma[:, None, None]
    frac = clean + torch.linalg.solve(lattice, moves, left=False)
    if config.couple:
        cost = shortest_displacements(frac[:, :, None], clean[:, None], lattice).square().sum(-1)
        order = match_like_atoms(cost, numbers, mask)
        frac = frac.gather(1, order.unsqueeze(-1).expand(-1, -1, 3))
    back = shortest_displacements(frac[:, :, None], clean[:, :, None], lattice)[:, :, 0]
    return Noisy(torus.wrap(frac), torus.mean_free(back, mask))
