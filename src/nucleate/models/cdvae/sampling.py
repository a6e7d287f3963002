"""From random places to crystals, level by level of noise."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from nucleate.crystals import Padded
from nucleate.geometry import torus
from nucleate.models.cdvae.config import SamplingConfig
from nucleate.models.cdvae.noise import noise_levels

if TYPE_CHECKING:
    from nucleate.models.cdvae.model import CDVAE


def sample_structure(
    model: CDVAE,
    crystals: Padded,
    z: Float[Tensor, "b l"],
    steps: int,
    options: SamplingConfig,
    rng: torch.Generator,
    *,
    change_types: bool = False,
    progress: Callable[[float], None] | None = None,
) -> Padded:
    """Starts from uniform places and goes where the decoder leads.

    Args:
        model: whose decoder.
        crystals: types and cells; the places are drawn.
        z: latents.
        steps: network evaluations, before those of the descent.
        options: which way to go.
        rng: random state.
        change_types: takes the decoder's most probable types after each step.
        progress: called with the share of steps that are done.
    """

    def normal() -> Float[Tensor, "b n 3"]:
        drawn = torch.randn(crystals.frac.shape, generator=rng, device=rng.device).to(crystals.lattice)
        return torus.mean_free(drawn, crystals.mask)

    frac = torch.rand(crystals.frac.shape, generator=rng, device=rng.device).to(crystals.lattice)
    crystals = crystals._replace(frac=frac * crystals.mask.unsqueeze(-1))
    plan = [*(_langevin(model, steps, options) if options.method == "langevin" else _flow(steps, options))]
    plan += _descent(options)
    for i, (before, sigma, share, after) in enumerate(plan):
        if before:
            crystals = _moved(crystals, before * normal())
        decoded = model.way_back(crystals, z, torch.full((len(z),), sigma, device=z.device))
        crystals = _moved(crystals, share * decoded.moves + (after * normal() if after else 0))
        if change_types:
            best = decoded.types.masked_fill(~model.elements, -torch.inf).argmax(-1)
            crystals = crystals._replace(numbers=best * crystals.mask)
        if progress is not None:
            progress((i + 1) / len(plan))
    return crystals


Step = tuple[float, float, float, float]
"""Noise in Å to add before, σ in Å that the decoder is told, share of the way back to go, noise to add after."""


def _flow(steps: int, options: SamplingConfig) -> Iterator[Step]:
    """The probability flow: from σ to σ' the share 1 − σ'/σ of the way back (Karras et al. 2022, algorithm 2).

    With churn, noise is raised from σ to (1 + churn) σ before each step, which corrects what went wrong before.
    """
    for i, (sigma, after) in enumerate(pairwise([*schedule(steps, options), 0.0])):
        raised = sigma * (1 + options.churn) if i else sigma
        yield math.sqrt(raised**2 - sigma**2), raised, 1 - after / raised, 0.0


def schedule(steps: int, options: SamplingConfig) -> list[float]:
    """Levels in Å from `start` to `end`, even in σ^(1/rho)."""
    if steps == 1:
        return [options.start]
    first, last = options.start ** (1 / options.rho), options.end ** (1 / options.rho)
    return [(first + i / (steps - 1) * (last - first)) ** options.rho for i in range(steps)]


def _descent(options: SamplingConfig) -> Iterator[Step]:
    """Repeats what the decoder says at small σ, each a fixed part of the one before, until nothing moves."""
    for i in range(options.descent):
        part = (options.end / options.descent_start) ** (i / max(options.descent - 1, 1))
        yield 0.0, options.descent_start * part, 1.0, 0.0


def _langevin(model: CDVAE, steps: int, options: SamplingConfig) -> Iterator[Step]:
    """Annealed Langevin dynamics (Song and Ermon 2019; Xie et al. 2022, algorithm 1).

    At level σ the step is α = rate · (σ/σ_last)²; the score is the way back over σ².
    """
    levels = noise_levels(model.config.noise, torch.device("cpu")).tolist()
    for sigma in levels:
        step = options.step_rate * (sigma / levels[-1]) ** 2
        for _ in range(math.ceil(steps / len(levels))):
            yield 0.0, sigma, step / sigma**2, math.sqrt(2 * step)


def _moved(crystals: Padded, moves: Float[Tensor, "b n 3"]) -> Padded:
    """Moves atoms by so many Å along x, y and z."""
    with torch.autocast(moves.device.type, enabled=False):
        inverse = torch.linalg.inv_ex(crystals.lattice)[0]
        frac = torus.wrap(crystals.frac + moves.to(inverse.dtype) @ inverse)
    return crystals._replace(frac=frac * crystals.mask.unsqueeze(-1))
