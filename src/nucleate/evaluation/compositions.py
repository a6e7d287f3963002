"""Compositions as tables: one row a crystal, one column an atomic number."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int, Shaped

from nucleate.crystals import Crystals
from nucleate.elements import SYMBOLS


def element_counts(crystals: Crystals) -> Int[np.ndarray, "c z"]:
    """Atoms of each element in each crystal, (C, 119); column 0 is no element."""
    columns = len(SYMBOLS)
    places = crystals.owner.cpu().numpy() * columns + crystals.numbers.cpu().numpy()
    return np.bincount(places, minlength=len(crystals) * columns).reshape(len(crystals), columns)


def reduced_counts(counts: Int[np.ndarray, "c z"]) -> Int[np.ndarray, "c z"]:
    """Divides the counts of each crystal by their greatest common divisor; a row of zeros stays one."""
    return counts // np.gcd.reduce(counts, axis=1, keepdims=True).clip(min=1)


def distinct_rows(rows: Shaped[np.ndarray, "c z"]) -> tuple[Shaped[np.ndarray, "k z"], Int[np.ndarray, " c"]]:
    """The rows that differ, in the order in which they first come, and for each row which of them it is."""
    places: dict[bytes, int] = {}
    which = np.array([places.setdefault(row.tobytes(), len(places)) for row in rows], dtype=np.int64)
    _, first = np.unique(which, return_index=True)
    return rows[first], which
