"""CSV with a column of structures, such as `cif`: the form of the field's data sets. All other columns are `info`."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Iterator, Sequence

from nucleate.crystals import Crystals
from nucleate.errors import UserError
from nucleate.files import cif, structure_column
from nucleate.files.entries import Scalar, each, shield, unshield
from nucleate.files.ownership import NAMES, of_table, of_written_table

DELIMITERS = (",", ";", "\t", "|")

HEADER = 1 << 16
"""Characters that the header takes at most."""

RESERVED = (structure_column.CIF,)
"""The column of structures; an `info` column of that name is written with an underscore before it."""

INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?(inf|nan)", re.IGNORECASE)
IDENTIFIER = re.compile(r"[+-]?(0[0-9]|[0-9]{19})")
"""Digits that are a name, such as `007`, and that a number would not give back."""

TRUTH = {"True": True, "False": False}


def split(text: str) -> Iterator[tuple[str, dict[str, Scalar]]]:
    """Gives the structure of each row, as text, and its other cells: numbers if the whole column is, blanks None.

    Cells are separated by a comma, a semicolon, a tab or a bar, whichever makes the header name a column of structures.
    A column without a name, or with one that was there before, has its place added to it.

    Raises:
        UserError: there is no column of structures, or it is not clear which it is.
    """
    header, *rows = _rows(text, _delimiter(text))
    names = [
        name if name and name not in header[:place] else f"{name or 'column'}_{place}"
        for place, name in enumerate(header)
    ]
    # A short row lacks its last cells, and cells beyond the header have no column.
    columns = {name: [row[place] if place < len(row) else "" for row in rows] for place, name in enumerate(names)}
    texts = columns.pop(structure_column.find(names))
    known = of_table(columns, [not structure_column.is_blank(cell) for cell in texts])
    info = {unshield(known[name], RESERVED): _cells(known[name], values) for name, values in columns.items()}
    for place, text_of_row in enumerate(texts):
        yield text_of_row, {name: values[place] for name, values in info.items()}


parse = structure_column.parse


def dump(crystals: Crystals, delimiter: str = ",") -> str:
    """Writes the `info` columns and the CIF, which is blank for a crystal that could not be built."""
    names = of_written_table(crystals.info, all_built=bool(crystals.built.all()))
    sheet = io.StringIO()
    writer = csv.writer(sheet, delimiter=delimiter, lineterminator="\n")
    writer.writerow([*(shield(name, RESERVED) for name in names.values()), structure_column.CIF])
    for entry, text in zip(each(crystals), cif.texts(crystals), strict=True):
        writer.writerow([*(_cell(entry.info[name]) for name in names), "" if entry.failure else text])
    return sheet.getvalue()


def _delimiter(text: str) -> str:
    """The delimiter that makes the header name a column of structures; a comma if none does.

    Raises:
        UserError: several do, in different ways.
    """
    headers = {delimiter: next(_records(text[:HEADER], delimiter), []) for delimiter in DELIMITERS}
    found = [delimiter for delimiter, header in headers.items() if structure_column.candidates(header)]
    if len(found) > 1 and any(len(headers[delimiter]) > 1 for delimiter in found):
        raise UserError(f"it is not clear what separates the cells: {' or '.join(map(repr, found))}")
    return found[0] if found else ","


def _rows(text: str, delimiter: str) -> list[list[str]]:
    return list(_records(text, delimiter))


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    """The rows that are not blank, the header first."""
    limit = csv.field_size_limit(sys.maxsize)  # the default of 128 kB is less than the CIF of a large cell
    try:
        yield from (row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row)
    except csv.Error as error:
        raise UserError(f"not CSV: {error}") from error
    finally:
        csv.field_size_limit(limit)


def _cells(name: str, values: Sequence[str]) -> Sequence[Scalar]:
    stated = [value for value in values if value]
    if name in NAMES:
        return values
    if all(value in TRUTH for value in stated) and stated:
        return [TRUTH.get(value) for value in values]
    if all(INTEGER.fullmatch(value) for value in stated) and len(stated) == len(values):
        return [int(value) for value in values]
    if all(NUMBER.fullmatch(value) and not IDENTIFIER.match(value) for value in stated):
        return [float(value) if value else float("nan") for value in values]
    return [value or None for value in values]


def _cell(value: Scalar) -> Scalar:
    return "" if value is None or value != value else value
