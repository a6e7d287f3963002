"""What is drawn of a crystal: the atoms of one cell with their images on its boundary, bonds, and the cell's edges."""

from __future__ import annotations

from itertools import combinations_with_replacement, product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nucleate.crystals import Crystals
from nucleate.drawing.colours import covalent_radius
from nucleate.elements import MAX_NUMBER, PAULING
from nucleate.geometry import lattice as lattices

BOUNDARY = 0.02
"""An atom this close to a face of the cell, as a fraction of the cell, is drawn on the opposite face as well."""

_BOND_STRETCH = 1.2
_CATION_GAP = 0.7
_SHORTEST_BOND = 0.4  # Å; atoms that coincide are one ball, not a bond
_FLAT = 1e-6  # a cell with less volume than this share of a box with its lengths has no picture
_CORNERS = np.array(list(product((0, 1), repeat=3)))
_EDGES = [(i, j) for i in range(8) for j in range(i, 8) if np.abs(_CORNERS[i] - _CORNERS[j]).sum() == 1]


class Scene(NamedTuple):
    """One crystal in Å, turned so that c points up, a to the right, and the viewer looks along the third direction.

    Attributes:
        numbers: atomic number of each ball, shape (n,).
        positions: centre of each ball, shape (n, 3).
        bonds: pairs of balls, shape (k, 2).
        edges: both ends of the twelve edges of the cell, shape (12, 2, 3).
    """

    numbers: NDArray[np.int64]
    positions: NDArray[np.float64]
    bonds: NDArray[np.int64]
    edges: NDArray[np.float64]


def why_not_drawn(crystal: Crystals) -> str:
    """Says why a crystal has no picture: its own failure, or a cell that cannot be drawn; empty if it can."""
    if reason := str(crystal.failures[0] or ""):
        return reason.replace("_", " ")
    if not int(crystal.counts[0]):
        return "no atoms"
    lattice = crystal.lattice.double()
    if not bool(lattice.isfinite().all()) or not bool(crystal.frac.isfinite().all()):
        return "not finite"
    if not bool(lattices.volume(lattice) > _FLAT * lattice.norm(dim=-1).prod(-1)):
        return "zero volume"
    return ""


def build_scene(crystal: Crystals) -> Scene:
    """Places the balls, bonds and edges of one crystal that `why_not_drawn` has nothing against."""
    lattice = upright(crystal.lattice[0].double().cpu().numpy())
    numbers, frac = _with_boundary_images(
        crystal.numbers.cpu().numpy().astype(np.int64), crystal.frac.double().cpu().numpy()
    )
    centre = np.full(3, 0.5)
    positions = (frac - centre) @ lattice
    corners = (_CORNERS - centre) @ lattice
    return Scene(numbers, positions, _bonds(numbers, positions), corners[np.array(_EDGES)])


def upright(lattice: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turns the lattice so that c is along z and a in the xz plane; a rotation, so that handedness is kept."""
    up = lattice[2] / np.linalg.norm(lattice[2])
    right = lattice[0] - (lattice[0] @ up) * up
    right /= np.linalg.norm(right)
    return lattice @ np.stack([right, np.cross(up, right), up]).T


def bond_limits(numbers: NDArray[np.int64]) -> dict[tuple[int, int], float]:
    """Longest bond that is drawn between each pair of the elements present, in Å; Z ascends within a pair.

    Atoms are bonded up to 1.2 times the sum of their covalent radii. Two cations are not, however close: in an oxide
    the eye looks for M-O, not for M-M. A cation is more than 0.7 less electronegative than the most electronegative
    element of the crystal, so that metals and alloys keep all their bonds.
    """
    elements = sorted({int(z) for z in numbers})
    highest = max((_electronegativity(z) for z in elements), default=0.0)
    cations = {z for z in elements if _electronegativity(z) < highest - _CATION_GAP}
    return {
        (i, j): _BOND_STRETCH * (covalent_radius(i) + covalent_radius(j))
        for i, j in combinations_with_replacement(elements, 2)
        if not {i, j} <= cations
    }


def _electronegativity(z: int) -> float:
    return PAULING[z] if z <= MAX_NUMBER else 0.0


def _with_boundary_images(
    numbers: NDArray[np.int64], frac: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    shifts = np.array(list(product((-1, 0, 1), repeat=3)))
    images = frac[:, None] + shifts
    shown = ((images > -BOUNDARY) & (images < 1 + BOUNDARY)).all(-1)
    return np.repeat(numbers, shown.sum(1)), images[shown]


def _bonds(numbers: NDArray[np.int64], positions: NDArray[np.float64]) -> NDArray[np.int64]:
    first, second = np.triu_indices(len(numbers), k=1)
    lengths = np.linalg.norm(positions[first] - positions[second], axis=1)
    limits = bond_limits(numbers)
    table = np.zeros((256, 256))
    for (i, j), limit in limits.items():
        table[i, j] = table[j, i] = limit
    bonded = (lengths > _SHORTEST_BOND) & (lengths < table[numbers[first], numbers[second]])
    return np.stack([first[bonded], second[bonded]], axis=1)
