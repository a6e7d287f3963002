"""What only a model with a latent can do: encode, decode, reconstruct, and go from one crystal to another.

A latent is a row of numbers. Crystals that could not be built have NaN for theirs, and so have those that the model
cannot know: with more atoms than its training crystals, or with elements that these had not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from nucleate.crystals import FAILURE, Crystals
from nucleate.errors import UserError
from nucleate.generation.limits import check_all_fit, check_some_fit
from nucleate.generation.sampling import accepted, batches_by_size
from nucleate.models.cdvae.model import CDVAE
from nucleate.models.generator import Generator, Request
from nucleate.models.precision import autocast

NOT_ENCODED = "not_encoded"
"""Failure of a crystal whose latent is not finite."""


def with_latent(generator: Generator) -> CDVAE:
    """Returns the model if it has a latent.

    Raises:
        UserError: it has none.
    """
    if not isinstance(generator, CDVAE):
        raise UserError(f"{generator.family} has no latent; cdvae has one")
    return generator


class Posterior(NamedTuple):
    """Where the encoder puts crystals, one row each, on the CPU; NaN for those that have no latent."""

    mean: Float[Tensor, "c l"]
    deviation: Float[Tensor, "c l"]


def encode(model: CDVAE, crystals: Crystals) -> Float[Tensor, "c l"]:
    """Means of the latents, as of `posterior`."""
    return posterior(model, crystals).mean


@torch.no_grad()
def posterior(model: CDVAE, crystals: Crystals) -> Posterior:
    """Means and standard deviations of the latents, in order.

    Raises:
        UserError: every crystal is larger than those that the model was trained on, or has elements that these had not.
    """
    reasons = reasons_without_latent(model, crystals)
    device = next(model.parameters()).device
    means = torch.full((len(crystals), model.config.latent), torch.nan)
    deviations = means.clone()
    rows = np.flatnonzero(reasons == "")
    for part in batches_by_size(crystals.counts.numpy()[rows], model.pairs_at_once):
        chosen = rows[part]
        block = crystals[chosen].to(dtype=torch.float32).niggli().padded().to(device)
        with autocast(device):
            mean, log_variance = model.encode(block)
        means[chosen], deviations[chosen] = mean.float().cpu(), (log_variance.float() / 2).exp().cpu()
    return Posterior(means, deviations)


def reasons_without_latent(model: CDVAE, crystals: Crystals) -> np.ndarray:
    """Why each crystal has no latent: its own failure, `too_many_atoms`, `unseen_element`, or "" if it has one.

    Raises:
        UserError: as of `posterior`.
    """
    return np.where(crystals.built, check_some_fit(model, crystals.numbers_of_each()), crystals.failures).astype(object)


def decode(
    model: CDVAE,
    latents: Float[Tensor, "c l"],
    *,
    compositions: list[np.ndarray] | None = None,
    steps: int | None = None,
    seed: int = 0,
    temperature: float = 0.0,
    options: Mapping[str, Any] | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Crystals:
    """Draws a crystal from each latent.

    Args:
        model: with a latent.
        latents: one row a crystal.
        compositions: atomic numbers of each crystal; what the latent says if None.
        steps: network evaluations; the model's default if None.
        seed: fixes the result.
        temperature: of the composition head; 0 takes the most probable.
        options: settings of the sampler.
        on_progress: called with the share that is done.

    Returns:
        One row a latent, in order; one that cannot be built is a row with a reason in `info["failure"]`.
    """
    rng = torch.Generator().manual_seed(seed)
    device = next(model.parameters()).device
    finite = latents.isfinite().all(1).numpy()
    numbers, mask = _contents(model, latents.nan_to_num().to(device), compositions, temperature, rng)
    order = np.flatnonzero(finite)
    sizes = mask.sum(1).cpu().numpy()
    batches = [order[part] for part in batches_by_size(sizes[order], model.pairs_at_once)]
    work, done = float((sizes[order] ** 2).sum()), 0.0
    parts: list[Crystals] = []
    for rows in batches:
        share, before = float((sizes[rows] ** 2).sum()) / work, done
        width = int(sizes[rows].max())
        progress = None if on_progress is None else (lambda part: on_progress(before + part * share))  # noqa: B023
        chosen = torch.from_numpy(rows).to(device)
        block = numbers[chosen, :width], mask[chosen, :width]
        request = Request(numbers=block[0], mask=block[1], steps=steps, options=options, progress=progress)
        z = latents[rows].to(device)
        with autocast(device):
            drawn = model.structure(z, *block, request, rng, keep_types=compositions is not None)
        parts.append(accepted(drawn.to("cpu")))
        done += share
    failed = np.flatnonzero(~finite)
    parts.append(Crystals.failed([NOT_ENCODED] * len(failed)))
    back = np.argsort(np.concatenate([*batches, failed]), kind="stable")
    return Crystals.concat(parts)[back]


def _contents(
    model: CDVAE, z: Tensor, compositions: list[np.ndarray] | None, temperature: float, rng: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Compositions as a block, from z or as given."""
    if compositions is None:
        with autocast(z.device):
            return model.contents(z, temperature, rng)
    check_all_fit(model, compositions)
    nowhere = [np.zeros((len(numbers), 3)) for numbers in compositions]
    block = Crystals.build(compositions, nowhere, np.tile(np.eye(3), (len(compositions), 1, 1))).padded()
    return block.numbers.to(z.device), block.mask.to(z.device)


def reconstruct(
    model: CDVAE,
    crystals: Crystals,
    *,
    keep_composition: bool = False,
    steps: int | None = None,
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Crystals:
    """Encodes crystals and draws them again from their latents alone.

    Args:
        model: with a latent.
        crystals: what to reconstruct.
        keep_composition: gives the model the composition too.
        steps: network evaluations; the model's default if None.
        seed: fixes the result.
        options: settings of the sampler.
        on_progress: called with the share that is done.

    Returns:
        One row a crystal, in order, with `reference_index` and `rank` as `nucleate evaluate csp` reads them. A crystal
        without a latent is a failed row: with its own reason, `too_many_atoms` or `unseen_element`.

    Raises:
        UserError: as of `posterior`.
    """
    lost = reasons_without_latent(model, crystals)
    compositions = None
    if keep_composition:
        each = zip(crystals.numbers_of_each(), lost, strict=True)
        compositions = [numbers[:0] if reason else numbers for numbers, reason in each]
    latents = encode(model, crystals)
    drawn = decode(
        model,
        latents,
        compositions=compositions,
        steps=steps,
        seed=seed,
        options=options,
        on_progress=on_progress,
    )
    rows = np.arange(len(crystals))
    drawn = drawn.with_info(reference_index=rows, rank=np.zeros_like(rows))
    return drawn.with_info(**{FAILURE: np.where(lost == "", drawn.failures, lost).astype(object)})


def interpolate(
    model: CDVAE,
    first: Crystals,
    last: Crystals,
    count: int,
    *,
    steps: int | None = None,
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Crystals:
    """Draws crystals along the straight line between the latents of two crystals, both ends included.

    Args:
        model: with a latent.
        first: one crystal.
        last: one crystal.
        count: how many along the way, at least 2.
        steps: network evaluations; the model's default if None.
        seed: fixes the result.
        options: settings of the sampler.
        on_progress: called with the share that is done.

    Returns:
        Rows in order, with `position` from 0 to 1 in `info`.

    Raises:
        UserError: fewer than two are asked for, or an end is not one crystal that could be built.
    """
    if count < 2:
        raise UserError(f"{count} crystals make no way from one to another; ask for at least 2")
    for name, end in (("first", first), ("last", last)):
        if len(end) != 1 or not end.built[0]:
            raise UserError(f"the {name} end is not one crystal that could be read")
    position = torch.linspace(0, 1, count)
    latents = torch.lerp(encode(model, first), encode(model, last), position[:, None])
    drawn = decode(model, latents, steps=steps, seed=seed, options=options, on_progress=on_progress)
    return drawn.with_info(position=position.numpy())
