"""Which element a site of a CIF holds, by its type symbol or its label, and which sites hold no atom at all.

A symbol is an element, with a charge or a number behind it or not (`Fe`, `Fe3+`, `O2-`). A label starts with one
(`Fe1`, `O1A`, `FE2`). What stands for several atoms in one place (`NH4`, `H2O`, `Wat`), for a mixture or a place
(`M1`, `T2`, `Vac`) is refused. Capitals that may mean one element or two, `CO`, are what the chemical formula of the
file says.
"""

from __future__ import annotations

import re
from functools import lru_cache

from nucleate.elements import NUMBERS
from nucleate.files.entries import ISOTOPES
from nucleate.files.failures import BadEntryError, Failure

_SYMBOL = re.compile(r"([A-Z][a-z]?)(?:[0-9.]*[+-]?|[+-][0-9.]*)")
_ONE_CASE = re.compile(r"([A-Z]{1,2}|[a-z]{1,2})(?:[0-9.]*[+-]?|[+-][0-9.]*)")
_WATER = re.compile(r"O-?[wW]|O-?[hH](?![a-z])|O[0-9]+[A-Z]?[wW]|Wat|WAT|wat")
"""Labels and symbols of the oxygen of water and hydroxide, which comes with hydrogens."""

_MIXTURE = re.compile(r"[A-Z][a-z]?\s*[+,/]\s*[0-9.()]*[A-Z]")
"""Symbols such as `0.75Si + 0.25Al`."""

GROUPS = frozenset("CO CN NO NH BH HO ND HF HS OS".split())
"""Capitals that are a group of two atoms as readily as one element."""

_PLACES = frozenset("T Va VA VAC Vc Me Ln An DUM".split())
"""Labels of no element: tetrahedra, vacancies, metals, lanthanides, dummies. Words like `Cat` are none either."""


@lru_cache(maxsize=4096)
def of_symbol(symbol: str, formula: frozenset[int] = frozenset()) -> int | None:
    """Atomic number of what a type symbol names, that of hydrogen for its isotopes; None if it is no element.

    Args:
        symbol: such as `Fe`, `Fe3+`, `O2-`, `D`.
        formula: atomic numbers of the chemical formula that the file states; empty if it states none.
    """
    exact = _SYMBOL.fullmatch(symbol)
    if exact is not None and _number(exact[1]) is not None:
        return _number(exact[1])
    one_case = _ONE_CASE.fullmatch(symbol)
    if one_case is None or (len(one_case[1]) == 2 and _number(one_case[1].title()) is None):
        return None
    return _of_one_case(one_case[1], formula)


@lru_cache(maxsize=4096)
def of_label(label: str, formula: frozenset[int] = frozenset()) -> int | None:
    """Atomic number of what a label names, such as `Fe1`, `O1A`, `FE2`; None if it is no element.

    Args:
        label: of a site without a type symbol.
        formula: as for `of_symbol`.
    """
    letters = (re.match(r"[A-Za-z]*", label) or [""])[0]
    if letters in _PLACES or not label.isascii() or re.match(r"[A-Z][a-z]{2}", letters):
        return None
    if letters[1:2].islower() and letters[:1].isupper():
        return _number(letters[:2]) or _number(letters[:1])
    if len(letters) > 2 and _is_group(label):
        return None
    return _of_one_case(letters[:2], formula)


def refusal(label: str, name: str) -> BadEntryError:
    """The error for a site that holds no element.

    Args:
        label: of the site.
        name: its type symbol, or the label.
    """
    if _MIXTURE.search(name):
        return BadEntryError(Failure.PARTIAL_OCCUPANCY, f"site {label} is shared by {name!r}")
    if _is_group(name):
        return BadEntryError(Failure.MISSING_ATOMS, f"site {label} is several atoms ({name}) in one place")
    return BadEntryError(Failure.UNKNOWN_ELEMENT, f"site {label} holds {name!r}, which is not an element")


def comes_with_hydrogen(name: str) -> bool:
    """Whether a label or a symbol is that of the oxygen of water or of hydroxide."""
    return _WATER.match(name) is not None


def _of_one_case(letters: str, formula: frozenset[int]) -> int | None:
    """The element of one or two letters of one case: two if they are one element, or else the first.

    Where both can be, the formula decides; without one, two letters that are often a group of atoms are none.
    """
    two, one = _number(letters.title()), _number(letters[:1].upper())
    if len(letters) < 2 or two is None:
        return one if len(letters) < 2 or letters.isupper() else None
    if formula and (two in formula) != (one in formula):
        return two if two in formula else one
    return None if letters.upper() in GROUPS else two


def _is_group(name: str) -> bool:
    """Whether a name reads as the formula of several atoms, `NH4` or `H2O`, or as a word for water."""
    if _WATER.match(name):
        return True
    tokens = re.fullmatch(r"((?:[A-Z][a-z]?[0-9]*-?)+)[0-9+-]*", name)
    symbols = re.findall(r"[A-Z][a-z]?", name)
    return tokens is not None and len(symbols) > 1 and all(_number(symbol) for symbol in symbols)


def _number(symbol: str) -> int | None:
    return NUMBERS.get(symbol) or ISOTOPES.get(symbol)
