"""Wasserstein-1 distances between a property of the samples and of the reference (Xie et al. 2022).

The published protocol takes 1,000 valid samples drawn at random, and all of the reference.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Int, Real

DRAW = 1000
"""Valid samples that the published numbers are taken over."""


def wasserstein(first: Real[np.ndarray, " a"], second: Real[np.ndarray, " b"]) -> float:
    """Distance of two samples of a number, in its unit: how far its values are to be moved to make one the other.

    Args:
        first: values; what is not finite is left out.
        second: likewise.

    Returns:
        The distance; NaN if one of them has no values.
    """
    from scipy.stats import wasserstein_distance

    first, second = first[np.isfinite(first)], second[np.isfinite(second)]
    return float(wasserstein_distance(first, second)) if len(first) and len(second) else float("nan")


def draw(valid: Bool[np.ndarray, " c"], *, seed: int, count: int = DRAW) -> Int[np.ndarray, " k"]:
    """Draws some of the valid crystals at random, without putting back; all of them if there are not more than `count`.

    Returns:
        Rows in increasing order.
    """
    rows = np.flatnonzero(valid)
    if len(rows) <= count:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, count, replace=False))
