"""How the samples are distributed, beside the reference: symmetry, elements, sizes and densities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Bool, Int, Real, Shaped

from nucleate.crystals import Crystals
from nucleate.elements import SYMBOLS
from nucleate.evaluation.compositions import element_counts
from nucleate.evaluation.space_groups import NONE, P1, SYSTEMS, crystal_systems
from nucleate.evaluation.wasserstein import wasserstein

DENSITY_BIN, VOLUME_BIN, RMS_BIN = 0.5, 1.0, 0.02
"""Widths of the bins of densities (g/cm³), volumes per atom (Å³) and distances in units of (V/N)^(1/3)."""

DENSITY_BINS, VOLUME_BINS, RMS_BINS = 50, 60, 25
"""Bins from 0; one more holds all that is beyond."""

QUANTILES = {"min": 0.0, "q05": 0.05, "median": 0.5, "q95": 0.95, "max": 1.0}


def of_classes(samples: Shaped[np.ndarray, " s"], reference: Shaped[np.ndarray, " r"]) -> dict[str, Any]:
    """Compares two samples of something that comes in kinds, such as space groups.

    Returns:
        `jensen_shannon`, the distance of the shares (see there), and the shares of `samples` and `reference`.
    """
    return of_shares(shares(samples), shares(reference))


def of_shares(samples: Mapping[str, float], reference: Mapping[str, float]) -> dict[str, Any]:
    """Compares shares of kinds; likewise."""
    return {
        "jensen_shannon": jensen_shannon(samples, reference),
        "samples": dict(samples),
        "reference": dict(reference),
    }


def of_numbers(samples: Real[np.ndarray, " s"], reference: Real[np.ndarray, " r"]) -> dict[str, Any]:
    """Compares two samples of a number, such as a density; what is not finite is left out.

    Returns:
        `wasserstein`, their distance in the unit of the number, and mean and quantiles of `samples` and `reference`.
    """
    return {
        "wasserstein": wasserstein(samples, reference),
        "samples": summary(samples),
        "reference": summary(reference),
    }


def histograms(
    samples: Real[np.ndarray, " s"], reference: Real[np.ndarray, " r"], *, width: float, bins: int
) -> dict[str, Any]:
    """Counts values in bins that are the same for everyone, so that histograms of several models can be laid together.

    Returns:
        `width` of a bin, and the counts of `samples` and `reference` from 0 upward; the last is all that is beyond.
    """
    return {
        "width": width,
        "samples": histogram(samples, width=width, bins=bins),
        "reference": histogram(reference, width=width, bins=bins),
    }


def histogram(values: Real[np.ndarray, " k"], *, width: float, bins: int) -> Int[np.ndarray, " b"]:
    """Counts what is finite in bins from 0, each with its lower edge; the last is all that is beyond."""
    known = values[np.isfinite(values)]
    places = np.floor(known / width).clip(0, bins).astype(np.int64)
    return np.bincount(places, minlength=bins + 1)


def by_size(sizes: Int[np.ndarray, " k"], **flags: Bool[np.ndarray, " k"]) -> dict[str, Any]:
    """Counts crystals by their number of atoms, and among them those of which something is so.

    Returns:
        `num_atoms`, the sizes that occur; `crystals` of each; and the count of each flag.
    """
    found, place = np.unique(sizes, return_inverse=True)
    counts = {name: np.bincount(place[flag], minlength=len(found)) for name, flag in flags.items()}
    return {"num_atoms": found, "crystals": np.bincount(place, minlength=len(found)), **counts}


def symmetry(samples: Int[np.ndarray, " s"], reference: Int[np.ndarray, " r"]) -> dict[str, Any]:
    """Compares space groups.

    Args:
        samples: numbers of space groups, 0 where there is none.
        reference: likewise.

    Returns:
        `space_group` and `crystal_system` (those without a group count as a kind of their own), and `p1`: for samples
        and reference the share of those in P1, and `no_space_group` likewise.
    """
    sides = {"samples": samples, "reference": reference}
    names = np.array(SYSTEMS, dtype=object)
    return {
        "space_group": of_classes(samples, reference),
        "crystal_system": of_classes(names[crystal_systems(samples)], names[crystal_systems(reference)]),
        "p1": {side: share(groups == P1) for side, groups in sides.items()},
        "no_space_group": {side: share(groups == NONE) for side, groups in sides.items()},
    }


def element_shares(crystals: Crystals) -> dict[str, float]:
    """Share of each element among all atoms, in order of atomic numbers."""
    counts = element_counts(crystals).sum(0)
    return {SYMBOLS[z]: float(counts[z] / counts.sum()) for z in np.flatnonzero(counts)}


def shares(kinds: Shaped[np.ndarray, " k"]) -> dict[str, float]:
    """Share of each kind, in their order."""
    values, counts = np.unique(kinds, return_counts=True)
    return {str(value): float(count / len(kinds)) for value, count in zip(values, counts, strict=True)}


def jensen_shannon(first: Mapping[str, float], second: Mapping[str, float]) -> float:
    """Jensen-Shannon distance: the square root of the divergence to base 2 (Endres and Schindelin 2003).

    It is a metric: 0 for equal shares, 1 for shares that have no kind in common. NaN if one of them is empty.
    """
    from scipy.spatial.distance import jensenshannon

    if not first or not second:
        return float("nan")
    kinds = sorted({*first, *second})
    return float(jensenshannon([first.get(k, 0.0) for k in kinds], [second.get(k, 0.0) for k in kinds], base=2))


def summary(values: Real[np.ndarray, " k"]) -> dict[str, float]:
    """Mean and quantiles of what is finite; nothing if nothing is."""
    known = values[np.isfinite(values)]
    if not len(known):
        return {}
    quantiles = np.quantile(known, list(QUANTILES.values()))
    return {"mean": float(known.mean()), **dict(zip(QUANTILES, quantiles.tolist(), strict=True))}


def share(flags: Bool[np.ndarray, " k"]) -> float:
    """Share of what is so; NaN of nothing."""
    return float(flags.mean()) if len(flags) else float("nan")
