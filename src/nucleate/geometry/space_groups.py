"""Wyckoff positions of the 230 space groups, and how their symmetry ties the parameters of a cell together.

Settings are those of the International Tables for Crystallography A: unique axis b, cell choice 1, hexagonal axes for
rhombohedral groups, origin choice 2. Coordinates are of that conventional cell; crystals are built in a primitive one.
Letters are numbered from 0 (a). `scripts/wyckoff.py` makes the table.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from nucleate.geometry import torus

GROUPS = 230
ALPHABET = "abcdefghijklmnopqrstuvwxyzA"
"""Letters of the Wyckoff positions; the last, written as moyopy does, is α of Pmmm."""


class Wyckoff(NamedTuple):
    """The table. G = 231 groups, of which 0 is none."""

    multiplicity: Int[Tensor, "g w"]
    """Atoms in the primitive cell; 0 where the group has no such letter."""
    free: Bool[Tensor, "g w 3"]
    """Which of x, y and z may be chosen."""
    factors: Float[Tensor, "o 3 3"]
    shifts: Float[Tensor, "o 3"]
    """An atom at values (x, y, z) has images at `values @ factors + shifts`, for all rows of its position."""
    start: Int[Tensor, "g w"]
    """First row of each position; there are `multiplicity` of them."""
    basis: Float[Tensor, "g 3 3"]
    """Rows: vectors of the primitive cell in those of the conventional one."""


@cache
def wyckoff() -> Wyckoff:
    """Reads the table, once."""
    with files("nucleate.geometry").joinpath("data", "wyckoff.pt").open("rb") as file:
        columns = torch.load(file, weights_only=True)
    factors, shifts = columns["factors"].double(), columns["shifts"].double()
    ends, letters = columns["orbit_start"], columns["letter_start"].tolist()
    centrings = zip(columns["centring"].tolist(), columns["second"].tolist(), strict=True)
    basis = torch.stack([_primitive((points, *second)) for points, second in centrings])
    multiplicity = torch.zeros(GROUPS + 1, len(ALPHABET), dtype=torch.int64)
    start = torch.zeros_like(multiplicity)
    for group in range(1, GROUPS + 1):
        first, stop = letters[group], letters[group + 1]
        start[group, : stop - first] = ends[first:stop]
        multiplicity[group, : stop - first] = ends[first : stop + 1].diff()
    free = (factors[start] != 0).any(-1) & (multiplicity > 0)[..., None]
    return Wyckoff(multiplicity, free, factors, shifts / 24, start, torch.cat([torch.eye(3).double()[None], basis]))


def _primitive(centring: tuple[int, ...]) -> Float[Tensor, "3 3"]:
    """Vectors of a primitive cell for a centring: how many lattice points, and one besides the origin in 24ths."""
    vectors: dict[tuple[int, ...], tuple[tuple[float, ...], ...]] = {
        (1, 0, 0, 0): ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
        (2, 12, 12, 0): ((1 / 2, -1 / 2, 0), (1 / 2, 1 / 2, 0), (0, 0, 1)),
        (2, 0, 12, 12): ((1, 0, 0), (0, 1 / 2, -1 / 2), (0, 1 / 2, 1 / 2)),
        (2, 12, 12, 12): ((-1 / 2, 1 / 2, 1 / 2), (1 / 2, -1 / 2, 1 / 2), (1 / 2, 1 / 2, -1 / 2)),
        (3, 16, 8, 8): ((2 / 3, 1 / 3, 1 / 3), (-1 / 3, 1 / 3, 1 / 3), (-1 / 3, -2 / 3, 1 / 3)),
        (4, 0, 12, 12): ((0, 1 / 2, 1 / 2), (1 / 2, 0, 1 / 2), (1 / 2, 1 / 2, 0)),
    }
    return torch.tensor(vectors[centring], dtype=torch.float64)


def orbit(group: int, letter: int, values: Float[Tensor, "*dims 3"]) -> Float[Tensor, "*dims m 3"]:
    """Coordinates in the conventional cell of all atoms of the primitive cell that an atom brings with it.

    Args:
        group: number, 1 to 230.
        letter: Wyckoff position, 0 for a.
        values: x, y and z; those that are not free are not looked at.
    """
    table = wyckoff()
    first = int(table.start[group, letter])
    rows = slice(first, first + int(table.multiplicity[group, letter]))
    moved = values[..., None, None, :].to(table.factors) @ table.factors[rows]
    return torus.wrap(moved[..., 0, :] + table.shifts[rows])


@cache
def centrings(group: int) -> Float[Tensor, "k 3"]:
    """Lattice points of the conventional cell."""
    corners = torch.cartesian_prod(*[torch.arange(-2, 3).double()] * 3)
    # All of them are multiples of a sixth.
    points = (corners @ wyckoff().basis[group] * 6).round() % 6
    return torch.unique(points, dim=0) / 6


def to_primitive(
    group: int, lattice: Float[Tensor, "3 3"], frac: Float[Tensor, "n 3"]
) -> tuple[Float[Tensor, "3 3"], Float[Tensor, "n 3"]]:
    """From the conventional cell to a primitive one; the atoms are already those of the primitive cell."""
    basis = wyckoff().basis[group].to(lattice.dtype)
    return basis @ lattice, torus.wrap(frac @ torch.linalg.inv(basis))


TIES: tuple[tuple[int, int, int, int, int, int], ...] = (
    (0, 1, 2, 3, 4, 5),  # triclinic: a, b, c, α, β, γ
    (0, 1, 2, -90, 4, -90),  # monoclinic, unique axis b
    (0, 1, 2, -90, -90, -90),  # orthorhombic
    (0, 0, 2, -90, -90, -90),  # tetragonal
    (0, 0, 2, -90, -90, -120),  # trigonal and hexagonal
    (0, 0, 0, -90, -90, -90),  # cubic
)
"""By system: which of the six parameters each of them equals, or minus the angle that it has to have."""

_LAST = (2, 15, 74, 142, 194, 230)
"""Last group of each system."""


def system(group: int) -> int:
    """Row of `TIES` for a group."""
    return next(row for row, last in enumerate(_LAST) if group <= last)


def free_parameters(group: int) -> tuple[int, ...]:
    """Which of a, b, c, α, β and γ may be chosen, in this order."""
    return tuple(sorted({source for source in TIES[system(group)] if source >= 0}))


@cache
def free_cell() -> Bool[Tensor, "g 6"]:
    """Which parameters may be chosen, by group; none for group 0."""
    free = torch.zeros(GROUPS + 1, 6, dtype=torch.bool)
    for group in range(1, GROUPS + 1):
        free[group, list(free_parameters(group))] = True
    return free


def completed(group: int, parameters: Float[Tensor, "6"]) -> Float[Tensor, "6"]:
    """All six parameters from those that may be chosen; the others are not looked at."""
    ties = TIES[system(group)]
    return torch.stack([parameters[tie] if tie >= 0 else parameters.new_tensor(float(-tie)) for tie in ties])
