"""The nearest point of a set for each of many others, exactly."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from nucleate.evaluation.distances import blocks, exact_distances


class Nearest(NamedTuple):
    """One entry a query.

    Attributes:
        row: of the nearest target, the first of several equally near; -1 if there is none.
        distance: to it, Euclidean; NaN if there is none.
    """

    row: Int[np.ndarray, " q"]
    distance: Float[np.ndarray, " q"]


def nearest(
    queries: Float[np.ndarray, "q f"],
    targets: Float[np.ndarray, "t f"],
    itself: Int[np.ndarray, " q"] | None = None,
) -> Nearest:
    """Finds the nearest targets.

    Args:
        queries: points, all finite.
        targets: likewise.
        itself: row of the target that a query is and must not be matched with; -1 if it is none of them.
    """
    queries, targets = queries.astype(np.float64), targets.astype(np.float64)
    itself = np.full(len(queries), -1) if itself is None else itself
    row, distance = np.full(len(queries), -1), np.full(len(queries), np.nan)
    if not len(targets):
        return Nearest(row, distance)
    for block, squares, error in blocks(queries, targets):
        own = np.flatnonzero(itself[block] >= 0)
        squares[own, itself[block][own]] = np.inf
        # A product only says which targets may be nearest; the differences themselves decide among these.
        least = squares.min(1, keepdims=True)
        i, j = np.nonzero((squares <= least + 2 * error) & np.isfinite(squares))
        exact = exact_distances(queries[block], targets, i, j)
        order = np.lexsort((j, exact, i))
        first = order[np.unique(i[order], return_index=True)[1]]
        row[block.start + i[first]], distance[block.start + i[first]] = j[first], exact[first]
    return Nearest(row, distance)
