"""The smallest distances in crystals, exactly, in about two microseconds a crystal. A kernel module.

The cell is described by an obtuse superbase, which Selling's algorithm (1874) finds: four vectors that add up to 0,
none of which makes an acute angle with another. `nucleate.geometry.periodic` proves that there the nearest image of an
atom is among the 27 around a rounded displacement; it does the same on tensors, with gradients.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float, Int

from nucleate.evaluation.compiled import compiled

ACUTE = 1e-12
"""Scalar products below this, relative to the squared lengths, count as 0: far above the error of rounding."""

TURNS = 1000
"""Selling's algorithm ends long before, unless rounding keeps it going in a cell that is all but flat."""

# One of each two opposite neighbours of the origin.
_IMAGES = np.array(
    [
        *((1, 0, 0), (0, 1, 0), (0, 0, 1)),
        *((0, 1, 1), (1, 0, 1), (1, 1, 0), (0, 1, -1), (1, 0, -1), (1, -1, 0)),
        *((1, 1, 1), (-1, 1, 1), (1, -1, 1), (1, 1, -1)),
    ],
    dtype=np.float64,
)


@compiled
def closest(
    frac: Float[np.ndarray, "a 3"], lattice: Float[np.ndarray, "c 3 3"], starts: Int[np.ndarray, " c_and_1"]
) -> tuple[Float[np.ndarray, " c"], Float[np.ndarray, " c"]]:
    """Finds how near atoms come to each other, and to their own images.

    Args:
        frac: fractional coordinates of all crystals, one after the other, wrapped or not.
        lattice: row vectors in Å.
        starts: first atom of each crystal, and the number of atoms at the end.

    Returns:
        Distances in Å: the smallest between two different atoms or their images, infinity for fewer than two atoms, NaN
        where a coordinate is not finite; and that of an atom to its nearest own image. Both are NaN for a cell that is
        flat or not finite.
    """
    between = np.full(len(lattice), np.nan)
    own = np.full(len(lattice), np.nan)
    basis, change = np.empty((4, 3)), np.empty((4, 3))
    shifts = np.empty((len(_IMAGES), 3))
    for row in range(len(lattice)):
        if not _superbase(lattice[row], basis, change):
            continue
        shortest = np.inf
        for k in range(len(_IMAGES)):
            for axis in range(3):
                shifts[k, axis] = 0.0
                for i in range(3):
                    shifts[k, axis] += _IMAGES[k, i] * basis[i, axis]
            shortest = min(shortest, shifts[k, 0] ** 2 + shifts[k, 1] ** 2 + shifts[k, 2] ** 2)
        own[row] = math.sqrt(shortest)
        places = _changed(frac[starts[row] : starts[row + 1]], change)
        between[row] = _smallest(places, basis, shifts)
    return between, own


@compiled
def _superbase(
    lattice: Float[np.ndarray, "3 3"], basis: Float[np.ndarray, "4 3"], change: Float[np.ndarray, "4 3"]
) -> bool:
    """Finds an obtuse superbase and the integers that make it of the cell; returns whether the cell is one."""
    a, b, c = lattice[0], lattice[1], lattice[2]
    volume = (
        a[0] * (b[1] * c[2] - b[2] * c[1]) + a[1] * (b[2] * c[0] - b[0] * c[2]) + a[2] * (b[0] * c[1] - b[1] * c[0])
    )
    if volume == 0.0 or not math.isfinite(volume):
        return False
    for axis in range(3):
        for i in range(3):
            basis[i, axis] = lattice[i, axis]
            change[i, axis] = 1.0 if i == axis else 0.0
        basis[3, axis] = -a[axis] - b[axis] - c[axis]
        change[3, axis] = -1.0
    for _ in range(TURNS):
        i, j = _acute(basis)
        if i == j:
            return True
        for axis in range(3):
            step, whole = basis[i, axis], change[i, axis]
            for k in range(4):
                if k not in (i, j):
                    basis[k, axis] += step
                    change[k, axis] += whole
            basis[i, axis] = -step
            change[i, axis] = -whole
    return False


@compiled
def _acute(basis: Float[np.ndarray, "4 3"]) -> tuple[int, int]:
    """Two of the four vectors that make an acute angle; twice the same if there are none."""
    scale = ACUTE * (basis * basis).sum()
    for i in range(3):
        for j in range(i + 1, 4):
            if basis[i, 0] * basis[j, 0] + basis[i, 1] * basis[j, 1] + basis[i, 2] * basis[j, 2] > scale:
                return i, j
    return 0, 0


@compiled
def _changed(frac: Float[np.ndarray, "n 3"], change: Float[np.ndarray, "4 3"]) -> Float[np.ndarray, "n 3"]:
    """Fractional coordinates in the basis that the first three rows of `change`, integers of determinant ±1, make."""
    inverse = np.empty((3, 3))
    for i in range(3):
        for j in range(3):
            p, q, r, s = (j + 1) % 3, (j + 2) % 3, (i + 1) % 3, (i + 2) % 3
            inverse[i, j] = change[p, r] * change[q, s] - change[p, s] * change[q, r]
    sign = change[0, 0] * inverse[0, 0] + change[0, 1] * inverse[1, 0] + change[0, 2] * inverse[2, 0]
    places = np.zeros((len(frac), 3))
    for atom in range(len(frac)):
        for i in range(3):
            for j in range(3):
                places[atom, j] += sign * frac[atom, i] * inverse[i, j]
    return places


@compiled
def _smallest(
    places: Float[np.ndarray, "n 3"], basis: Float[np.ndarray, "4 3"], shifts: Float[np.ndarray, "m 3"]
) -> float:
    """Smallest distance of different atoms, given in a superbase, over the 27 images of each pair."""
    smallest = np.inf
    for i in range(len(places)):
        for j in range(i):
            u, v, w = places[i, 0] - places[j, 0], places[i, 1] - places[j, 1], places[i, 2] - places[j, 2]
            u, v, w = u - np.rint(u), v - np.rint(v), w - np.rint(w)
            x = u * basis[0, 0] + v * basis[1, 0] + w * basis[2, 0]
            y = u * basis[0, 1] + v * basis[1, 1] + w * basis[2, 1]
            z = u * basis[0, 2] + v * basis[1, 2] + w * basis[2, 2]
            square = x * x + y * y + z * z
            if not math.isfinite(square):
                return np.nan
            for k in range(len(shifts)):
                # |δ ± n|², of which the smaller.
                a, b, c = shifts[k, 0], shifts[k, 1], shifts[k, 2]
                moved = x * x + y * y + z * z + a * a + b * b + c * c - 2 * abs(x * a + y * b + z * c)
                square = min(square, moved)
            smallest = min(smallest, square)
    return math.sqrt(max(smallest, 0.0))
