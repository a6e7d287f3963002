"""What is in a data set: counts and distributions, as plain arrays that a table or a figure starts from."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import torch

from nucleate.crystals import Crystals
from nucleate.elements import SYMBOLS
from nucleate.geometry import lattice

SPACE_GROUPS = ("spacegroup.number", "spacegroup_number", "space_group", "spacegroup")
"""Names under which columns of numbers or symbols of space groups go; the first that is there counts."""

_NOT_QUANTITIES = (*SPACE_GROUPS, "column_0", "index", "material_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """Counts and distributions of a data set; B of its crystals could be built.

    Attributes:
        crystals: rows, whether they could be built or not.
        atoms: in all.
        failures: rows that could not be built, by reason.
        with_element: crystals that contain each element, by atomic number, shape (119,).
        atoms_per_cell: shape (B,).
        elements_per_crystal: number of different elements, shape (B,).
        volume_per_atom: in Å³, shape (B,).
        lengths: a, b, c in Å, shape (B, 3).
        angles: α, β, γ in degrees, shape (B, 3).
        space_groups: crystals by space group; None if no column has it.
        numeric: columns of numbers, with NaN for blanks, each of shape (B,).
    """

    crystals: int
    atoms: int
    failures: Counter[str]
    with_element: np.ndarray
    atoms_per_cell: np.ndarray
    elements_per_crystal: np.ndarray
    volume_per_atom: np.ndarray
    lengths: np.ndarray
    angles: np.ndarray
    space_groups: Counter[str] | None
    numeric: dict[str, np.ndarray]

    @property
    def top_elements(self) -> list[tuple[str, int]]:
        """Elements with the number of crystals that contain them, the most frequent first."""
        order = np.argsort(-self.with_element, kind="stable")
        return [(SYMBOLS[z], int(self.with_element[z])) for z in order if self.with_element[z]]


def describe(crystals: Crystals) -> Description:
    """Counts what is in a data set."""
    built = crystals[crystals.built]
    # One number for each crystal and element in it.
    pairs = torch.unique(built.owner * len(SYMBOLS) + built.numbers)
    lengths, angles = lattice.parameters(built.lattice)
    groups = next((built.info[name] for name in SPACE_GROUPS if name in built.info), None)
    return Description(
        crystals=len(crystals),
        atoms=len(crystals.numbers),
        failures=Counter(str(reason) for reason in crystals.failures if reason),
        with_element=torch.bincount(pairs % len(SYMBOLS), minlength=len(SYMBOLS)).numpy(),
        atoms_per_cell=built.counts.numpy(),
        elements_per_crystal=torch.bincount(pairs // len(SYMBOLS), minlength=len(built)).numpy(),
        volume_per_atom=(lattice.volume(built.lattice) / built.counts).numpy(),
        lengths=lengths.numpy(),
        angles=angles.numpy(),
        space_groups=None if groups is None else Counter(map(_name_of_group, groups[~_blank(groups)])),
        numeric={
            name: column
            for name, column in built.info.items()
            if column.dtype.kind in "iuf" and name not in _NOT_QUANTITIES
        },
    )


def _blank(column: np.ndarray) -> np.ndarray:
    return np.array([value is None or value != value for value in column], dtype=bool)


def _name_of_group(group: object) -> str:
    return f"{group:g}" if isinstance(group, float) else str(group)
