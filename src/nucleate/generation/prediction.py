"""`predict`: structures for a formula, duplicates merged, in the order of a stated score."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nucleate.crystals import Crystals
from nucleate.errors import UserError
from nucleate.evaluation.failures import tally
from nucleate.generation.compositions import formula_units
from nucleate.generation.limits import check_all_fit
from nucleate.generation.sampling import generate
from nucleate.models.generator import Generator

Cluster = Callable[[Crystals], np.ndarray]
"""Gives each crystal the number of the first one that is the same structure."""


def predict(
    generator: Generator,
    unit: np.ndarray,
    count: int,
    cluster: Cluster,
    *,
    steps: int | None = None,
    seed: int = 0,
    on_progress: Callable[[float], None] | None = None,
) -> Crystals:
    """Predicts structures for a composition with 1, 2, 4, … formula units per cell.

    The score of a structure is the share of all samples that turned out to be it: what a generative model proposes
    again and again is what it holds probable. Ties keep the order of sampling.

    Args:
        generator: a model for CSP.
        unit: atomic numbers of one formula unit.
        count: samples in all, shared evenly between the numbers of formula units.
        cluster: finds duplicates (see `nucleate.evaluation`).
        steps: network evaluations; the model's default if None.
        seed: fixes the result.
        on_progress: called with the share that is done.

    Returns:
        One row a distinct structure, best first, with `score`, `times_found` and `formula_units` in `info`.

    Raises:
        UserError: the formula does not fit the model, or no sample could be built.
    """
    samples = draw(generator, unit, count, steps=steps, seed=seed, on_progress=on_progress)
    return merge(samples, cluster)


def draw(
    generator: Generator,
    unit: np.ndarray,
    count: int,
    *,
    steps: int | None = None,
    seed: int = 0,
    on_progress: Callable[[float], None] | None = None,
) -> Crystals:
    """Draws the samples of a prediction: the first half of `predict`, with its arguments.

    Returns:
        One row a sample, with `formula_units` in `info`; one that could not be built is a failed row.

    Raises:
        UserError: the formula does not fit the model.
    """
    check_all_fit(generator, [unit])
    sizes = formula_units(unit, generator.max_atoms)[:count]
    asked = [sizes[i % len(sizes)] for i in range(count)]
    samples = generate(generator, count, compositions=asked, draws=1, steps=steps, seed=seed, on_progress=on_progress)
    return samples.with_info(formula_units=[len(numbers) // len(unit) for numbers in asked])


def merge(samples: Crystals, cluster: Cluster) -> Crystals:
    """Merges the samples of a prediction: the second half of `predict`, which says what is returned.

    Args:
        samples: as `draw` gives them. A failed one is no structure, but counts in the score.
        cluster: finds duplicates.

    Raises:
        UserError: no sample could be built.
    """
    built = samples[samples.built]
    if not len(built):
        raise UserError(f"none of {len(samples)} samples could be built: {tally(samples.failures)}")
    leaders, times = np.unique(cluster(built), return_counts=True)
    best = np.lexsort((leaders, -times))
    return built[leaders[best]].with_info(score=times[best] / len(samples), times_found=times[best])
