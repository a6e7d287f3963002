"""Requests into batches, batches through a model, and crystals back in the order that was asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from nucleate.crystals import FAILURE, Crystals, Padded
from nucleate.errors import UserError
from nucleate.generation.consensus import typical_first
from nucleate.generation.limits import check_all_fit, check_some_fit
from nucleate.geometry import lattice as cells
from nucleate.models.generator import Generator, Request, Task
from nucleate.models.precision import autocast

SMALLEST_VOLUME = 0.1
"""Å³; a cell below this is no cell (as in the validity metric)."""


def generate(
    generator: Generator,
    count: int,
    *,
    compositions: Sequence[np.ndarray] | None = None,
    per_formula: int = 1,
    draws: int | None = None,
    steps: int | None = None,
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
    strict: bool = True,
    on_progress: Callable[[float], None] | None = None,
    on_batch: Callable[[Crystals], None] | None = None,
) -> Crystals:
    """Samples crystals.

    Args:
        generator: a trained model.
        count: how many to make for DNG; for CSP it bounds how many of the compositions are taken.
        compositions: atomic numbers of each requested cell (CSP), or None (DNG).
        per_formula: crystals for each composition, the most typical first (CSP).
        draws: samples from which these are taken; at least `per_formula`. The model's default if None.
        steps: network evaluations per crystal; the model's default if None.
        seed: fixes the result.
        options: family-specific settings of the sampler.
        strict: whether compositions are refused if the model cannot make one of them, since it is larger than all that
            it was trained on or has an element that these had not; otherwise its rows are failures, `too_many_atoms` or
            `unseen_element`, and only compositions none of which can be made are refused.
        on_progress: called with the share that is done.
        on_batch: called with the crystals of each batch when it is done, the largest cells first, for those who want
            them should the rest never come. For CSP these are all draws, with `reference_index` in `info`.

    Returns:
        One row for each requested crystal, in order. CSP rows carry `reference_index` and `rank` in `info`; a crystal
        that cannot be built is a row without atoms and with a reason in `info["failure"]`.

    Raises:
        UserError: the model cannot do what is asked for.
    """
    if count < 1 or per_formula < 1:
        raise UserError(f"cannot make {min(count, per_formula)} crystals; ask for at least 1")
    rng = torch.Generator().manual_seed(seed)
    if compositions is None and Task.DNG not in generator.tasks:
        raise UserError("this model predicts structures for given compositions; name them with --formulas")
    if compositions is not None and Task.CSP not in generator.tasks:
        raise UserError("this model makes its own compositions; --formulas needs a model for CSP")
    if compositions is not None:
        compositions = compositions[:count]
        if strict:
            check_all_fit(generator, compositions)
        reasons = check_some_fit(generator, compositions)
        draws = max(per_formula, generator.draws if draws is None else draws)
        asked = [z for z, reason in zip(compositions, reasons, strict=True) for _ in range(0 if reason else draws)]
        rows = np.repeat(np.flatnonzero(reasons == ""), draws)
        crystals = _sample(generator, asked, rows, steps, rng, options, on_progress, on_batch)
        chosen = typical_first(crystals, draws)[:, :per_formula].ravel()
        return with_failed(crystals[chosen], np.repeat(reasons, per_formula)).with_info(
            reference_index=np.repeat(np.arange(len(compositions)), per_formula),
            rank=np.tile(np.arange(per_formula), len(compositions)),
        )
    asked = [np.zeros(size, dtype=np.uint8) for size in generator.draw_sizes(count, rng).tolist()]
    return _sample(generator, asked, None, steps, rng, options, on_progress, on_batch)


def with_failed(crystals: Crystals, reasons: np.ndarray) -> Crystals:
    """Puts failed rows between crystals.

    Args:
        crystals: one for each reason that is empty, in their order.
        reasons: of all rows, shape (C,), the empty string where there is a crystal.
    """
    failed = reasons != ""
    if not failed.any():
        return crystals
    order = np.argsort(failed, kind="stable")  # where each row of the result stands among crystals and failures
    return Crystals.concat([crystals, Crystals.failed(reasons[failed].tolist())])[np.argsort(order, kind="stable")]


def find_sampler(generator: Generator, name: str) -> Mapping[str, Any]:
    """Options of the way of sampling that the family knows by this name.

    Raises:
        UserError: it knows none by this name.
    """
    if name not in generator.samplers:
        raise UserError(f"{generator.family} has no sampler {name!r}; it has {', '.join(generator.samplers)}")
    return generator.samplers[name]


def find_conditions(generator: Generator, asked: Sequence[str], temperature: float | None = None) -> dict[str, float]:
    """Options that ask every crystal for the same, from NAME=VALUE.

    Raises:
        UserError: a condition or a temperature is none, is given twice, or the family does not know it.
    """
    found: dict[str, float] = {}
    for text in asked:
        name, _, value = text.partition("=")
        if name not in generator.conditions:
            known = ", ".join(generator.conditions) or "none"
            raise UserError(f"{generator.family} has no condition {name!r}; it has {known}")
        if name in found:
            raise UserError(f"--condition {name} is given twice")
        found[name] = _number(f"--condition {text}", value, *generator.conditions[name])
    if temperature is not None:
        if "temperature" not in generator.settings:
            raise UserError(f"{generator.family} draws at no temperature")
        found["temperature"] = _number("--temperature", str(temperature), 0.0, 10.0)
    return found


def _number(what: str, text: str, low: float, high: float) -> float:
    whole = isinstance(low, int) and isinstance(high, int)
    try:
        value = int(text) if whole else float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise UserError(f"{what}: a {'whole ' if whole else ''}number from {low:g} to {high:g} is needed")
    return value


def _sample(
    generator: Generator,
    asked: list[np.ndarray],
    rows: np.ndarray | None,
    steps: int | None,
    rng: torch.Generator,
    options: Mapping[str, Any] | None,
    on_progress: Callable[[float], None] | None,
    on_batch: Callable[[Crystals], None] | None,
) -> Crystals:
    """Samples in batches of similar size, the largest cells first, and puts the crystals back in order.

    Args:
        generator: a trained model.
        asked: atomic numbers, or zeros, of each crystal.
        rows: which composition each crystal is of, for `on_batch`; None if there are no compositions.
        steps: as in `generate`, like what follows.
        rng: random state.
        options: settings of the sampler.
        on_progress: called with the share that is done.
        on_batch: called with each batch.
    """
    device = next(generator.parameters()).device
    sizes = np.array([len(z) for z in asked])
    work, done = float((sizes**2).sum()), 0.0
    parts: list[Crystals] = []
    batches = batches_by_size(sizes, generator.pairs_at_once)
    for batch in batches:
        share = float((sizes[batch] ** 2).sum()) / work
        before = done
        progress = None if on_progress is None else (lambda part: on_progress(before + part * share))  # noqa: B023
        request = Request.of([asked[i] for i in batch], device, steps=steps, options=options, progress=progress)
        with autocast(device):
            made = generator.sample(request, rng).to("cpu")
        parts.append(accepted(made) if isinstance(made, Padded) else made)
        if on_batch is not None:
            on_batch(parts[-1] if rows is None else parts[-1].with_info(reference_index=rows[batch]))
        done += share
    back = np.argsort(np.concatenate(batches), kind="stable")
    return Crystals.concat(parts)[back]


def batches_by_size(sizes: np.ndarray, pairs: int) -> list[np.ndarray]:
    """Rows sorted by size, cut so that no batch holds more than so many pairs of places."""
    order = np.argsort(-sizes, kind="stable")
    batches, start = [], 0
    while start < len(order):
        length = max(1, pairs // int(sizes[order[start]]) ** 2)
        batches.append(order[start : start + length])
        start += length
    return batches


def accepted(sampled: Padded) -> Crystals:
    """Packs a block; a crystal that is not finite or has no volume becomes a failed row."""
    finite_sites = (sampled.frac.isfinite().all(-1) | ~sampled.mask).all(1)
    finite = finite_sites & sampled.lattice.isfinite().flatten(1).all(1)
    solid = cells.volume(sampled.lattice) >= SMALLEST_VOLUME
    reasons = np.where(finite.numpy(), np.where(solid.numpy(), "", "zero_volume"), "not_finite").astype(object)
    keep = torch.from_numpy(reasons == "")
    kept = Crystals.from_padded(
        sampled._replace(
            mask=sampled.mask & keep[:, None],
            lattice=torch.where(keep[:, None, None], sampled.lattice, torch.nan),
        )
    )
    return kept.with_info(**{FAILURE: reasons})
