"""Which of many crystals could be placed on a given one at all: the first steps of the matcher, compiled.

Where all crystals have the same composition, as in Carbon-24, each is compared with thousands of others. Nearly all of
them differ in their lattices, and most of the rest in some atom that has no partner within reach: that is found here in
microseconds a pair, and only what passes is compared in full.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from nucleate.evaluation.cells import Cell, FlatCellError, lattice_points, lengths_and_angles
from nucleate.evaluation.compiled import compiled
from nucleate.evaluation.matching import Tolerances

MARGIN = 1e-9
"""Tolerances are wider by this, relatively for lengths, and in cosines and fractional coordinates, so that rounding
never excludes anything."""

MAX_RADIUS = 15.0
"""Lattice points are looked for up to this many V^(1/3), within which there are 14,000. A longer cell is let pass."""


class Members(NamedTuple):
    """K reduced cells of one composition and N sites, scaled to a volume of 1.

    Attributes:
        lengths: of the lattice vectors, (K, 3).
        angles: in degrees, (K, 3).
        frac: fractional coordinates, (K, N, 3).
        numbers: atomic numbers, (K, N).
        anchors: first site of the rarest element, (K,).
    """

    lengths: Float[np.ndarray, "k 3"]
    angles: Float[np.ndarray, "k 3"]
    frac: Float[np.ndarray, "k n 3"]
    numbers: Int[np.ndarray, "k n"]
    anchors: Int[np.ndarray, " k"]

    @classmethod
    def of(cls, cells: Sequence[Cell]) -> Members:
        """Prepares cells, of which there is at least one."""
        lattices = np.stack([cell.lattice for cell in cells])
        lattices /= np.cbrt(np.abs(np.linalg.det(lattices)))[:, None, None]
        numbers = np.stack([cell.numbers for cell in cells]).astype(np.int64)
        anchors = (numbers[:, :, None] == numbers[:, None]).sum(2).argmin(1)
        return cls(*lengths_and_angles(lattices), np.stack([cell.frac for cell in cells]), numbers, anchors)

    def take(self, rows: Int[np.ndarray, " j"]) -> Members:
        """Some of them."""
        return Members(*(column[rows] for column in self))


def placeable(cell: Cell, members: Members, tolerances: Tolerances) -> Bool[np.ndarray, " k"]:
    """Says which members a cell could be alike, by the tolerances of the matcher.

    Args:
        cell: a reduced cell of the same composition and number of sites, scaled to a volume of 1.
        members: others.
        tolerances: those of the comparison.

    Returns:
        False only where the cell's lattice has no basis near the member's, or where with each of them, and each
        translation that puts an atom of the rarest element on the member's first, some atom has no partner in reach.
    """
    found = np.ones(len(members.lengths), dtype=bool)
    factor = (1 + tolerances.length) * (1 + MARGIN)
    short = np.flatnonzero(members.lengths.max(axis=1) * factor <= MAX_RADIUS)
    if not len(short):
        return found
    looked_at = members.take(short)
    try:
        whole, vectors, distances = lattice_points(cell.lattice, float(looked_at.lengths.max()) * factor)
    except FlatCellError:
        return found
    order = np.argsort(distances)[1:]  # without the origin
    whole, distances = whole[order], distances[order]
    longest, shortest = looked_at.lengths * factor, looked_at.lengths / factor
    ranges = np.stack([np.searchsorted(distances, shortest), np.searchsorted(distances, longest, side="right")])
    # Cosines fall as angles grow; beyond 0° and 180° there is no bound.
    wide, narrow = looked_at.angles + tolerances.angle, looked_at.angles - tolerances.angle
    cosines = np.stack(
        [
            np.where(wide < 180, np.cos(np.radians(wide)), -2) - MARGIN,
            np.where(narrow > 0, np.cos(np.radians(narrow)), 2) + MARGIN,
        ]
    )
    points = whole, vectors[order] / distances[:, None], distances
    own = cell.frac, cell.numbers.astype(np.int64)
    found[short] = _placeable(*points, ranges, cosines, *own, *looked_at, tolerances.site)
    return found


@compiled
def _placeable(
    whole: Int[np.ndarray, "p 3"],
    vectors: Float[np.ndarray, "p 3"],
    distances: Float[np.ndarray, " p"],
    ranges: Int[np.ndarray, "2 k 3"],
    cosines: Float[np.ndarray, "2 k 3"],
    own_frac: Float[np.ndarray, "n 3"],
    own_numbers: Int[np.ndarray, " n"],
    lengths: Float[np.ndarray, "k 3"],
    angles: Float[np.ndarray, "k 3"],
    frac: Float[np.ndarray, "k n 3"],
    numbers: Int[np.ndarray, "k n"],
    anchors: Int[np.ndarray, " k"],
    site: float,
) -> Bool[np.ndarray, " k"]:
    """Goes through the bases that are near each member's, until one of them can hold all atoms.

    Args:
        whole: integer coordinates of the lattice points, the nearest first.
        vectors: unit vectors to them.
        distances: of them.
        ranges: first of the points that a, b and c may be, and first behind these, for each member.
        cosines: smallest and largest cosines of α, β and γ.
        own_frac: fractional coordinates of the cell.
        own_numbers: its atomic numbers.
        lengths: and the rest: see `Members`.
        site: tolerance of the sites.
    """
    found = np.zeros(len(lengths), dtype=np.bool_)
    free = 2 * site / len(own_frac) ** (1 / 3)
    basis, reach = np.empty(3, dtype=np.int64), np.empty(3)
    moved = np.empty_like(own_frac)
    for row in range(len(lengths)):
        low, high = cosines[0, row], cosines[1, row]
        for a in range(ranges[0, row, 0], ranges[1, row, 0]):
            for b in range(ranges[0, row, 1], ranges[1, row, 1]):
                if found[row] or not low[2] <= _product(vectors, a, b) <= high[2]:
                    continue
                for c in range(ranges[0, row, 2], ranges[1, row, 2]):
                    basis[0], basis[1], basis[2] = a, b, c
                    if not _is_basis(whole, basis):
                        continue
                    alpha, beta = _product(vectors, b, c), _product(vectors, a, c)
                    if not (low[0] <= alpha <= high[0] and low[1] <= beta <= high[1]):
                        continue
                    _reach(vectors, distances, basis, lengths[row], angles[row], free, reach)
                    _move(own_frac, whole, basis, moved)
                    if _any_translation(moved, own_numbers, frac[row], numbers[row], anchors[row], reach):
                        found[row] = True
                        break
    return found


@compiled
def _product(vectors: Float[np.ndarray, "p 3"], i: int, j: int) -> float:
    return vectors[i, 0] * vectors[j, 0] + vectors[i, 1] * vectors[j, 1] + vectors[i, 2] * vectors[j, 2]


@compiled
def _cross(whole: Int[np.ndarray, "p 3"], i: int, j: int, axis: int) -> int:
    """One component of the cross product of two points."""
    second, third = (axis + 1) % 3, (axis + 2) % 3
    return whole[i, second] * whole[j, third] - whole[i, third] * whole[j, second]


@compiled
def _determinant(whole: Int[np.ndarray, "p 3"], basis: Int[np.ndarray, "3"]) -> int:
    total = 0
    for axis in range(3):
        total += whole[basis[0], axis] * _cross(whole, basis[1], basis[2], axis)
    return total


@compiled
def _is_basis(whole: Int[np.ndarray, "p 3"], basis: Int[np.ndarray, "3"]) -> bool:
    return abs(_determinant(whole, basis)) == 1


@compiled
def _reach(
    vectors: Float[np.ndarray, "p 3"],
    distances: Float[np.ndarray, " p"],
    basis: Int[np.ndarray, "3"],
    lengths: Float[np.ndarray, "3"],
    angles: Float[np.ndarray, "3"],
    free: float,
    reach: Float[np.ndarray, "3"],
) -> None:
    """Writes how far partners may be apart along each axis, in the cell whose parameters are the averages.

    With V = a b c s, the planes along a are V / (b c sin α) = a s / sin α apart.

    Args:
        vectors: unit vectors to the lattice points.
        distances: of them.
        basis: which of them are a, b and c of the one cell.
        lengths: of the other cell.
        angles: likewise.
        free: twice the site tolerance, in units of V^(1/3).
        reach: to be written to.
    """
    cosines, sines = np.empty(3), np.empty(3)
    for axis in range(3):
        own = _product(vectors, basis[(axis + 1) % 3], basis[(axis + 2) % 3])
        average = (math.acos(min(1.0, max(-1.0, own))) + math.radians(angles[axis])) / 2
        cosines[axis], sines[axis] = math.cos(average), math.sin(average)
    square = 1 - (cosines**2).sum() + 2 * cosines[0] * cosines[1] * cosines[2]
    if square <= 0:
        reach[:] = np.inf  # no cell has such angles; what the matcher makes of them is not excluded
        return
    s = math.sqrt(square)
    edges = np.empty(3)
    for axis in range(3):
        edges[axis] = (distances[basis[axis]] + lengths[axis]) / 2
    free *= (edges[0] * edges[1] * edges[2] * s) ** (1 / 3)
    for axis in range(3):
        reach[axis] = free * sines[axis] / (edges[axis] * s) * (1 + MARGIN) + MARGIN


@compiled
def _move(
    frac: Float[np.ndarray, "n 3"],
    whole: Int[np.ndarray, "p 3"],
    basis: Int[np.ndarray, "3"],
    moved: Float[np.ndarray, "n 3"],
) -> None:
    """Writes the coordinates of the cell's atoms in another basis."""
    sign = _determinant(whole, basis)
    for k in range(3):
        i, j = basis[(k + 1) % 3], basis[(k + 2) % 3]
        x, y, z = _cross(whole, i, j, 0) * sign, _cross(whole, i, j, 1) * sign, _cross(whole, i, j, 2) * sign
        for atom in range(len(frac)):
            moved[atom, k] = frac[atom, 0] * x + frac[atom, 1] * y + frac[atom, 2] * z


@compiled
def _any_translation(
    ours: Float[np.ndarray, "n 3"],
    own_numbers: Int[np.ndarray, " n"],
    theirs: Float[np.ndarray, "n 3"],
    numbers: Int[np.ndarray, " n"],
    anchor: int,
    reach: Float[np.ndarray, "3"],
) -> bool:
    """Whether the anchor can be put on one of our atoms so that all others have one of their element within reach."""
    for start in range(len(ours)):
        if own_numbers[start] != numbers[anchor]:
            continue
        everyone = True
        for atom in range(len(theirs)):
            partner = False
            for other in range(len(ours)):
                if own_numbers[other] == numbers[atom]:
                    partner = True
                    for axis in range(3):
                        delta = theirs[atom, axis] - theirs[anchor, axis] + ours[start, axis] - ours[other, axis]
                        if abs(delta - math.floor(delta + 0.5)) > reach[axis]:
                            partner = False
                            break
                    if partner:
                        break
            if not partner:
                everyone = False
                break
        if everyone:
            return True
    return False
