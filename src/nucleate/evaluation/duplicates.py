"""Uniqueness: which crystals are the same structure, by the decisions of pymatgen's StructureMatcher."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Int

from nucleate.crystals import Crystals
from nucleate.evaluation.alike import Group, grouped, reduced_cells
from nucleate.evaluation.cells import Cell
from nucleate.evaluation.compositions import distinct_rows, element_counts, reduced_counts
from nucleate.evaluation.failures import failure_reasons
from nucleate.evaluation.matching import Tolerances
from nucleate.evaluation.progress import Steps
from nucleate.evaluation.reduction import Convention
from nucleate.parallel import map_in_order

CONVENTION = Convention.PUBLISHED
"""The release of pymatgen whose reduced cells are compared."""

TOLERANCES = Tolerances(length=0.2, site=0.3, angle=5.0)
"""Of uniqueness and novelty; pymatgen's defaults."""

STEPS = {"reducing": 1.0, "comparing": 2.0}
"""What the search does, and about how long each step takes."""


def first_alike(
    crystals: Crystals, *, jobs: int = 1, on_progress: Callable[[float], None] | None = None
) -> Int[np.ndarray, " c"]:
    """Finds for each crystal the first one that it is alike.

    Crystals are compared in order with the first of each group found so far, among those of the same reduced formula;
    cells of other sizes are compared as primitive cells. A crystal that cannot be judged, or whose cell is too flat to
    be reduced, is alike only to itself.

    Args:
        crystals: any.
        jobs: processes at most; nothing depends on it.
        on_progress: told the share done.

    Returns:
        Row numbers, (C,); a crystal that is new has its own. The share of these is the uniqueness.
    """
    steps = Steps(STEPS, on_progress and (lambda share, _line: on_progress(share)))
    first = np.arange(len(crystals))
    usable = np.flatnonzero(failure_reasons(crystals) == "")
    compositions = distinct_rows(reduced_counts(element_counts(crystals[usable])))[1]
    shared = np.bincount(compositions)[compositions] > 1 if len(usable) else np.zeros(0, dtype=bool)
    rows, compositions = usable[shared], compositions[shared]

    cells = reduced_cells(crystals[rows], CONVENTION, jobs=jobs, on_progress=steps.start("reducing"))
    groups = sorted(grouped(compositions.tolist(), cells).values(), key=len, reverse=True)
    found = map_in_order(
        _first_alike,
        [[cell for i in group if (cell := cells[i]) is not None] for group in groups],
        weights=[len(group) * (len(group) - 1) // 2 for group in groups],
        jobs=jobs,
        on_progress=steps.start("comparing"),
    )
    for group, leaders in zip(groups, found, strict=True):
        members = rows[group]
        first[members] = members[leaders]
    return first


def _first_alike(cells: list[Cell]) -> list[int]:
    """The same for reduced cells of one composition and number of sites."""
    group = Group(cells, TOLERANCES)
    leaders: list[int] = []
    first: list[int] = []
    for number, cell in enumerate(cells):
        alike = group.first_alike(cell, np.array(leaders, dtype=np.int64))
        if alike is None:
            leaders.append(number)
        first.append(number if alike is None else alike)
    return first
