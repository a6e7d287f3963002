"""Which of many lattices have any basis near one of a given lattice: the first step of the matcher, compiled.

Where all crystals have the same composition, as in Carbon-24, each is compared with thousands of others, nearly all of
which differ already in their lattices. A kernel module.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from nucleate.evaluation.cells import FlatCellError, lattice_points
from nucleate.evaluation.compiled import compiled

MARGIN = 1e-9
"""Tolerances are wider by this, relatively for lengths and in cosines, so that rounding never excludes a basis."""

MAX_RADIUS = 15.0
"""Lattice points are looked for up to this many V^(1/3), within which there are 14,000. A longer cell is let pass."""


def bases_near(
    lattice: Float[np.ndarray, "3 3"],
    lengths: Float[np.ndarray, "k 3"],
    angles: Float[np.ndarray, "k 3"],
    length_tolerance: float,
    angle_tolerance: float,
) -> Bool[np.ndarray, " k"]:
    """Says for each of K cells whether the lattice has a basis near it, by the tolerances of the matcher.

    Args:
        lattice: row vectors, scaled to a volume of 1.
        lengths: of cells that are scaled likewise.
        angles: α, β, γ of these cells in degrees.
        length_tolerance: lengths may differ by a factor of up to 1 + this.
        angle_tolerance: in degrees.

    Returns:
        False only where there is no basis.
    """
    found = np.ones(len(lengths), dtype=bool)
    factor = (1 + length_tolerance) * (1 + MARGIN)
    short = np.flatnonzero(lengths.max(axis=1) * factor <= MAX_RADIUS)
    if not len(short):
        return found
    lengths, angles = lengths[short], angles[short]
    try:
        whole, vectors, distances = lattice_points(lattice, float(lengths.max()) * factor)
    except FlatCellError:
        return found
    order = np.argsort(distances)[1:]  # without the origin
    whole, vectors, distances = whole[order], vectors[order] / distances[order, None], distances[order]
    ranges = np.stack(
        [np.searchsorted(distances, lengths / factor), np.searchsorted(distances, lengths * factor, side="right")]
    )
    # Cosines fall as angles grow; beyond 0° and 180° there is no bound.
    wide, narrow = angles + angle_tolerance, angles - angle_tolerance
    low = np.where(wide < 180, np.cos(np.radians(wide)), -2) - MARGIN
    high = np.where(narrow > 0, np.cos(np.radians(narrow)), 2) + MARGIN
    found[short] = _any_bases(whole, vectors, ranges, low, high)
    return found


@compiled
def _any_bases(
    whole: Int[np.ndarray, "p 3"],
    vectors: Float[np.ndarray, "p 3"],
    ranges: Int[np.ndarray, "2 k 3"],
    low: Float[np.ndarray, "k 3"],
    high: Float[np.ndarray, "k 3"],
) -> Bool[np.ndarray, " k"]:
    """Whether any three points make a basis, for each of K ranges that they may come from and bounds of cosines.

    Args:
        whole: integer coordinates.
        vectors: unit vectors.
        ranges: first point, and first point behind, for a, b and c.
        low: smallest cosines of α, β and γ.
        high: largest cosines.
    """
    found = np.zeros(len(low), dtype=np.bool_)
    for row in range(len(low)):
        for a in range(ranges[0, row, 0], ranges[1, row, 0]):
            if found[row]:
                break
            # Of a basis and its opposite, one is enough.
            if whole[a, 0] < 0 or (whole[a, 0] == 0 and (whole[a, 1] < 0 or (whole[a, 1] == 0 and whole[a, 2] < 0))):
                continue
            for b in range(ranges[0, row, 1], ranges[1, row, 1]):
                if found[row]:
                    break
                if not low[row, 2] <= _product(vectors, a, b) <= high[row, 2]:
                    continue
                x = whole[a, 1] * whole[b, 2] - whole[a, 2] * whole[b, 1]
                y = whole[a, 2] * whole[b, 0] - whole[a, 0] * whole[b, 2]
                z = whole[a, 0] * whole[b, 1] - whole[a, 1] * whole[b, 0]
                for c in range(ranges[0, row, 2], ranges[1, row, 2]):
                    if (
                        abs(x * whole[c, 0] + y * whole[c, 1] + z * whole[c, 2]) == 1
                        and low[row, 1] <= _product(vectors, a, c) <= high[row, 1]
                        and low[row, 0] <= _product(vectors, b, c) <= high[row, 0]
                    ):
                        found[row] = True
                        break
    return found


@compiled
def _product(vectors: Float[np.ndarray, "p 3"], i: int, j: int) -> float:
    return vectors[i, 0] * vectors[j, 0] + vectors[i, 1] * vectors[j, 1] + vectors[i, 2] * vectors[j, 2]
