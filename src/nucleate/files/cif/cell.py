"""The unit cell of a CIF: its six parameters, what a crystal system adds to them, and the cells that cannot be."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from nucleate.files.cif.block import Block, number
from nucleate.files.failures import BadEntryError, Failure

PARAMETERS = (
    *("_cell_length_a", "_cell_length_b", "_cell_length_c"),
    *("_cell_angle_alpha", "_cell_angle_beta", "_cell_angle_gamma"),
)

SYSTEMS = ("_space_group_crystal_system", "_symmetry_cell_setting")

_FIXED = {
    "cubic": (0, 0, 0, 90, 90, 90),
    "tetragonal": (0, 0, 2, 90, 90, 90),
    "hexagonal": (0, 0, 2, 90, 90, 120),
    "orthorhombic": (0, 1, 2, 90, 90, 90),
}
"""For each crystal system, which given length each of the three has, and the angles in degrees."""


class Cell(NamedTuple):
    """A unit cell.

    Attributes:
        parameters: a, b, c in Å, and α, β, γ in degrees.
        lattice: row vectors in Å, with c along z and a in the xz plane.
    """

    parameters: tuple[float, ...]
    lattice: Float[np.ndarray, "3 3"]

    def __str__(self) -> str:
        return f"the cell {', '.join(f'{value:g}' for value in self.parameters)}"


def read(block: Block) -> Cell:
    """Reads the cell of a block.

    Raises:
        BadEntryError: there is no cell, a parameter is absent and the crystal system does not fix it, or the cell
            cannot be.
    """
    given = [block.text(name) for name in PARAMETERS]
    if not any(given):
        raise BadEntryError(Failure.BAD_LATTICE, "there is no cell")
    values = [None if text is None else number(text) for text in given]
    system = (block.text(*SYSTEMS) or "").lower()
    if None in values:
        values = _completed(values, _FIXED.get(system, ()))
    parameters = tuple(float("nan") if value is None else value for value in values)
    cell = Cell(parameters, np.full((3, 3), np.nan))
    for name, text, value in zip(PARAMETERS, given, values, strict=True):
        if value is None:
            raise BadEntryError(Failure.BAD_LATTICE, f"there is no {name}")
        if not np.isfinite(value):
            raise BadEntryError(Failure.NOT_FINITE, f"{name} is {text}; {cell}")
    if 0 in parameters[:3]:
        raise BadEntryError(Failure.ZERO_VOLUME, str(cell))
    lattice = _vectors(parameters)
    if lattice is None:
        raise BadEntryError(Failure.BAD_LATTICE, f"{cell} cannot be")
    return Cell(parameters, lattice)


def _completed(values: list[float | None], fixed: tuple[int, ...]) -> list[float | None]:
    if not fixed:
        return values
    lengths = [values[place] if value is None else value for value, place in zip(values[:3], fixed[:3], strict=True)]
    angles = [angle if value is None else value for value, angle in zip(values[3:], fixed[3:], strict=True)]
    return [*lengths, *angles]


def _vectors(parameters: tuple[float, ...]) -> np.ndarray | None:
    """The row vectors; None if no corner has the angles, or a length is negative."""
    a, b, c, alpha, beta, gamma = parameters
    angles = (alpha, beta, gamma)
    # Three angles make a corner if none exceeds the other two together, and all leave a rest of the full circle.
    if min(parameters) <= 0 or 2 * max(angles) >= sum(angles) or sum(angles) >= 360:
        return None
    (cos_alpha, cos_beta, cos_gamma), (sin_alpha, sin_beta, _) = np.cos(np.radians(angles)), np.sin(np.radians(angles))
    # The angle γ* of the reciprocal lattice, by arccosine and not directly, so that each digit is pymatgen's.
    star = np.arccos(np.clip((cos_alpha * cos_beta - cos_gamma) / (sin_alpha * sin_beta), -1, 1))
    return np.array(
        [
            [a * sin_beta, 0, a * cos_beta],
            [-b * sin_alpha * np.cos(star), b * sin_alpha * np.sin(star), b * cos_alpha],
            [0, 0, c],
        ]
    )
