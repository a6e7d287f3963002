"""One crystal on its way between a file and `Crystals`: what readers return and writers are given."""

from __future__ import annotations

import json
import math
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from nucleate.crystals import FAILURE, Crystals, as_column
from nucleate.elements import NUMBERS, SYMBOLS, reduced_formula
from nucleate.files.failures import DETAIL, BadEntryError, Failure

MIN_THICKNESS = 0.01
"""Cells whose (100), (010) or (001) planes are closer than this, in Å, are flat. The threshold is pymatgen's."""

ISOTOPES = {"D": 1, "T": 1}

Scalar = bool | int | float | str | None
"""What a cell of an `info` column holds; None is a blank."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One crystal; or, if `info["failure"]` holds a reason, the place of one, with no atoms and a NaN lattice.

    Attributes:
        numbers: atomic numbers, shape (n,).
        frac: fractional coordinates, shape (n, 3).
        lattice: row vectors in Å, shape (3, 3).
        info: its cells of the `info` columns.
    """

    numbers: np.ndarray
    frac: np.ndarray
    lattice: np.ndarray
    info: Mapping[str, Scalar] = field(default_factory=dict)

    @property
    def failure(self) -> str:
        """The reason why there is no crystal; empty if there is one."""
        return str(self.info.get(FAILURE) or "")

    @property
    def detail(self) -> str:
        """Where and why it failed, in words."""
        return str(self.info.get(DETAIL) or "")

    @classmethod
    def failed(cls, reason: str, detail: str, info: Mapping[str, Scalar] | None = None) -> Entry:
        """The place of a crystal that could not be built."""
        nothing = np.full((3, 3), np.nan)
        return cls(
            np.zeros(0, np.uint8), np.zeros((0, 3)), nothing, {**(info or {}), FAILURE: str(reason), DETAIL: detail}
        )

    @classmethod
    def checked(cls, symbols: Sequence[str], frac: Any, lattice: Any, info: Mapping[str, Any] | None = None) -> Entry:
        """Builds an entry from what a parser found.

        Raises:
            BadEntryError: there are no atoms, a symbol is no element, a number is not finite, or the cell is flat.
        """
        if not symbols:
            raise BadEntryError(Failure.NO_ATOMS, "there are no atoms")
        return cls.of_numbers([atomic_number(symbol) for symbol in symbols], frac, lattice, info)

    @classmethod
    def of_numbers(
        cls, numbers: Sequence[int], frac: Any, lattice: Any, info: Mapping[str, Any] | None = None
    ) -> Entry:
        """Builds an entry from atomic numbers of elements, at least one.

        Raises:
            BadEntryError: a number is not finite, or the cell is flat.
        """
        places = np.asarray(frac, dtype=np.float64).reshape(-1, 3)
        cell = np.asarray(lattice, dtype=np.float64).reshape(3, 3)
        check_cell(cell)
        bad = np.flatnonzero(~np.isfinite(places).all(1))
        if len(bad):
            raise BadEntryError(
                Failure.NOT_FINITE, f"atom {bad[0]} ({SYMBOLS[numbers[bad[0]]]}) is at {places[bad[0]]}"
            )
        return cls(np.array(numbers, dtype=np.uint8), places, cell, scalars(info or {}))


def atomic_number(symbol: str) -> int:
    """Z of an element; deuterium and tritium are hydrogen.

    Raises:
        BadEntryError: the symbol is no element.
    """
    number = NUMBERS.get(symbol) or ISOTOPES.get(symbol)
    if number is None:
        raise BadEntryError(Failure.UNKNOWN_ELEMENT, f"{symbol!r} is not an element")
    return number


def is_element(symbol: str) -> bool:
    """Whether a symbol is that of an element or an isotope of hydrogen."""
    return symbol in NUMBERS or symbol in ISOTOPES


def check_cell(lattice: np.ndarray) -> None:
    """Refuses a cell, row vectors in Å of shape (3, 3), that is not finite or flat.

    Raises:
        BadEntryError: with the reason.
    """
    if not np.isfinite(lattice).all():
        raise BadEntryError(Failure.NOT_FINITE, "the cell is not finite")
    thickness = _thickness(lattice.tolist())
    if not thickness >= MIN_THICKNESS:  # NaN if it is beyond what numbers can hold
        raise BadEntryError(Failure.ZERO_VOLUME, f"the cell is flat: its planes are {thickness:.2g} Å apart")


def _thickness(lattice: list[list[float]]) -> float:
    """The least distance in Å of neighbouring (100), (010) or (001) planes; without NumPy, slow on one cell."""
    a, b, c = lattice
    normals = [_cross(b, c), _cross(c, a), _cross(a, b)]
    volume = abs(sum(x * y for x, y in zip(a, normals[0], strict=True)))
    area = max(math.hypot(*normal) for normal in normals)
    return volume / area if area else 0.0


def _cross(left: list[float], right: list[float]) -> tuple[float, float, float]:
    (x, y, z), (u, v, w) = left, right
    return y * w - z * v, z * u - x * w, x * v - y * u


def scalar(value: Any) -> Scalar:
    """Makes a cell of an `info` column: numbers, booleans, text and None stay, anything else becomes JSON text."""
    if isinstance(value, (np.generic, np.ndarray)):
        value = value.tolist()  # a number, if there is but one
    if isinstance(value, str):
        return str(value)  # also of its subclasses, such as `Failure`
    return value if value is None or isinstance(value, (bool, int, float)) else json.dumps(value, default=str)


def scalars(info: Mapping[Any, Any]) -> dict[str, Scalar]:
    """Makes the cells of a row of `info`."""
    return {str(name): scalar(value) for name, value in info.items()}


def column(values: Sequence[Scalar], blank: Scalar = None) -> np.ndarray:
    """Makes an `info` column: numbers if all are (blanks are then NaN), booleans if all are, and otherwise text."""
    kinds = {type(value) for value in values} - {type(None)}
    if kinds and kinds <= {int, float} and None in values:
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    if len(kinds) > 1 and not kinds <= {int, float}:
        values = [None if value is None else str(value) for value in values]
    return as_column([blank if value is None else value for value in values])


def collect(entries: Sequence[Entry]) -> Crystals:
    """Joins entries into a batch, in order; the columns are those of all entries."""
    names = dict.fromkeys(name for entry in entries for name in entry.info)
    info = {
        name: column([entry.info.get(name) for entry in entries], blank="" if name in (FAILURE, DETAIL) else None)
        for name in names
    }
    lattice = np.stack([entry.lattice for entry in entries]) if entries else np.zeros((0, 3, 3))
    return Crystals.build([entry.numbers for entry in entries], [entry.frac for entry in entries], lattice, info)


def each(crystals: Crystals) -> Iterator[Entry]:
    """The crystals one by one, in float64; the inverse of `collect`."""
    crystals = crystals.to("cpu", torch.float64)
    names = list(crystals.info)
    rows: Iterable[tuple[Any, ...]] = zip(*crystals.info.values(), strict=True) if names else [()] * len(crystals)
    cells = crystals.lattice.numpy()
    for numbers, frac, cell, row in zip(crystals.numbers_of_each(), crystals.frac_of_each(), cells, rows, strict=True):
        yield Entry(numbers, frac, cell, {name: scalar(value) for name, value in zip(names, row, strict=True)})


def names(crystals: Crystals) -> list[str]:
    """Names that sort in the order of the rows, such as `00012_NaCl`; also the names of files."""
    width = max(5, len(str(len(crystals) - 1)))
    formulas = [reduced_formula(numbers)[:60] or "failed" for numbers in crystals.numbers_of_each()]
    return [f"{row:0{width}d}_{formula}" for row, formula in enumerate(formulas)]


def shield(name: str, reserved: Container[str]) -> str:
    """Puts an underscore before a column's name if the format gives that name, in any case, a meaning of its own."""
    return f"_{name}" if name.lower().lstrip("_") in reserved else name


def unshield(name: str, reserved: Container[str]) -> str:
    """The inverse of `shield`."""
    return name[1:] if name.startswith("_") and name.lower().lstrip("_") in reserved else name
