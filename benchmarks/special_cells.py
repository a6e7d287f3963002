"""Cells in which many Voronoi planes meet in one point or are parallel: layered, long, flat, symmetric and sparse ones.

Each is made from a seed and an index alone, so that any of them can be made again.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np

from nucleate.evaluation.cells import IMAGES, Cell, from_parameters

ELEMENTS = (
    (62,),
    (6,),
    (26,),
    (55,),
    (1,),
    (11, 17),
    (22, 8),
    (42, 16),
    (83, 52),
    (3, 9),
    (5, 7),
    (12, 47),
    (56, 22, 8),
    (37, 30, 35),
)
LEAST_DISTANCE = 1.0
"""In Å, between atoms."""

MOST_ATOMS = 50
"""Atoms of a long cell times c/a; matminer's time goes with the third power of it."""

STACKING = ((0.0, 0.0), (1 / 3, 2 / 3), (2 / 3, 1 / 3))
"""Places A, B and C of close-packed layers."""

GRIDS = tuple(np.arange(steps) / steps for steps in (2, 3, 4, 6))
"""Special coordinates: halves, thirds, quarters and sixths."""

MOTIFS = (
    ((0, 0, 0), (1, 0, 0)),
    ((0, 0, 0), (1, 0, 0), (0, 1, 0)),
    ((0, 0, 0), (1, 1, 0), (1, 0, 1), (0, 1, 1)),
    ((0, 0, 0), (1, 0, 0), (0, 1, 0), (1, 1, 0)),
    ((0, 0, 0), (1, 0, 0), (0, 1, 0), (1, 1, 0), (0.5, 0.5, 1)),
    ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)),
    tuple(product((0, 1), repeat=3)),
)
"""A pair, a triangle, a tetrahedron, a square, a pyramid, an octahedron and a cube."""


def special_cell(index: int, seed: int = 0) -> Cell:
    """One cell of the family `family(index)`, with at least `LEAST_DISTANCE` between atoms."""
    rng = np.random.default_rng([seed, index])
    while True:
        cell = FAMILIES[family(index)](rng)
        if rng.random() < 0.5:  # as in a CIF
            cell = cell._replace(frac=cell.frac.round(8))
        if _least_distance(cell) >= LEAST_DISTANCE:
            return cell


def family(index: int) -> str:
    """The name of the family that a cell belongs to; they take turns."""
    return tuple(FAMILIES)[index % len(FAMILIES)]


def layered(rng: np.random.Generator) -> Cell:
    """Hexagonal, one to four layers of one or two atoms in places A, B and C."""
    ratio = _long(rng)
    layers, width = min(int(rng.integers(1, 5)), int(MOST_ATOMS / ratio)), int(rng.integers(1, 3))
    heights = np.arange(layers) / layers + (rng.choice([0, 0.25, 0.5]) if rng.random() < 0.5 else 0)
    if rng.random() < 0.3:
        heights = rng.choice(12, layers, replace=False) / 12
    frac = [
        (*STACKING[place], height) for height in heights for place in rng.choice(len(STACKING), width, replace=False)
    ]
    a = rng.uniform(2.4, 5.0)
    return _cell(rng, (a, a, a * ratio), (90, 90, 120), frac)


def long(rng: np.random.Generator) -> Cell:
    """Hexagonal, tetragonal, orthorhombic or monoclinic, c up to 25 times a, atoms on special places."""
    a = rng.uniform(2.4, 5.0)
    b = a if rng.random() < 0.7 else rng.uniform(2.4, 5.0)
    angles = [(90, 90, 120), (90, 90, 90), (90, rng.uniform(90, 115), 90)][int(rng.integers(3))]
    ratio = _long(rng)
    frac = _special(rng, min(int(rng.integers(1, 9)), int(MOST_ATOMS / ratio)))
    if rng.random() < 0.3:
        frac[:, 2] = rng.random(len(frac))
    return _cell(rng, (a, a if angles[2] == 120 else b, a * ratio), angles, frac)


def flat(rng: np.random.Generator) -> Cell:
    """Rods far from each other: c is the short axis."""
    c = rng.uniform(1.5, 5.0)
    a = c * rng.uniform(1.5, 7)
    return _cell(rng, (a, a, c), (90, 90, rng.choice([90, 120])), _special(rng, int(rng.integers(1, 7))))


def symmetric(rng: np.random.Generator) -> Cell:
    """Cubic, tetragonal, hexagonal or rhombohedral, of ordinary density."""
    atoms = int(rng.integers(1, 9))
    ratio = 1.0 if rng.random() < 0.4 else rng.choice([0.5, 0.75, (8 / 3) ** 0.5, 2.0, rng.uniform(0.4, 3)])
    alpha = rng.choice([90, 60, rng.uniform(40, 110)])
    lengths, angles = [
        ((1, 1, 1), (90, 90, 90)),
        ((1, 1, ratio), (90, 90, 90)),
        ((1, 1, ratio), (90, 90, 120)),
        ((1, 1, 1), (alpha, alpha, alpha)),
    ][int(rng.integers(4))]
    cell = _cell(rng, lengths, angles, _special(rng, atoms))
    return cell._replace(lattice=cell.lattice * (rng.uniform(8, 40) * atoms / cell.volume) ** (1 / 3))


def sparse(rng: np.random.Generator) -> Cell:
    """A symmetric molecule or cluster in a large box."""
    points = np.array(MOTIFS[int(rng.integers(len(MOTIFS)))], dtype=float)
    box, edge = rng.uniform(6, 22), rng.uniform(1.2, 3.5)
    if rng.random() < 0.3:
        points[:, 2] *= rng.uniform(0.3, 2)
    return _cell(rng, (box, box, box * rng.choice([1, 1.5])), (90, 90, 90), points * edge / box)


FAMILIES: dict[str, Callable[[np.random.Generator], Cell]] = {
    "layered": layered,
    "long": long,
    "flat": flat,
    "symmetric": symmetric,
    "sparse": sparse,
}


def rattled(cell: Cell, size: float, rng: np.random.Generator) -> Cell:
    """Atoms moved by a normal deviate of `size` Å along each axis."""
    return cell._replace(frac=cell.frac + rng.normal(0, size, cell.frac.shape) @ np.linalg.inv(cell.lattice))


def turned(cell: Cell, rng: np.random.Generator) -> Cell:
    """The same crystal, rotated and with another origin."""
    rotation, triangle = np.linalg.qr(rng.normal(size=(3, 3)))
    rotation *= np.sign(np.diag(triangle))
    return cell._replace(frac=(cell.frac + rng.random(3)) % 1, lattice=cell.lattice @ rotation)


def _long(rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(0, np.log(25))))


def _special(rng: np.random.Generator, atoms: int) -> np.ndarray:
    """Different places of which each coordinate is special."""
    axes = [GRIDS[int(rng.integers(len(GRIDS)))] for _ in range(3)]
    if rng.random() < 0.5:
        axes[1] = axes[0]
    places = np.array(list(product(*axes)))
    return places[rng.choice(len(places), min(atoms, len(places)), replace=False)]


def _cell(
    rng: np.random.Generator, lengths: tuple[float, ...], angles: tuple[float, ...], frac: list | np.ndarray
) -> Cell:
    elements = ELEMENTS[int(rng.integers(len(ELEMENTS)))]
    numbers = np.array([elements[k % len(elements)] for k in range(len(frac))])
    rounded = np.array(lengths, dtype=float)
    if rounded.min() > 1 and rng.random() < 0.5:  # as in a CIF
        rounded = rounded.round(3)
    lattice = from_parameters(rounded[None], np.array([angles], dtype=float))[0]
    return Cell(numbers, np.array(frac, dtype=float), lattice)


def _least_distance(cell: Cell) -> float:
    apart = (cell.frac[:, None, None] - cell.frac[None, :, None] + IMAGES) @ cell.lattice
    squares = (apart**2).sum(-1)
    return float(np.sqrt(squares[squares > 1e-12].min(initial=np.inf)))
