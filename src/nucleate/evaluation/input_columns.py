"""Columns of the input in the table of an evaluation, so that each row can be followed to its file and its crystal."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Int

from nucleate.crystals import FAILURE, Crystals
from nucleate.evaluation.pairing.names import IDS, ids
from nucleate.files.entries import scalar

INPUT, REFERENCE = "input_", "reference_"

_LARGEST = 1 << 63  # of a whole number in a table


def with_samples(rows: Mapping[str, np.ndarray], samples: Crystals, more: int = 0) -> dict[str, np.ndarray]:
    """Adds the `info` columns of the samples to a table.

    A column whose name the table has is called `input_NAME`, and one that is called so already `input_input_NAME`, so
    that no two become one. `failure` is not added: the table's own begins with the reasons of the input.

    Args:
        rows: columns of the table; the first rows are the samples.
        samples: of S samples.
        more: number of rows after them, which are blank.
    """
    added = {
        _shielded(name, rows): _with_blanks(values, np.arange(len(samples)), more)
        for name, values in samples.info.items()
        if name != FAILURE
    }
    return {**rows, **added}


def of_reference(reference: Crystals, index: Int[np.ndarray, " r"]) -> dict[str, np.ndarray]:
    """What names the reference crystal of each row: columns `reference_NAME`, blank where the index is negative.

    These are the columns of the reference that tell its crystals apart, and those that the field names crystals by.
    """
    named = ids(reference)
    return {
        f"{REFERENCE}{name}": _with_blanks(values, index)
        for name, values in reference.info.items()
        if name in named or name in IDS
    }


def _shielded(name: str, taken: Mapping[str, np.ndarray]) -> str:
    bare = name
    while bare.startswith(INPUT) and bare not in taken:
        bare = bare.removeprefix(INPUT)
    return INPUT + name if bare in taken else name


def _with_blanks(values: np.ndarray, index: Int[np.ndarray, " r"], more: int = 0) -> np.ndarray:
    """The values at an index, of one kind; blank where it is negative, and after."""
    if values.dtype == object:
        values = _of_one_kind(values)
    blank = index < 0
    if not more and not blank.any():
        return values[index]
    cells = np.empty(len(index) + more, dtype=object)
    cells[: len(index)][~blank] = values[index[~blank]]
    return cells


def _of_one_kind(values: np.ndarray) -> np.ndarray:
    """Whole numbers, numbers, truth values or text, and None; text if they are several of these."""
    cells = [scalar(value) for value in values]
    cells = [str(cell) if type(cell) is int and not -_LARGEST <= cell < _LARGEST else cell for cell in cells]
    kinds = {type(cell) for cell in cells} - {type(None)}
    if len(kinds) > 1 and kinds != {int, float}:
        cells = [None if cell is None else str(cell) for cell in cells]
    column = np.empty(len(cells), dtype=object)
    column[:] = cells
    return column
