"""Which crystals are the same structure, by pymatgen's StructureMatcher."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from nucleate.crystals import Crystals
from nucleate.elements import reduced_formula

if TYPE_CHECKING:
    from pymatgen.core import Structure

LTOL, STOL, ANGLE_TOL = 0.2, 0.3, 5.0
"""Tolerances of uniqueness and novelty: relative lengths, sites in units of (V/N)^(1/3), and degrees."""


def first_alike(crystals: Crystals) -> np.ndarray:
    """Finds for each crystal the first one that it is alike.

    Crystals are compared in order with the first of each group found so far, among those of the same reduced formula;
    cells of other sizes are compared as primitive cells. A crystal that was not built is alike only to itself.

    Returns:
        Row numbers, (C,) int64; a crystal that is new has its own.
    """
    from pymatgen.analysis.structure_matcher import StructureMatcher

    from nucleate.files import to_structure

    matcher = StructureMatcher(ltol=LTOL, stol=STOL, angle_tol=ANGLE_TOL)
    first = np.arange(len(crystals))
    built = np.flatnonzero(crystals.built)
    leaders: dict[str, list[tuple[int, Structure]]] = defaultdict(list)
    for row, crystal in zip(built, crystals[built], strict=True):
        structure = to_structure(crystal)
        group = leaders[reduced_formula(structure.atomic_numbers)]
        alike = (leader for leader, other in group if matcher.fit(structure, other))
        first[row] = next(alike, row)
        if first[row] == row:
            group.append((int(row), structure))
    return first
