"""Finding, among many reduced cells, one that is the same structure. Uniqueness and novelty are both made of this."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

from nucleate.crystals import Crystals
from nucleate.evaluation.cells import Cell, lengths_and_angles
from nucleate.evaluation.matching import Tolerances, fits, lengths_allow
from nucleate.evaluation.reduction import Convention, reduced_or_none
from nucleate.parallel import map_in_order

if TYPE_CHECKING:
    from nucleate.evaluation.screening import Members

SCREENED = 50
"""A group of so many cells is worth loading compiled code that excludes most pairs."""

FEW = 3
"""So few candidates are compared as soon as screened."""


class Group:
    """Reduced cells of one composition and one number of sites.

    The first steps of a comparison, which exclude most pairs, are done with all of them at once.
    """

    def __init__(self, cells: Sequence[Cell], tolerances: Tolerances) -> None:
        """Prepares the cells.

        Args:
            cells: as made by `reduction.reduced_cell`.
            tolerances: how far a cell that is alike may differ.
        """
        self.cells = cells
        self.tolerances = tolerances
        lattices = np.array([cell.lattice for cell in cells]).reshape(-1, 3, 3)
        self.lengths, self.angles = lengths_and_angles(_scaled(lattices))

    @cached_property
    def _members(self) -> Members:
        """All that screening looks at."""
        from nucleate.evaluation.screening import Members

        return Members.of(self.cells)

    def first_alike(self, cell: Cell, members: Int[np.ndarray, " k"]) -> int | None:
        """The first of some members for which `StructureMatcher.fit(cell, member)` is true; None if there is none.

        Args:
            cell: another reduced cell of the same composition and number of sites.
            members: their numbers.
        """
        for member in self._candidates(cell, members).tolist():
            if fits(cell, self.cells[member], self.tolerances):
                return member
        return None

    def any_alike(self, cell: Cell) -> bool:
        """Whether the cell is alike any member; those with the most similar lattices are looked at first."""
        members = self._candidates(cell, np.arange(len(self.cells)))
        lengths, angles = lengths_and_angles(_scaled(cell.lattice))
        longer = np.abs(np.log(self.lengths[members] / lengths)).sum(1) / self.tolerances.length
        wider = np.abs(self.angles[members] - angles).sum(1) / self.tolerances.angle
        ordered = members[np.argsort(longer + wider)].tolist()
        return any(fits(cell, self.cells[member], self.tolerances) for member in ordered)

    def _candidates(self, cell: Cell, members: Int[np.ndarray, " k"]) -> Int[np.ndarray, " n"]:
        """Members that are not too different at the first look."""
        scaled = cell._replace(lattice=_scaled(cell.lattice))
        members = members[lengths_allow(scaled.lattice, self.lengths[members], self.tolerances.length)]
        if len(self.cells) < SCREENED or len(members) <= FEW:
            return members
        from nucleate.evaluation.screening import placeable

        return members[placeable(scaled, self._members.take(members), self.tolerances)]


def cells_of(crystals: Crystals) -> list[Cell]:
    """Crystals as plain arrays."""
    lattices = crystals.lattice.cpu().numpy().astype(np.float64)
    frac = (places.astype(np.float64) for places in crystals.frac_of_each())
    return [Cell(*columns) for columns in zip(crystals.numbers_of_each(), frac, lattices, strict=True)]


def reduced_cells(
    crystals: Crystals,
    convention: Convention,
    *,
    jobs: int = 1,
    on_progress: Callable[[float], None] | None = None,
) -> list[Cell | None]:
    """Reduced cells; None for a crystal that has none."""
    reduce = partial(reduced_or_none, convention=convention)
    return map_in_order(reduce, cells_of(crystals), jobs=jobs, on_progress=on_progress)


def grouped(compositions: Iterable[int], cells: Iterable[Cell | None]) -> dict[tuple[int, int], list[int]]:
    """Groups what may be alike: rows with a cell, by composition and number of sites.

    Args:
        compositions: the number of each crystal's reduced composition.
        cells: reduced cells.
    """
    groups = defaultdict(list)
    for row, (composition, cell) in enumerate(zip(compositions, cells, strict=True)):
        if cell is not None:
            groups[composition, len(cell.numbers)].append(row)
    return groups


def _scaled(lattice: Float[np.ndarray, "*k 3 3"]) -> Float[np.ndarray, "*k 3 3"]:
    """Lattices scaled to a volume of 1."""
    return lattice / np.cbrt(np.abs(np.linalg.det(lattice)))[..., None, None]
