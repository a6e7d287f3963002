"""Parquet: the loss-free form of `Crystals`, read and written by pyarrow alone, in milliseconds.

A row is a crystal: `numbers` is a list of atomic numbers, `frac` one of fractional coordinates (x, y, z of the first
atom, then of the next), `lattice` the nine numbers of the row vectors in Å, and every other column is `info`.
A table of another origin, with a column of structures or with OPTIMADE's fields, is read as well.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import BufferedIOBase
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from nucleate.crystals import FAILURE, Crystals
from nucleate.errors import UserError
from nucleate.files import structure_column
from nucleate.files.dialects import jarvis, optimade
from nucleate.files.entries import Scalar, column, scalar, shield, unshield
from nucleate.files.ownership import of_table, renamed

RESERVED = ("numbers", "frac", "lattice")
"""Columns of the structure; an `info` column of such a name is written with an underscore before it."""


def holds_crystals(source: Path | BufferedIOBase) -> bool:
    """Whether a file has the columns of the structure, so that `load` can read it.

    Raises:
        UserError: it is not Parquet.
    """
    return _holds_crystals(_opened(source).schema_arrow)


def load(source: Path | BufferedIOBase, limit: int | None = None) -> Crystals:
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
            {_name(table, name): _array(table[name]) for name in table.column_names if name not in RESERVED},
        )
    except (ValueError, TypeError, AttributeError) as error:
        raise UserError(f"its columns {', '.join(RESERVED)} are no crystals: {error}") from error


def split(data: bytes) -> Iterator[tuple[Any, dict[str, Scalar]]]:
    """Gives what holds the structure of each row of a table of another origin, and its other cells.

    Raises:
        UserError: it is not Parquet, or has no column of structures.
    """
    table = _read(io.BytesIO(data))
    names = structure_columns(table.column_names)
    contents = [_content(row, names) for row in table.select(names).to_pylist()]
    others = table.drop_columns(names)
    columns = {name: others[name].to_pylist() for name in others.column_names}
    known = of_table(columns, [not structure_column.is_blank(content) for content in contents])
    rows: Iterable[tuple[Any, ...]] = zip(*columns.values(), strict=True) if columns else [()] * len(contents)
    for content, row in zip(contents, rows, strict=True):
        yield content, {known[name]: scalar(value) for name, value in zip(columns, row, strict=True)}


parse = structure_column.parse


def structure_columns(names: Sequence[str]) -> list[str]:
    """The columns of a table that hold the structures: one, or those of OPTIMADE's fields.

    Raises:
        UserError: there is none, or it is not clear which it is.
    """
    if not structure_column.candidates(names):
        if set(optimade.COLUMNS) <= set(names):
            return [name for name in names if name in optimade.STRUCTURAL]
        if jarvis.ATOMS in names:
            return [jarvis.ATOMS]
    return [structure_column.find(names)]


def _content(row: Mapping[str, Any], names: Sequence[str]) -> Any:
    """One cell; or a mapping of several, or of one that is a record's, without the fields that other rows have."""
    content = row[names[0]] if len(names) == 1 else row
    return _stated(content) if isinstance(content, Mapping) else content


def _stated(value: Any) -> Any:
    """A nested value without the blanks that Parquet gives to fields that a row does not have."""
    if isinstance(value, Mapping):
        return {name: _stated(part) for name, part in value.items() if part is not None}
    return [_stated(part) for part in value] if isinstance(value, list) else value


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


def _name(table: pa.Table, name: str) -> str:
    """The name in `info` of a column; reasons that are no text are not this package's."""
    foreign = FAILURE in table.column_names and not _is_text(table[FAILURE].type)
    return renamed(name) if foreign else unshield(name, RESERVED)


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind)


def _opened(source: Path | BufferedIOBase) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(source)
    except pa.ArrowException as error:
        raise UserError(f"not Parquet: {error}") from error


def _read(source: Path | BufferedIOBase) -> pa.Table:
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
