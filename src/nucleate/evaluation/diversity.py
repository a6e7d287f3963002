"""Diversity: the mean distance between the fingerprints of two samples (Xie et al. 2022).

As published it is taken over valid samples, of composition fingerprints that are standardised and of structure
fingerprints that are not.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from nucleate.evaluation.compositions import distinct_rows
from nucleate.evaluation.distances import blocks, exact_distances

NEAR = 1e-3
"""A distance is taken exactly if its square is below this share of |a|² + |b|², with the centre of all points as the
origin. The rounding error of the others is near 1e-12 of each."""


def mean_distance(points: Float[np.ndarray, "k f"]) -> float:
    """Mean distance of all pairs of points, of which those with a NaN are left out; NaN for fewer than two points."""
    known = points[np.isfinite(points).all(1)]
    if len(known) < 2:
        return float("nan")
    distinct, which = distinct_rows(known)
    distinct = distinct - distinct.mean(0)
    times = np.bincount(which).astype(np.float64)
    total = 0.0
    lengths = (distinct**2).sum(1)
    for rows, squares, _ in blocks(distinct, distinct):
        near = squares <= NEAR * (lengths[rows, None] + lengths)
        i, j = np.nonzero(near)
        squares[i, j] = exact_distances(distinct, distinct, i + rows.start, j) ** 2
        total += float(times[rows] @ np.sqrt(squares, out=squares) @ times)
    return total / (len(known) * (len(known) - 1))
