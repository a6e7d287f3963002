"""Space groups, found by moyopy."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Int

from nucleate.crystals import Crystals
from nucleate.evaluation.structural_validity import structural_validity
from nucleate.files.extras import quiet_moyopy
from nucleate.parallel import map_in_order

SYMPREC = 0.1
"""Tolerance in Å, that of the Materials Project."""

NONE = 0
"""What stands for the number of a crystal whose space group can't be found."""

P1 = 1
"""The group without any symmetry but translation."""

SYSTEMS = ("none", "triclinic", "monoclinic", "orthorhombic", "tetragonal", "trigonal", "hexagonal", "cubic")
LAST = (0, 2, 15, 74, 142, 167, 194, 230)
"""Last space group of each system."""


class _Site(NamedTuple):
    """What moyopy takes."""

    lattice: list[list[float]]
    frac: list[list[float]]
    numbers: list[int]


def space_groups(crystals: Crystals, symprec: float = SYMPREC, *, jobs: int = 1) -> Int[np.ndarray, " c"]:
    """Finds the space groups of crystals.

    Args:
        crystals: any; those that are flat, not finite or without atoms are not looked at.
        symprec: how far atoms may be from their symmetric places, in Å.
        jobs: processes at most; nothing depends on it.

    Returns:
        Numbers from 1 to 230, and 0 where the search fails: also where two atoms, or an atom and its image, are nearer
        to each other than `symprec`, since then they are the same place.
    """
    structure = structural_validity(crystals)
    # NaN, of what does not exist, is not larger either.
    distinct = np.flatnonzero((structure.min_distance > symprec) & (structure.self_image_distance > symprec))
    reduced = crystals[distinct].to(dtype=torch.float64).niggli()  # a very skewed cell would overflow in moyopy
    items = zip(reduced.lattice.tolist(), reduced.frac_of_each(), reduced.numbers_of_each(), strict=True)
    sites = [_Site(lattice, frac.tolist(), numbers.tolist()) for lattice, frac, numbers in items]
    groups = np.full(len(crystals), NONE, dtype=np.int64)
    groups[distinct] = map_in_order(partial(_space_group, symprec=symprec), sites, jobs=jobs)
    return groups


def crystal_systems(groups: Int[np.ndarray, " c"]) -> Int[np.ndarray, " c"]:
    """Place in `SYSTEMS` of each space group."""
    return np.searchsorted(LAST, groups)


def _space_group(site: _Site, symprec: float) -> int:
    from moyopy import Cell, MoyoDataset

    try:
        with quiet_moyopy():
            return MoyoDataset(Cell(site.lattice, site.frac, site.numbers), symprec=symprec).number
    except ValueError:  # no symmetry search succeeded, not even with smaller tolerances
        return NONE
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # what a failed assertion in Rust becomes; not an Exception
            return NONE
        raise
