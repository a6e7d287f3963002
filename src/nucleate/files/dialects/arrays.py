"""Numbers in JSON: arrays of a certain shape, refused by name where they are not."""

from __future__ import annotations

from typing import Any

import numpy as np

from nucleate.files.entries import check_cell
from nucleate.files.failures import BadEntryError, Failure


def array(values: Any, columns: int, name: str) -> np.ndarray:
    """Makes an array of rows of so many numbers, float64; null is NaN.

    Raises:
        BadEntryError: it is no such array.
    """
    try:
        found = np.array(values, dtype=np.float64)
    except (ValueError, TypeError, OverflowError):
        raise BadEntryError(Failure.UNPARSEABLE, f"{name} is not a list of {columns} numbers each") from None
    if found.size == 0:
        return found.reshape(0, columns)
    if found.ndim != 2 or found.shape[1] != columns:
        raise BadEntryError(Failure.UNPARSEABLE, f"{name} is not a list of {columns} numbers each")
    return found


def cell(values: Any, name: str) -> np.ndarray:
    """Makes a cell, row vectors in Å of shape (3, 3), that is neither flat nor unknown.

    Raises:
        BadEntryError: with the reason.
    """
    vectors = array(values, 3, name)
    if len(vectors) != 3:
        raise BadEntryError(Failure.BAD_LATTICE, f"{name} has {len(vectors)} lattice vectors")
    check_cell(vectors)
    return vectors


def fractional(positions: np.ndarray, lattice: np.ndarray) -> np.ndarray:
    """Fractional coordinates (n, 3) of Cartesian ones in Å."""
    return np.linalg.solve(lattice.T, positions.T).T


def same_length(count: int, positions: np.ndarray, name: str) -> None:
    """Refuses positions of another number of atoms.

    Raises:
        BadEntryError: they are.
    """
    if len(positions) != count:
        raise BadEntryError(Failure.UNPARSEABLE, f"there are {count} atoms and {len(positions)} {name}")
