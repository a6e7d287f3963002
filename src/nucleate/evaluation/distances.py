"""Euclidean distances between many points, by matrix products that only choose which pairs to look at exactly.

A product gives |a - b|² = |a|² - 2 a·b + |b|² quickly, with a rounding error that is small beside |a|² + |b|², but not
beside |a - b|² of two points that nearly coincide. So wherever that error could matter, the difference itself is taken.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float, Int

from nucleate.evaluation.compositions import distinct_rows

PAIRS = 1 << 21
"""Pairs that are worked on together, which keeps the working memory near 60 MB."""


def nearest(queries: Float[np.ndarray, "q f"], targets: Float[np.ndarray, "t f"]) -> Float[np.ndarray, " q"]:
    """Distance from each query to the target that is nearest to it.

    Args:
        queries: points, (Q, F).
        targets: points, (T, F).

    Returns:
        Distances, (Q,), exact to rounding; infinity if there are no targets. A point with a NaN has no distance (NaN),
        and is nobody's nearest.
    """
    return nearest_both(queries, targets)[0]


def nearest_both(
    first: Float[np.ndarray, "a f"], second: Float[np.ndarray, "b f"]
) -> tuple[Float[np.ndarray, " a"], Float[np.ndarray, " b"]]:
    """Distance from each point of two sets to the nearest point of the other, in one go; see `nearest`."""
    there = [np.isfinite(points).all(1) for points in (first, second)]
    found = [np.where(known, np.inf, np.nan) for known in there]
    if there[0].any() and there[1].any():
        ours, which_ours = distinct_rows(first[there[0]])
        theirs, which_theirs = distinct_rows(second[there[1]])
        from_ours, from_theirs = _nearest_both(ours, theirs)
        found[0][there[0]], found[1][there[1]] = from_ours[which_ours], from_theirs[which_theirs]
    return found[0], found[1]


def _nearest_both(
    first: Float[np.ndarray, "a f"], second: Float[np.ndarray, "b f"]
) -> tuple[Float[np.ndarray, " a"], Float[np.ndarray, " b"]]:
    best_first, best_second = np.full(len(first), np.inf), np.full(len(second), np.inf)
    seen = np.full(len(second), np.inf)  # smallest squares so far, rounding errors included
    for rows, squares, error in blocks(first, second):
        least = squares.min(1, keepdims=True)
        np.minimum(seen, squares.min(0), out=seen)
        i, j = np.nonzero((squares <= least + 2 * error) | (squares <= seen + 2 * error))
        i += rows.start
        exact = exact_distances(first, second, i, j)
        np.minimum.at(best_first, i, exact)
        np.minimum.at(best_second, j, exact)
    return best_first, best_second


def within(
    first: Float[np.ndarray, "a f"], second: Float[np.ndarray, "b f"], cutoff: float
) -> Iterator[tuple[slice, Bool[np.ndarray, "r b"]]]:
    """Yields for block after block of the first points which of the second are no farther away than a cutoff.

    Blocks are the same for sets of the same lengths, whatever the number of features.
    """
    for rows, squares, error in blocks(first, second):
        squares -= cutoff**2
        near = squares <= 0
        i, j = np.nonzero(np.abs(squares, out=squares) <= error)
        near[i, j] = exact_distances(first, second, i + rows.start, j) <= cutoff
        yield rows, near


def blocks(
    first: Float[np.ndarray, "a f"], second: Float[np.ndarray, "b f"]
) -> Iterator[tuple[slice, Float[np.ndarray, "r b"], Float[np.ndarray, "r 1"]]]:
    """Squared distances of some of the first points to all of the second, and a bound of their rounding errors.

    The squares are overwritten by the next block.

    One product does all: (a, |a|², 1) · (-2 b, 1, |b|²) = |a - b|². Its terms are at most 2 (|a|² + |b|²) together, and
    a sum of n terms is off by less than n times the rounding unit times the sum of their absolute values.
    """
    centre = second.mean(0)
    first, second = first - centre, second - centre
    squares, other = (first**2).sum(1, keepdims=True), (second**2).sum(1, keepdims=True)
    left = np.concatenate([first, squares, np.ones_like(squares)], 1)
    right = np.concatenate([-2 * second, np.ones_like(other), other], 1)
    error = 4 * left.shape[1] * np.finfo(np.float64).eps * (squares + other.max())
    step = max(1, PAIRS // len(second))
    room = np.empty(
        (min(step, len(first)), len(second))
    )  # fresh memory for each block would take as long as the product
    for start in range(0, len(first), step):
        rows = slice(start, min(start + step, len(first)))
        yield rows, np.matmul(left[rows], right.T, out=room[: rows.stop - start]), error[rows]


def exact_distances(
    first: Float[np.ndarray, "a f"],
    second: Float[np.ndarray, "b f"],
    i: Int[np.ndarray, " p"],
    j: Int[np.ndarray, " p"],
) -> Float[np.ndarray, " p"]:
    """Distances of the pairs (i, j)."""
    step = max(1, PAIRS // first.shape[1])
    parts = [np.zeros(0)]
    for start in range(0, len(i), step):
        block = slice(start, start + step)
        delta = first[i[block]] - second[j[block]]
        parts.append(np.sqrt(np.einsum("pf,pf->p", delta, delta)))
    return np.concatenate(parts)
