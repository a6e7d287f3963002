"""Novelty: which crystals a model may have seen in training, by the decisions of pymatgen's StructureMatcher."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Int

from nucleate.crystals import Crystals
from nucleate.evaluation.alike import Group, grouped, reduced_cells
from nucleate.evaluation.cells import Cell
from nucleate.evaluation.compositions import distinct_rows, element_counts, reduced_counts
from nucleate.evaluation.duplicates import CONVENTION, TOLERANCES
from nucleate.evaluation.failures import failure_reasons
from nucleate.evaluation.progress import Steps
from nucleate.parallel import map_in_order

STEPS = {"reducing": 1.0, "reducing the training set": 2.0, "comparing": 3.0}
"""What the search does, and about how long each step takes."""

TOGETHER = 32
"""Crystals that are compared with the same training crystals in one go."""


def known(
    crystals: Crystals,
    training: Crystals,
    *,
    jobs: int = 1,
    on_progress: Callable[[float], None] | None = None,
) -> Bool[np.ndarray, " c"]:
    """Says which crystals are alike any training crystal of the same reduced formula.

    Each crystal is reduced once, and of the training crystals only those whose formula occurs.

    Args:
        crystals: any; one that cannot be judged, or whose cell is too flat to be reduced, is not known.
        training: likewise.
        jobs: processes at most; nothing depends on it.
        on_progress: told the share done.

    Returns:
        Whether each is known, (C,). The share of the others, among those that can be judged, is the novelty.
    """
    steps = Steps(STEPS, on_progress and (lambda share, _line: on_progress(share)))
    ours, theirs, compositions = _shared(crystals, training)
    cells = reduced_cells(crystals[ours], CONVENTION, jobs=jobs, on_progress=steps.start("reducing"))
    others = reduced_cells(
        training[theirs], CONVENTION, jobs=jobs, on_progress=steps.start("reducing the training set")
    )
    groups = grouped(compositions[: len(ours)].tolist(), cells)
    references = grouped(compositions[len(ours) :].tolist(), others)

    rows, items = [], []
    for key in groups.keys() & references.keys():
        reference = [cell for i in references[key] if (cell := others[i]) is not None]
        for start in range(0, len(groups[key]), TOGETHER):
            rows.append(groups[key][start : start + TOGETHER])
            items.append(([cell for i in rows[-1] if (cell := cells[i]) is not None], reference))
    found = map_in_order(
        _known,
        items,
        weights=[len(asked) * len(reference) for asked, reference in items],
        jobs=jobs,
        on_progress=steps.start("comparing"),
    )
    seen = np.zeros(len(crystals), dtype=bool)
    for members, flags in zip(rows, found, strict=True):
        seen[ours[members]] = flags
    return seen


def _shared(
    crystals: Crystals, training: Crystals
) -> tuple[Int[np.ndarray, " c"], Int[np.ndarray, " t"], Int[np.ndarray, " n"]]:
    """Rows of crystals and of training crystals whose reduced compositions occur in both, and all their numbers."""
    usable = [np.flatnonzero(failure_reasons(batch) == "") for batch in (crystals, training)]
    counts = [element_counts(batch[rows]) for batch, rows in zip((crystals, training), usable, strict=True)]
    compositions = distinct_rows(reduced_counts(np.concatenate(counts)))[1]
    ours, theirs = compositions[: len(usable[0])], compositions[len(usable[0]) :]
    kept = np.isin(ours, theirs), np.isin(theirs, ours)
    return usable[0][kept[0]], usable[1][kept[1]], np.concatenate([ours[kept[0]], theirs[kept[1]]])


def _known(item: tuple[list[Cell], list[Cell]]) -> list[bool]:
    """Whether each of some cells is alike any of others of the same composition and number of sites."""
    cells, reference = item
    group = Group(reference, TOLERANCES)
    return [group.any_alike(cell) for cell in cells]
