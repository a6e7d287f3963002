"""Ordinary frames of extended XYZ, read several times faster than ASE does, with the same result.

A frame is ordinary if its comment line holds numbers, truth values, plain text and JSON besides the cell, and its lines
hold elements, places and some well-known columns. Everything else is left to ASE, whose dialect has many corners.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from nucleate.elements import NUMBERS, SYMBOLS
from nucleate.files.entries import ISOTOPES, Entry, Scalar, check_cell, scalar
from nucleate.files.failures import BadEntryError, Failure

WORD = re.compile(r'\s*([A-Za-z_][\w.-]*)=(?:"((?:[^"\\]|\\.)*)"|([^\s"\'{}\[\]=\\]+))(?!\S)', re.ASCII)
"""A key and its value, with or without quotes; within them a backslash stands before a character that is meant."""

JSON = "_JSON "
"""How a value starts that is written as JSON."""

INTEGER = re.compile(r"-?[0-9]{1,18}", re.ASCII)
REAL = re.compile(r"[+-]?[0-9]+(\.[0-9]*([eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+)", re.ASCII)
NO_NUMBERS = ("nan", "inf", "-inf")
TRUTH = {
    "T": True,
    "True": True,
    "true": True,
    "TRUE": True,
    "F": False,
    "False": False,
    "false": False,
    "FALSE": False,
}
VALUES = re.compile(r"(t|f|true|false|nan|inf|infinity)\b", re.IGNORECASE)
"""How text starts that may be a list of truth values or numbers."""

PBC = re.compile(r"[TF] [TF] [TF]")

RESULTS = ("energy", "free_energy", "magmom")
"""Keys that ASE takes for results of a calculator, which come last in its information on a frame."""

ODD = ("uid", "stress", "virial", "dipole", "polarization", "dielectric_tensor", "lattice", "properties", "pbc")
"""Keys, in any case, that ASE treats in a way of their own."""

PASSED_OVER = {"forces", "force", "vel", "velo", "velocities", "momenta", "magmoms", "tags", "id"}
"""Columns of atoms that are not read."""

ORDINARY = "species:S:1:pos:R:3"


class Layout(NamedTuple):
    """Where in the line of an atom its element and its place stand."""

    element: int
    is_number: bool
    """Whether the element is given by its atomic number."""
    place: int
    reals: tuple[int, ...]
    """All columns that hold real numbers, but the place."""
    integers: tuple[int, ...]
    width: int


def read(comment: str, lines: Sequence[str]) -> tuple[Entry | None, dict[str, Scalar]] | None:
    """Reads an ordinary frame.

    Args:
        comment: its second line.
        lines: those of its atoms, without blank ones.

    Returns:
        What it holds, whose `info` is empty, and its `info`; no entry if it has neither atoms nor a cell. None if the
        frame is not ordinary.

    Raises:
        BadEntryError: with the reason.
    """
    found = _keys(comment)
    if found is None:
        return None
    info, cell, properties = found
    try:
        return _entry(lines, cell, properties, info)
    except BadEntryError as error:
        error.info = info
        raise


def _entry(
    lines: Sequence[str], cell: list[float] | None, properties: str, info: dict[str, Scalar]
) -> tuple[Entry | None, dict[str, Scalar]] | None:
    layout = _layout(properties)
    if layout is None:
        return None
    if not lines and cell is None:
        return None, info
    numbers, places = _atoms(lines, layout)
    if numbers is None:
        return None
    vectors = [] if cell is None else [cell[start : start + 3] for start in (0, 3, 6)]
    rank = sum(any(vector) for vector in vectors)
    if rank < 3:
        raise BadEntryError(Failure.BAD_LATTICE, f"there are {rank} lattice vectors")
    lattice = np.array(vectors)
    check_cell(lattice)
    if not numbers:
        raise BadEntryError(Failure.NO_ATOMS, "there are no atoms")
    positions = np.array(places).reshape(-1, 3)
    return Entry.of_numbers(numbers, np.linalg.solve(lattice.T, positions.T).T, lattice), info


def _keys(comment: str) -> tuple[dict[str, Scalar], list[float] | None, str] | None:
    """The `info`, cell and layout that a comment line states; None if it is not plain."""
    info: dict[str, Scalar] = {}
    cell, properties, place = None, ORDINARY, 0
    comment = comment.strip()
    while place < len(comment):
        match = WORD.match(comment, place)
        if match is None:
            return None
        place = match.end()
        key, quoted, bare = match.groups()
        text = bare if quoted is None else re.sub(r"\\(.)", r"\1", quoted) if "\\" in quoted else quoted
        if key == "Lattice":
            cell = _nine(text)
            if cell is None:
                return None
        elif key == "Properties":
            properties = text
        elif key == "pbc":
            if not PBC.fullmatch(text):
                return None
        elif key.lower() in ODD:
            return None
        else:
            value = _value(text)
            if value is None or (key in RESULTS and (isinstance(value, (str, bool)))):
                return None
            info[key] = value
    results = {key: info.pop(key) for key in list(info) if key in RESULTS}
    return {**info, **results}, cell, properties


def _nine(text: str) -> list[float] | None:
    words = text.split()
    if len(words) != 9 or not all(INTEGER.fullmatch(word) or REAL.fullmatch(word) for word in words):
        return None
    return [float(word) for word in words]


def _value(text: str) -> Scalar:
    """A number, a truth value or plain text; None if ASE has to say what it is."""
    if INTEGER.fullmatch(text):
        return int(text)
    if REAL.fullmatch(text) or text in NO_NUMBERS:
        return float(text)
    if text in TRUTH:
        return TRUTH[text]
    if text.startswith(JSON):
        return _from_json(text.removeprefix(JSON))
    return text if text[:1].isascii() and text[:1].isalpha() and not VALUES.match(text) else None


def _from_json(text: str) -> Scalar:
    """A value that is written as JSON; None if ASE has to look at it."""
    try:
        return scalar(json.loads(text))
    except ValueError:
        return None


@lru_cache(maxsize=64)
def _layout(properties: str) -> Layout | None:
    """Where things stand; None if it is out of the ordinary.

    Raises:
        BadEntryError: the species are numbers, which may be types of atoms as well as atomic numbers.
    """
    fields = properties.split(":")
    if len(fields) % 3 or not all(width in ("1", "2", "3") for width in fields[2::3]):
        return None
    starts: dict[tuple[str, str, str], int] = {}
    reals, integers, width = [], [], 0
    for name, kind, columns in zip(fields[::3], fields[1::3], fields[2::3], strict=True):
        if kind not in ("R", "I", "S") or name in {known for known, _, _ in starts}:
            return None
        starts[name, kind, columns] = width
        if name not in ("species", "pos", "Z"):
            (reals if kind == "R" else integers if kind == "I" else []).extend(range(width, width + int(columns)))
        width += int(columns)
    if ("species", "I", "1") in starts:
        message = "the species are numbers, which may be types; atomic numbers are named Z:I:1 in the Properties"
        raise BadEntryError(Failure.UNKNOWN_ELEMENT, message)
    place = starts.pop(("pos", "R", "3"), None)
    symbol, number = starts.pop(("species", "S", "1"), None), starts.pop(("Z", "I", "1"), None)
    if place is None or (symbol is None) == (number is None) or not {name for name, _, _ in starts} <= PASSED_OVER:
        return None
    element = symbol if number is None else number
    assert element is not None  # noqa: S101
    return Layout(element, number is not None, place, tuple(reals), tuple(integers), width)


def _atoms(lines: Sequence[str], layout: Layout) -> tuple[list[int] | None, list[float]]:
    """Atomic numbers and Cartesian coordinates; no numbers if ASE has to look at a symbol."""
    rows = [line.split() for line in lines]
    for atom, row in enumerate(rows):
        if len(row) < layout.width:
            message = f"atom {atom} has {len(row)} columns of the {layout.width} that the Properties name"
            raise BadEntryError(Failure.UNPARSEABLE, message)
    start, end = layout.place, layout.place + 3
    try:
        places = [float(word) for row in rows for word in row[start:end]]
        for column in layout.reals:
            _ = [float(row[column]) for row in rows]
        for column in layout.integers:
            _ = [int(row[column]) for row in rows]
    except ValueError:
        raise _bad_number(rows, layout) from None
    words = [row[layout.element] for row in rows]
    return [_element(word, layout.is_number) for word in words] if "X" not in words else None, places


def _bad_number(rows: Sequence[Sequence[str]], layout: Layout) -> BadEntryError:
    for atom, row in enumerate(rows):
        columns = (*range(layout.place, layout.place + 3), *layout.reals, *layout.integers)
        for kind, column in [(int if column in layout.integers else float, column) for column in columns]:
            try:
                kind(row[column])
            except ValueError:
                return BadEntryError(Failure.UNPARSEABLE, f"atom {atom}: {row[column][:60]!r} is not a number")
    raise AssertionError("all are numbers")


def _element(word: str, is_number: bool) -> int:
    if is_number:
        number = int(word) if INTEGER.fullmatch(word) else 0
        if not 0 < number < len(SYMBOLS):
            raise BadEntryError(Failure.UNKNOWN_ELEMENT, f"Z={word} is not an element")
        return number
    number = NUMBERS.get(word) or ISOTOPES.get(word) or NUMBERS.get(word.capitalize())
    if number is None:
        raise BadEntryError(Failure.UNKNOWN_ELEMENT, f"{word[:60]!r} is not an element")
    return number
