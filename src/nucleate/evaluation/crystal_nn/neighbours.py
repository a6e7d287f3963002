"""Images of atoms around a site, nearest first. A kernel module."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from nucleate.evaluation.compiled import compiled

SAME_PLACE = 1e-10
"""In Å. No plane divides a site from an atom that is nearer than this, so that it is no neighbour."""

SQUARE_TOLERANCE = 1e-8
"""In Å². A neighbour may be farther away than the radius by this, as in pymatgen's search."""


@compiled
def count_within(
    frac: Float[np.ndarray, "n 3"],
    lattice: Float[np.ndarray, "3 3"],
    shifts: Float[np.ndarray, "m 3"],
    sites: Int[np.ndarray, " s"],
    radius: float,
) -> Int[np.ndarray, " s+1"]:
    """Counts the images of atoms around each site.

    Args:
        frac: fractional coordinates of all atoms.
        lattice: row vectors in Å.
        shifts: the lattice vectors, in Å, of the images to look at.
        sites: atoms in the centre.
        radius: in Å.

    Returns:
        Where the neighbours of each site start in a list of all, and where the last of them end.
    """
    starts = np.zeros(len(sites) + 1, np.int64)
    for s in range(len(sites)):
        found = 0
        for atom in range(len(frac)):
            x, y, z = _shortest(frac[sites[s]], frac[atom], lattice)
            for m in range(len(shifts)):
                square = (x + shifts[m, 0]) ** 2 + (y + shifts[m, 1]) ** 2 + (z + shifts[m, 2]) ** 2
                found += SAME_PLACE**2 < square < radius**2 + SQUARE_TOLERANCE
        starts[s + 1] = starts[s] + found
    return starts


@compiled
def list_within(
    frac: Float[np.ndarray, "n 3"],
    lattice: Float[np.ndarray, "3 3"],
    shifts: Float[np.ndarray, "m 3"],
    sites: Int[np.ndarray, " s"],
    radius: float,
    starts: Int[np.ndarray, " s+1"],
) -> tuple[Int[np.ndarray, " p"], Float[np.ndarray, "p 3"], Float[np.ndarray, " p"]]:
    """Lists the images of atoms around each site, nearest first.

    Args:
        frac: as for `count_within`, like those that follow.
        lattice: row vectors in Å.
        shifts: lattice vectors in Å.
        sites: atoms in the centre.
        radius: in Å.
        starts: as returned by `count_within`.

    Returns:
        For each neighbour the atom that it is an image of, its position seen from the site, and its distance, in Å.
    """
    atoms = np.empty(starts[-1], np.int64)
    vectors = np.empty((starts[-1], 3))
    distances = np.empty(starts[-1])
    for s in range(len(sites)):
        size = starts[s + 1] - starts[s]
        owners, places, squares = np.empty(size, np.int64), np.empty((size, 3)), np.empty(size)
        found = 0
        for atom in range(len(frac)):
            x, y, z = _shortest(frac[sites[s]], frac[atom], lattice)
            for m in range(len(shifts)):
                place = x + shifts[m, 0], y + shifts[m, 1], z + shifts[m, 2]
                square = place[0] ** 2 + place[1] ** 2 + place[2] ** 2
                if SAME_PLACE**2 < square < radius**2 + SQUARE_TOLERANCE:
                    places[found, 0], places[found, 1], places[found, 2] = place
                    owners[found], squares[found] = atom, square
                    found += 1
        order = np.argsort(squares)
        for rank in range(size):
            p = starts[s] + rank
            atoms[p] = owners[order[rank]]
            vectors[p] = places[order[rank]]
            distances[p] = np.sqrt(squares[order[rank]])
    return atoms, vectors, distances


@compiled
def _shortest(
    origin: Float[np.ndarray, "3"], target: Float[np.ndarray, "3"], lattice: Float[np.ndarray, "3 3"]
) -> tuple[float, float, float]:
    """From one atom to that image of another whose fractional coordinates are nearest, in Å."""
    a, b, c = target[0] - origin[0], target[1] - origin[1], target[2] - origin[2]
    a, b, c = a - np.rint(a), b - np.rint(b), c - np.rint(c)
    return (
        a * lattice[0, 0] + b * lattice[1, 0] + c * lattice[2, 0],
        a * lattice[0, 1] + b * lattice[1, 1] + c * lattice[2, 1],
        a * lattice[0, 2] + b * lattice[1, 2] + c * lattice[2, 2],
    )
