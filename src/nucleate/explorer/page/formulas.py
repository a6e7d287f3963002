"""Reduced formulas of many crystals at once: each is written once, however many crystals have it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from nucleate.crystals import Crystals
from nucleate.elements import reduced_formula

_Z = 256  # more than there are elements


def formula_table(parts: Sequence[Crystals]) -> tuple[list[str], list[Int[np.ndarray, " c"]]]:
    """Writes the different reduced formulas, the most frequent first.

    Args:
        parts: batches of crystals that share the table.

    Returns:
        The formulas, and for each batch the place in them of each crystal. A crystal without atoms has an empty one.
    """
    keys = np.concatenate([_composition_keys(crystals) for crystals in parts])
    _, first, codes, sizes = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(-sizes, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    everyone = Crystals.concat([Crystals(c.numbers, c.frac, c.lattice, c.counts) for c in parts])
    formulas = [reduced_formula(numbers.tolist()) for numbers in everyone[first[order]].numbers_of_each()]
    bounds = np.cumsum([len(crystals) for crystals in parts])[:-1]
    return formulas, np.split(place[codes], bounds)


def _composition_keys(crystals: Crystals) -> np.ndarray:
    """A number per crystal, the same for equal reduced compositions, and another for others but by a rare accident."""
    owner, numbers = crystals.owner.cpu().numpy(), crystals.numbers.cpu().numpy().astype(np.int64)
    species, amounts = np.unique(owner * _Z + numbers, return_counts=True)
    whose = species // _Z
    starts = np.flatnonzero(np.diff(whose, prepend=-1))
    keys = np.zeros(len(crystals), dtype=np.uint64)
    if len(starts):
        divisor = np.gcd.reduceat(amounts, starts)
        units = (amounts // np.repeat(divisor, np.diff(starts, append=len(whose)))).astype(np.uint64)
        weight = np.random.default_rng(0).integers(1, 2**63, size=_Z, dtype=np.uint64)
        keys[whose[starts]] = np.add.reduceat(units * weight[species % _Z], starts)
    return keys
