"""POSCAR (CONTCAR, .vasp) of VASP 5 and 6: read as VASP reads it, written with all digits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from nucleate.crystals import Crystals
from nucleate.elements import SYMBOLS
from nucleate.errors import UserError
from nucleate.files.entries import Entry, check_cell, each, is_element
from nucleate.files.failures import BadEntryError, Failure

COMMENT = re.compile(r"[!#].*")
"""What may follow the names and numbers of a line."""

INTEGER = re.compile(r"[0-9]{1,9}", re.ASCII)

JOINED = re.compile(r"(?<=[0-9.])-")
"""A sign that a fixed format has written without a space before it."""

SPECIES = 5
"""The line of the elements, counted from 0."""

MAX_SHOWN = 40


def split(text: str) -> Iterator[str]:
    """A POSCAR holds one crystal."""
    yield text


def parse(text: str) -> Entry:
    """Reads a POSCAR.

    The scale is one number, which is a volume in Å³ if it is negative, or one for each Cartesian direction. The name of
    a potential stands for its element (`Sc_pv`, `Fe/abc123`), and an element may come several times. Comments,
    selective dynamics and velocities are passed over. Elements that only another file names (VASP 4) are refused.

    Raises:
        BadEntryError: with the reason, and the line.
    """
    lines = text.split("\n")
    factors = _scale(_words(lines, 1, "the scale"))
    vectors = np.array([_three(lines, row, "a lattice vector") for row in (2, 3, 4)])
    scale = _lengths(factors, vectors)
    lattice = vectors * scale
    names, counts, place = _species(lines)
    selective, cartesian, place = _mode(lines, place)
    total = sum(counts)
    stated = sum(bool(line.strip()) for line in lines[place:])
    if stated < total:
        raise BadEntryError(Failure.UNPARSEABLE, f"it says {total} atoms and ends after {stated}")
    places = np.array([_three(lines, place + atom, f"atom {atom}") for atom in range(total)]).reshape(-1, 3)
    if names:
        symbols = [name for name, count in zip(names, counts, strict=True) for _ in range(count)]
    else:
        symbols = _named_behind(lines[place : place + total], 6 if selective else 3)
    check_cell(lattice)
    frac = np.linalg.solve(lattice.T, (places * scale).T).T if cartesian else places
    return Entry.checked(symbols, frac, lattice)


def _words(lines: Sequence[str], row: int, what: str) -> list[str]:
    """The words of a line without its comment.

    Raises:
        BadEntryError: there is no such line, or nothing on it.
    """
    if row >= len(lines) or not any(line.strip() for line in lines[row:]):
        raise BadEntryError(Failure.UNPARSEABLE, f"it ends before {what}")
    words = COMMENT.sub("", lines[row]).split()
    if not words:
        raise BadEntryError(Failure.UNPARSEABLE, f"line {row + 1} is blank; {what} belongs there")
    return words


def _three(lines: Sequence[str], row: int, what: str) -> list[float]:
    """The first three numbers of a line."""
    words = _words(lines, row, what)
    if len(words) < 3:
        words = JOINED.sub(" -", " ".join(words)).split()
    numbers = [_number(word) for word in words[:3]]
    found = [number for number in numbers if number is not None]
    if len(found) != 3:
        message = f"line {row + 1} should start with three numbers ({what}): {_shown(lines[row])}"
        raise BadEntryError(Failure.UNPARSEABLE, message)
    return found


def _number(word: str) -> float | None:
    try:
        return float(word.replace("d", "e").replace("D", "e"))  # 1.0D0, as Fortran writes
    except ValueError:
        return None


def _scale(words: Sequence[str]) -> list[float]:
    """The one or three factors that a line of the scale starts with."""
    numbers = [_number(word) for word in words]
    count = next((place for place, number in enumerate(numbers) if number is None), len(numbers))
    factors = [number for number in numbers[:count] if number is not None]
    if count not in (1, 3):
        message = f"line 2 should hold the scale, one number or three: {_shown(' '.join(words))}"
        raise BadEntryError(Failure.UNPARSEABLE, message)
    if 0 in factors or (count == 3 and min(factors) < 0):
        raise BadEntryError(Failure.BAD_LATTICE, f"the scale is {' '.join(words[:count])}")
    return factors


def _lengths(factors: Sequence[float], vectors: np.ndarray) -> np.ndarray:
    """What Cartesian coordinates are multiplied with; a negative scale is the volume that the cell shall have."""
    if len(factors) == 3 or factors[0] > 0 or factors[0] != factors[0]:
        return np.array(factors)
    check_cell(vectors)
    return np.cbrt(-np.array(factors) / abs(np.linalg.det(vectors)))


def _species(lines: Sequence[str]) -> tuple[list[str], list[int], int]:
    """The elements, none if they are not named; their counts; and the line that follows."""
    names: list[str] = []
    place = SPECIES
    while not INTEGER.fullmatch((words := _words(lines, place, "the number of atoms of each element"))[0]):
        names += [_element(word, place) for word in words]
        place += 1
    counts = _counts(words)
    place += 1
    while len(counts) < len(names):  # VASP writes 20 on a line
        more = _counts(_words(lines, place, f"the numbers of atoms of {len(names)} elements"))
        if not more:
            break
        counts += more
        place += 1
    if names and len(counts) != len(names):
        raise BadEntryError(Failure.UNPARSEABLE, f"there are {len(names)} elements and {len(counts)} numbers of atoms")
    return names, counts, place


def _counts(words: Sequence[str]) -> list[int]:
    """The whole numbers that a line starts with; what follows is a comment."""
    count = next((place for place, word in enumerate(words) if not INTEGER.fullmatch(word)), len(words))
    return [int(word) for word in words[:count]]


def _element(name: str, place: int) -> str:
    symbol = name.split("/")[0].split("_")[0]
    if is_element(symbol):
        return symbol
    kind = Failure.UNKNOWN_ELEMENT if name[0].isalpha() else Failure.UNPARSEABLE
    raise BadEntryError(
        kind, f"line {place + 1} should name elements or their numbers of atoms: {_shown(name)} is none"
    )


def _mode(lines: Sequence[str], place: int) -> tuple[bool, bool, int]:
    """Whether flags of selective dynamics follow the coordinates, whether these are Cartesian, and the line after."""
    what = "whether coordinates are direct or Cartesian"
    word = _words(lines, place, what)[0]
    selective = word[0] in "sS"
    if selective:
        place += 1
        word = _words(lines, place, what)[0]
    if not word[0].isalpha():
        raise BadEntryError(Failure.UNPARSEABLE, f"line {place + 1} should say {what}: {_shown(lines[place])}")
    return selective, word[0] in "cCkK", place + 1


def _named_behind(lines: Sequence[str], place: int) -> list[str]:
    """The elements that stand behind the coordinates, where VASP itself takes them for a comment."""
    words = [line.split() for line in lines]
    symbols = [row[place] for row in words if len(row) > place]
    if len(symbols) < len(lines) or not all(is_element(symbol) for symbol in symbols):
        raise BadEntryError(Failure.UNKNOWN_ELEMENT, "the elements are not named (VASP 4): they belong on line 6")
    return symbols


def _shown(text: str) -> str:
    line = " ".join(text.split())
    return repr(line if len(line) <= MAX_SHOWN else f"{line[:MAX_SHOWN]}…")


def dump(crystals: Crystals) -> str:
    """Writes one crystal in fractional coordinates, its atoms grouped by element in order of appearance.

    Raises:
        UserError: there is not exactly one crystal, or it could not be built.
    """
    entries = list(each(crystals))
    if len(entries) != 1 or entries[0].failure:
        raise UserError("a POSCAR holds one crystal; use a name without suffix (a folder), .zip, .extxyz or .csv")
    (entry,) = entries
    kinds, order = list(dict.fromkeys(entry.numbers.tolist())), []
    for z in kinds:
        order += np.flatnonzero(entry.numbers == z).tolist()
    symbols = [SYMBOLS[z] for z in kinds]
    lines = [
        "".join(crystals.formulas),
        "1.0",
        *(_numbers(row) for row in entry.lattice),
        "  ".join(symbols),
        "  ".join(str((entry.numbers == z).sum()) for z in kinds),
        "Direct",
        *(f"{_numbers(entry.frac[i])}  {SYMBOLS[entry.numbers[i]]}" for i in order),
    ]
    return "\n".join(lines) + "\n"


def _numbers(row: np.ndarray) -> str:
    return "  ".join(f"{value:20.16f}" for value in row)
