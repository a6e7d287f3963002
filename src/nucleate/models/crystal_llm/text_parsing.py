"""Reads crystals from text. Whatever the text is, there is a crystal or a reason why not, and the line where it broke.

Texts come from a model and can be anything. The time to read one grows with its length and no faster, reading stops at
the first thing that is wrong, and only ASCII counts: `٣` is a digit to Python, but no number here.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np
import torch

from nucleate.crystals import FAILURE, Crystals
from nucleate.elements import MAX_NUMBER, NUMBERS
from nucleate.geometry import lattice as cells

FAILURE_LINE = "failure_line"
"""Name of the `info` column with the line, counted from 1, at which a text could not be read on; 0 if it could."""

TEXT = "text"
"""Name of the `info` column with the texts that could not be read; the empty string where one could."""

MAX_ATOMS = 500
"""Most atoms of a crystal that is read, if nothing else is said."""

MAX_LENGTH = 1000.0
"""Å; a longer edge of a cell is a failure."""

FLAT = 1e-4
"""Angles are of no solid corner if the volume is at most this share of a box's (three of 120° lie in a plane)."""


class Reason(StrEnum):
    """Why a text, or an answer of a language model, is no crystal."""

    NO_TEXT = "no_text"
    """There is nothing but blanks."""
    BAD_LENGTHS = "bad_lengths"
    """The first line is not three lengths, each above 0 and at most `MAX_LENGTH`."""
    MISSING_ANGLES = "missing_angles"
    """The text ends after the lengths."""
    BAD_ANGLES = "bad_angles"
    """The second line is not three angles, each between 0 and 180 degrees."""
    IMPOSSIBLE_CELL = "impossible_cell"
    """No solid corner has these three angles."""
    NO_ATOMS = "no_atoms"
    """The text ends after the angles."""
    UNKNOWN_ELEMENT = "unknown_element"
    """A line that has to be the symbol of an element, of atomic number 100 at most, is not."""
    MISSING_COORDINATES = "missing_coordinates"
    """The text ends after an element."""
    BAD_COORDINATES = "bad_coordinates"
    """A line that has to be three coordinates is not."""
    TOO_MANY_ATOMS = "too_many_atoms"
    """There are more atoms than are read."""
    NO_END = "no_end"
    """The answer was cut before the model had ended it. Only a language can tell."""
    WRONG_FORMULA = "wrong_formula"
    """The crystal is not of the formula that was asked for. Only a language can tell."""


class Parsed(NamedTuple):
    """What a text says, or why it says nothing."""

    numbers: list[int]
    frac: list[list[float]]
    cell: list[float]
    """Three lengths in Å and three angles in degrees; NaN if the text could not be read."""
    reason: str = ""
    """Why it could not be read; empty if it could."""
    line: int = 0
    """Where reading stopped; 0 if it did not."""
    angles: int = 0
    """The line that the angles are on."""


def failed_at(reason: Reason, line: int) -> Parsed:
    """A text that could not be read."""
    return Parsed([], [], [float("nan")] * 6, str(reason), line)


def read(
    texts: Sequence[str],
    *,
    max_atoms: int = MAX_ATOMS,
    keep_text: bool = False,
    info: Mapping[str, Sequence[Any] | np.ndarray] | None = None,
) -> Crystals:
    """Reads texts into crystals, coordinates wrapped to [0, 1). Never raises for a text.

    Blank lines are passed over. Numbers are decimals in ASCII without exponents, however many decimals they have.

    Args:
        texts: one a crystal.
        max_atoms: a text with more atoms fails.
        keep_text: keeps the texts that failed in the column `text`.
        info: more columns.

    Returns:
        One row a text. One that cannot be read has no atoms, a NaN lattice, its `Reason` in `info["failure"]` and the
        line where reading stopped in `info["failure_line"]`.
    """
    return built([parse(text, max_atoms) for text in texts], texts if keep_text else None, info)


def built(
    rows: Sequence[Parsed],
    texts: Sequence[str] | None = None,
    info: Mapping[str, Sequence[Any] | np.ndarray] | None = None,
) -> Crystals:
    """Makes crystals of what was read.

    Args:
        rows: one a crystal.
        texts: that they were read from, of which those that failed are kept; None keeps none.
        info: more columns.
    """
    cell = torch.tensor([row.cell for row in rows], dtype=torch.float64).reshape(-1, 6)
    lattice = cells.matrix(cell[:, :3], cell[:, 3:])
    solid = cells.volume(lattice) > FLAT * cell[:, :3].prod(1)  # False for NaN
    lattice = torch.where(solid[:, None, None], lattice, torch.nan)
    rows = [
        failed_at(Reason.IMPOSSIBLE_CELL, row.angles) if not whole and not row.reason else row
        for row, whole in zip(rows, solid.tolist(), strict=True)
    ]
    columns = {
        **(info or {}),
        FAILURE: np.array([row.reason for row in rows], dtype=object),
        FAILURE_LINE: np.array([row.line for row in rows], dtype=np.int64),
    }
    if texts is not None:
        kept = [text if row.reason else "" for row, text in zip(rows, texts, strict=True)]
        columns[TEXT] = np.array(kept, dtype=object)
    return Crystals.build([row.numbers for row in rows], [row.frac for row in rows], lattice.numpy(), columns)


def parse(text: str, max_atoms: int = MAX_ATOMS) -> Parsed:
    """Reads one text as far as it goes; whether the angles make a solid corner is not looked at.

    Args:
        text: of one crystal.
        max_atoms: reading stops at one more.
    """
    lines = _Lines(text)
    place, line = lines.take()
    if line is None:
        return failed_at(Reason.NO_TEXT, place)
    lengths = _three_numbers(line)
    if lengths is None or not all(0 < length <= MAX_LENGTH for length in lengths):
        return failed_at(Reason.BAD_LENGTHS, place)
    place, line = lines.take()
    if line is None:
        return failed_at(Reason.MISSING_ANGLES, place)
    angles = _three_numbers(line)
    if angles is None or not all(0 < angle < 180 for angle in angles):
        return failed_at(Reason.BAD_ANGLES, place)
    return _atoms(lines, [*lengths, *angles], max_atoms)._replace(angles=place)


def _atoms(lines: _Lines, cell: list[float], max_atoms: int) -> Parsed:
    """Reads the atoms that follow a cell."""
    numbers: list[int] = []
    frac: list[list[float]] = []
    while True:
        place, line = lines.take()
        if line is None:
            return Parsed(numbers, frac, cell) if numbers else failed_at(Reason.NO_ATOMS, place)
        if len(numbers) == max_atoms:
            return failed_at(Reason.TOO_MANY_ATOMS, place)
        number = read_element(line)
        if number is None:
            return failed_at(Reason.UNKNOWN_ELEMENT, place)
        place, line = lines.take()
        if line is None:
            return failed_at(Reason.MISSING_COORDINATES, place)
        coordinates = _three_numbers(line)
        if coordinates is None:
            return failed_at(Reason.BAD_COORDINATES, place)
        numbers.append(number)
        frac.append(coordinates)


class _Lines:
    """The lines of a text that are not blank, one after the other, so that the rest of a long text is left alone."""

    def __init__(self, text: str) -> None:
        self.place = 0
        self._lines: Iterator[str] = iter(io.StringIO(text, newline="\n"))

    def take(self) -> tuple[int, str | None]:
        """The number of the next line and what it says; None, and the number after the last line, at the end."""
        for line in self._lines:
            self.place += 1
            if line.strip(_BLANKS):
                return self.place, line
        return self.place + 1, None


def read_element(text: str) -> int | None:
    """Atomic number of the element that a text names, and nothing else; None if there is no such, or above 100."""
    number = NUMBERS.get(text.strip(_BLANKS))
    return number if number is not None and number <= MAX_NUMBER else None


def _three_numbers(line: str) -> list[float] | None:
    """The three decimals that a line consists of; None if it does not."""
    found = _THREE.fullmatch(line)
    return None if found is None else [float(number) for number in found.groups()]


_BLANKS = " \t\r\n"
# The number of digits is bounded, so that no match costs more than the line is long, and nothing is huge.
_NUMBER = r"([+-]?(?:[0-9]{1,6}(?:\.[0-9]{0,15})?|\.[0-9]{1,15}))"
_THREE = re.compile(rf"[ \t]*{_NUMBER}[ \t]+{_NUMBER}[ \t]+{_NUMBER}[ \t\r]*\n?")
