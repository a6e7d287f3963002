"""`predict`: structures for a formula, duplicates merged, in the order of a stated score."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nucleate.crystals import Crystals
from nucleate.elements import reduced_formula
from nucleate.errors import UserError
from nucleate.generation.compositions import check_fits, formula_units
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
    check_fits([unit], generator.max_atoms)
    sizes = formula_units(unit, generator.max_atoms)[:count]
    asked = [sizes[i % len(sizes)] for i in range(count)]
    samples = generate(generator, count, compositions=asked, draws=1, steps=steps, seed=seed, on_progress=on_progress)
    units = np.array([len(numbers) // len(unit) for numbers in asked])
    samples = samples.with_info(formula_units=units)[samples.built]
    if not len(samples):
        raise UserError(f"none of {count} samples of {reduced_formula(unit)} could be built")
    first = cluster(samples)
    leaders, times = np.unique(first, return_counts=True)
    best = np.lexsort((leaders, -times))
    chosen = samples[leaders[best]]
    return chosen.with_info(score=times[best] / count, times_found=times[best])
