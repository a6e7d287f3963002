"""The chemical formula that a CIF states, and whether the atoms that were found are those of the formula."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import gcd
from typing import NamedTuple

from nucleate.elements import NUMBERS, SYMBOLS
from nucleate.files.cif.block import Block, number
from nucleate.files.cif.species import GROUPS
from nucleate.files.entries import ISOTOPES
from nucleate.files.failures import Failure

_ALONE = re.compile(r"([A-Z]{2})([0-9]*\.?[0-9]*)")
_PART = re.compile(r"([A-Z][a-z]?)([0-9]*\.?[0-9]*)")
_PARTS = re.compile(rf"(?:{_PART.pattern})+")

TOLERANCE = 0.25
"""Atoms of an element in the cell by which a formula may be off, since it rounds."""

SHARE = 0.005
"""The same, as a share of these atoms."""


class Formula(NamedTuple):
    """A formula as stated.

    Attributes:
        text: the words of the file.
        counts: atoms by atomic number; deuterium counts as hydrogen.
        units: formula units in the cell (Z), if stated.
    """

    text: str
    counts: Mapping[int, float]
    units: float | None


class Objection(NamedTuple):
    """What is wrong, and under which reason it counts."""

    reason: Failure
    message: str


def read(block: Block) -> Formula | None:
    """Reads `_chemical_formula_sum` and `_cell_formula_units_Z`; None if no formula is stated that can be read."""
    text = block.text("_chemical_formula_sum")
    counts = None if text is None else _counts(text)
    if text is None or not counts:
        return None
    units = number(block.text("_cell_formula_units_z") or "?")
    return Formula(" ".join(text.split()), counts, units if units > 0 else None)


def _counts(text: str) -> dict[int, float]:
    """Atoms by atomic number; nothing if it is no formula without brackets, or its capitals may mean two things."""
    words = re.sub(r"[\s,]+", " ", text).split()
    parts = [part for word in words for part in _parts(word, capitals=text.isupper())]
    counts: dict[int, float] = {}
    for symbol, count in parts:
        z = NUMBERS.get(symbol) or ISOTOPES.get(symbol)
        if z is None:
            return {}
        counts[z] = counts.get(z, 0) + float(count or 1)
    return {z: count for z, count in counts.items() if count > 0}


def _parts(word: str, *, capitals: bool) -> list[tuple[str, str]]:
    """Symbols and counts of a word, `C3`, or of several without spaces, `CaCO3`; one of nothing if it is none of these.

    Args:
        word: without spaces.
        capitals: the whole formula has no small letters, so that `SI` is silicon.
    """
    alone = _ALONE.fullmatch(word)
    if capitals and alone is not None and alone[1].title() in NUMBERS:
        return [("" if alone[1] in GROUPS else alone[1].title(), alone[2])]
    return _PART.findall(word) if _PARTS.fullmatch(word) else [("", "")]


def objection(formula: Formula | None, found: Mapping[int, int]) -> Objection | None:
    """What is wrong with the atoms of a cell by the formula; None if nothing is.

    Args:
        formula: as stated.
        found: atoms in the cell by atomic number.
    """
    if formula is None:
        return None
    stated = formula.counts
    words = f"the formula is {formula.text}, and the cell has {_formula(found)}"
    missing = [z for z in stated if z not in found]
    if missing:
        return Objection(Failure.MISSING_ATOMS, f"{words}: no site holds {_symbols(missing)}")
    extra = [z for z in found if z not in stated]
    if extra:
        return Objection(Failure.CONTRADICTION, words)
    heavy = [z for z in stated if z != 1] or list(stated)
    times = sum(found[z] for z in heavy) / sum(stated[z] for z in heavy)
    wrong = [z for z in stated if abs(found[z] - times * stated[z]) > max(TOLERANCE, SHARE * found[z])]
    if wrong == [1] and found[1] < times * stated[1]:
        return Objection(Failure.MISSING_ATOMS, f"{words}: hydrogens have no site")
    if wrong:
        return Objection(Failure.CONTRADICTION, words)
    if formula.units is not None and not _fits(times, formula.units):
        return Objection(Failure.CONTRADICTION, f"{words}, not {formula.units:g} formula units")
    return None


def is_whole_cell(formula: Formula | None, found: Mapping[int, int]) -> bool:
    """Whether a formula that is a multiple of a smaller one, such as C8, holds just the atoms of the cell."""
    return formula is not None and dict(found) == dict(formula.counts) and gcd(*found.values()) > 1


def _fits(times: float, units: float) -> bool:
    """Whether a cell holds so many formula units, or one, since some programs write the formula of the whole cell."""
    return abs(times - units) < 0.01 * units or abs(times - 1) < 0.01


def _formula(found: Mapping[int, int]) -> str:
    return " ".join(f"{SYMBOLS[z]}{count if count > 1 else ''}" for z, count in found.items())


def _symbols(numbers: list[int]) -> str:
    return ", ".join(SYMBOLS[z] for z in numbers)
