"""CSV with a `cif` column: the form of the field's data sets. All other columns are `info`."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Iterator, Sequence

from nucleate.crystals import FAILURE, Crystals
from nucleate.errors import UserError
from nucleate.files import cif
from nucleate.files.entries import Entry, Scalar, each
from nucleate.files.failures import DETAIL, BadEntryError, Failure

CIF = "cif"

INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?(inf|nan)", re.IGNORECASE)
IDENTIFIER = re.compile(r"[+-]?(0[0-9]|[0-9]{19})")
"""Digits that are a name, such as `007`, and that a number would not give back."""

TRUTH = {"True": True, "False": False}


def split(text: str) -> Iterator[tuple[str, dict[str, Scalar]]]:
    """Gives the CIF text of each row and its other cells: numbers where the whole column is, blanks are None.

    A column without a name, or with one that was there before, has its place added to it.

    Raises:
        UserError: there is no `cif` column.
    """
    header, *rows = _rows(text)
    names = [
        name if name and name not in header[:place] else f"{name or 'column'}_{place}"
        for place, name in enumerate(header)
    ]
    if CIF not in names:
        raise UserError(f"there is no column 'cif'; the columns are {', '.join(names)}")
    # A short row lacks its last cells, and cells beyond the header have no column.
    columns = {name: [row[place] if place < len(row) else "" for row in rows] for place, name in enumerate(names)}
    texts = columns.pop(CIF)
    info = {name: _cells(name, values) for name, values in columns.items()}
    for place, text_of_row in enumerate(texts):
        yield text_of_row, {name: values[place] for name, values in info.items()}


def parse(text: str) -> Entry:
    """Reads the CIF of one row.

    Raises:
        BadEntryError: with the reason; and whatever pymatgen raises.
    """
    if not text.strip():
        raise BadEntryError(Failure.UNPARSEABLE, "the cif is blank")
    blocks = list(cif.split(text))
    if len(blocks) > 1:
        raise BadEntryError(Failure.UNPARSEABLE, f"the cif has {len(blocks)} crystals")
    return cif.parse(blocks[0])


def dump(crystals: Crystals) -> str:
    """Writes the `info` columns and the CIF, which is blank for a crystal that could not be built."""
    names = [name for name in crystals.info if name != CIF]
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\n")
    writer.writerow([*names, CIF])
    for entry, text in zip(each(crystals), cif.texts(crystals), strict=True):
        writer.writerow([*(_cell(entry.info[name]) for name in names), "" if entry.failure else text])
    return sheet.getvalue()


def _rows(text: str) -> list[list[str]]:
    limit = csv.field_size_limit(sys.maxsize)  # the default of 128 kB is less than the CIF of a large cell
    try:
        return [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    except csv.Error as error:
        raise UserError(f"not CSV: {error}") from error
    finally:
        csv.field_size_limit(limit)


def _cells(name: str, values: Sequence[str]) -> Sequence[Scalar]:
    stated = [value for value in values if value]
    if name in (FAILURE, DETAIL):
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
