"""From random places to crystals: integration over the levels of noise."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from nucleate.geometry import torus
from nucleate.models.cdvae.config import SamplingConfig

WayBack = Callable[[Tensor, float], Tensor]
"""Fractional coordinates and σ in Å to the displacement to the denoised place in Å."""


def denoise(
    way_back: WayBack,
    lattice: Float[Tensor, "b 3 3"],
    mask: Bool[Tensor, "b n"],
    steps: int,
    options: SamplingConfig,
    rng: torch.Generator,
    progress: Callable[[float], None] | None = None,
) -> Float[Tensor, "b n 3"]:
    """Starts from uniform places and follows the probability-flow equation down the levels (Karras et al. 2022).

    From σ to σ' each atom goes the share 1 − σ'/σ of the way back. With churn, noise is raised from σ to (1 + churn)·σ
    before each step, which corrects what went wrong before.
    """
    frac = torch.rand(*mask.shape, 3, generator=rng, device=rng.device).to(lattice.device)
    sigmas = [*schedule(steps, options), 0.0]
    for i, (sigma, after) in enumerate(pairwise(sigmas)):
        if options.churn and i:
            raised = sigma * (1 + options.churn)
            normal = torch.randn(frac.shape, generator=rng, device=rng.device).to(frac.device)
            frac = _moved(frac, torus.mean_free(normal, mask) * math.sqrt(raised**2 - sigma**2), lattice)
            sigma = raised
        frac = _moved(frac, way_back(frac, sigma) * (1 - after / sigma), lattice)
        if progress is not None:
            progress((i + 1) / steps)
    return frac


def schedule(steps: int, options: SamplingConfig) -> list[float]:
    """Levels in Å from `start` to `end`, even in σ^(1/rho)."""
    if steps == 1:
        return [options.start]
    first, last = options.start ** (1 / options.rho), options.end ** (1 / options.rho)
    return [(first + i / (steps - 1) * (last - first)) ** options.rho for i in range(steps)]


def _moved(
    frac: Float[Tensor, "b n 3"], moves: Float[Tensor, "b n 3"], lattice: Float[Tensor, "b 3 3"]
) -> Float[Tensor, "b n 3"]:
    """Moves atoms by so many Å along x, y and z."""
    with torch.autocast(frac.device.type, enabled=False):
        inverse = torch.linalg.inv_ex(lattice)[0]
        return torus.wrap(frac + moves.to(frac.dtype) @ inverse)
