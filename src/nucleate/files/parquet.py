"""Parquet: the loss-free form of `Crystals`, read and written by pyarrow alone, in milliseconds.

A row is a crystal: `numbers` is a list of atomic numbers, `frac` one of fractional coordinates (x, y, z of the first
atom, then of the next), `lattice` the nine numbers of the row vectors in Å, and every other column is `info`.
A table of another origin, with a `cif` column, is read as well.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from nucleate.crystals import Crystals
from nucleate.errors import UserError
from nucleate.files import csv
from nucleate.files.entries import Entry, Scalar, column, each, scalar, shield, unshield

RESERVED = ("numbers", "frac", "lattice")
"""Columns of the structure; an `info` column of such a name is written with an underscore before it."""


def holds_crystals(path: Path) -> bool:
    """Whether a file has the columns of the structure, so that `load` can read it.

    Raises:
        UserError: it is not Parquet.
    """
    return _holds_crystals(_opened(path).schema_arrow)


def load(source: Path | io.BytesIO, limit: int | None = None) -> Crystals:
    """Reads the crystals of a file that this module wrote, or the first `limit` of them.

    Raises:
        UserError: it is not Parquet, or its columns do not fit together.
    """
    table = _read(source).slice(0, limit)
    numbers, frac, lattice = (table[name].combine_chunks() for name in RESERVED)
    try:
        return Crystals(
            torch.from_numpy(_array(numbers.flatten()).astype(np.uint8)),
            torch.from_numpy(_array(frac.flatten()).reshape(-1, 3)),
            torch.from_numpy(_array(lattice.flatten()).reshape(-1, 3, 3)),
            torch.from_numpy(_array(numbers.value_lengths()).astype(np.int64)),
            {unshield(name, RESERVED): _array(table[name]) for name in table.column_names if name not in RESERVED},
        )
    except (ValueError, TypeError, AttributeError) as error:
        raise UserError(f"its columns {', '.join(RESERVED)} are no crystals: {error}") from error


def split(data: bytes) -> Iterator[tuple[Entry | str, dict[str, Scalar]]]:
    """Gives the crystals of a file, or the texts of its `cif` column, with the other cells of their rows.

    Raises:
        UserError: it is not Parquet, or has neither.
    """
    table = _read(io.BytesIO(data))
    if _holds_crystals(table.schema):
        yield from ((entry, {}) for entry in each(load(io.BytesIO(data))))
        return
    if csv.CIF not in table.column_names:
        raise UserError(f"there is no column 'cif'; the columns are {', '.join(table.column_names)}")
    for row in table.to_pylist():
        text = row.pop(csv.CIF)
        yield str(text or ""), {name: scalar(value) for name, value in row.items()}


def parse(content: Entry | str) -> Entry:
    """Reads a CIF; a crystal is taken as it is.

    Raises:
        BadEntryError: with the reason; and whatever pymatgen raises.
    """
    return content if isinstance(content, Entry) else csv.parse(content)


def dump(crystals: Crystals) -> bytes:
    """Writes everything as it is, but for values of `info` that are neither numbers nor truth values nor text."""
    crystals = crystals.to("cpu")
    ends = crystals.offsets.numpy().astype(np.int32)
    columns = {
        "numbers": pa.ListArray.from_arrays(pa.array(ends), pa.array(crystals.numbers.numpy())),
        "frac": pa.ListArray.from_arrays(pa.array(3 * ends), pa.array(crystals.frac.numpy().ravel())),
        "lattice": pa.FixedSizeListArray.from_arrays(pa.array(crystals.lattice.numpy().ravel()), 9),
        **{shield(name, RESERVED): _arrow(values) for name, values in crystals.info.items()},
    }
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def _holds_crystals(schema: pa.Schema) -> bool:
    return set(RESERVED) <= set(schema.names)


def _opened(source: Path | io.BytesIO) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(source)
    except pa.ArrowException as error:
        raise UserError(f"not Parquet: {error}") from error


def _read(source: Path | io.BytesIO) -> pa.Table:
    try:
        return _opened(source).read()
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"not Parquet: {error}") from error


def _array(values: pa.Array | pa.ChunkedArray) -> np.ndarray:
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    kind = values.type
    if pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_string(kind):
        return values.to_numpy(zero_copy_only=False, writable=True)
    return column([scalar(value) for value in values.to_pylist()])


def _arrow(values: np.ndarray) -> pa.Array:
    if values.dtype != object:
        return pa.array(values)
    cells = column([scalar(value) for value in values])
    if cells.dtype != object:
        return pa.array(cells)
    truth = any(isinstance(cell, bool) for cell in cells)
    return pa.array(
        [cell if cell is None or truth else str(cell) for cell in cells], pa.bool_() if truth else pa.string()
    )
