"""One table of elements: symbols, electronegativities, periods and groups, and the formulas written with them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache
from math import gcd, inf
from typing import SupportsInt

SYMBOLS: tuple[str, ...] = tuple(
    "X H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr "
    "Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir "
    "Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl "
    "Mc Lv Ts Og".split()
)
"""Symbol by atomic number; index 0 is no element."""

NUMBERS: dict[str, int] = {symbol: z for z, symbol in enumerate(SYMBOLS) if z}

MAX_NUMBER = 100
"""Largest atomic number that models represent (fermium); every public data set of crystals stays below."""

# Pauling electronegativities by Z, as pymatgen lists them; 0 where none is tabulated.
_PAULING = (
    "0 2.20 0 0.98 1.57 2.04 2.55 3.04 3.44 3.98 0 0.93 1.31 1.61 1.90 2.19 2.58 3.16 0 0.82 1.00 1.36 1.54 1.63 1.66 "
    "1.55 1.83 1.88 1.91 1.90 1.65 1.81 2.01 2.18 2.55 2.96 3.00 0.82 0.95 1.22 1.33 1.6 2.16 1.9 2.2 2.28 2.20 1.93 "
    "1.69 1.78 1.96 2.05 2.1 2.66 2.6 0.79 0.89 1.1 1.12 1.13 1.14 1.13 1.17 1.2 1.2 1.1 1.22 1.23 1.24 1.25 1.1 1.27 "
    "1.3 1.5 2.36 1.9 2.2 2.20 2.28 2.54 2.00 1.62 2.33 2.02 2.0 2.2 2.2 0.7 0.9 1.1 1.3 1.5 1.38 1.36 1.28 1.3 "
    "1.3 1.3 1.3 1.3 1.3"
)
PAULING: tuple[float, ...] = tuple(float(value) for value in _PAULING.split())
"""Pauling electronegativity by atomic number up to `MAX_NUMBER`; 0 where none is tabulated."""

BY_ELECTRONEGATIVITY: tuple[int, ...] = tuple(
    sorted(range(1, MAX_NUMBER + 1), key=lambda z: (PAULING[z] or inf, SYMBOLS[z]))
)
"""Atomic numbers up to `MAX_NUMBER` in the order in which formulas name elements, those without a value last."""

ELECTRONEGATIVITY_RANK: tuple[int, ...] = (0, *(BY_ELECTRONEGATIVITY.index(z) + 1 for z in range(1, MAX_NUMBER + 1)))
"""Place in that order by atomic number, from 1; 0 for no element."""

# Standard atomic weights in u (IUPAC 2021, rounded to five digits); the longest-lived isotope where there is none.
_MASSES = (
    "0 1.008 4.0026 6.94 9.0122 10.81 12.011 14.007 15.999 18.998 20.180 22.990 24.305 26.982 28.085 30.974 32.06 "
    "35.45 39.95 39.098 40.078 44.956 47.867 50.942 51.996 54.938 55.845 58.933 58.693 63.546 65.38 69.723 72.630 "
    "74.922 78.971 79.904 83.798 85.468 87.62 88.906 91.224 92.906 95.95 98 101.07 102.91 106.42 107.87 112.41 "
    "114.82 118.71 121.76 127.60 126.90 131.29 132.91 137.33 138.91 140.12 140.91 144.24 145 150.36 151.96 157.25 "
    "158.93 162.50 164.93 167.26 168.93 173.05 174.97 178.49 180.95 183.84 186.21 190.23 192.22 195.08 196.97 "
    "200.59 204.38 207.2 208.98 209 210 222 223 226 227 232.04 231.04 238.03 237 244 243 247 247 251 252 257"
)
MASSES: tuple[float, ...] = tuple(float(value) for value in _MASSES.split())
"""Atomic mass in u by atomic number up to `MAX_NUMBER`; index 0 is no element."""

MAX_GROUPS = 50
"""Most brackets of a formula; none that means something comes near."""

_NOBLE_GASES = (0, 2, 10, 18, 36, 54, 86, 118)
_TOKEN = re.compile(r"([A-Z][a-z]?)(\d*)")


@cache
def period(z: int) -> int:
    """Row of the periodic table, 1 to 7."""
    return next(row for row, last in enumerate(_NOBLE_GASES) if z <= last)


@cache
def group(z: int) -> int:
    """Column of the periodic table, 1 to 18; lanthanides and actinides (4f, 5f) are counted in column 3."""
    row = period(z)
    place = z - _NOBLE_GASES[row - 1]
    length = _NOBLE_GASES[row] - _NOBLE_GASES[row - 1]
    if place <= 2 and not (row == 1 and place == 2):
        return place
    from_end = 18 - (length - place)
    return max(from_end, 3)


def formula_from_numbers(numbers: Iterable[SupportsInt]) -> str:
    """Writes a full formula in order of electronegativity (`Na4Cl4`, `Li4Fe4P4O16`), elements without one last.

    No atoms give the empty string.
    """
    counts = Counter(int(z) for z in numbers)
    ordered = sorted(counts, key=lambda z: ((PAULING[z] if z <= MAX_NUMBER else 0) or inf, SYMBOLS[z]))
    return "".join(f"{SYMBOLS[z]}{counts[z] if counts[z] > 1 else ''}" for z in ordered)


def reduced_formula(numbers: Iterable[SupportsInt]) -> str:
    """Writes the formula with its counts divided by their greatest common divisor (`NaCl`)."""
    counts = Counter(int(z) for z in numbers)
    divisor = gcd(*counts.values()) if counts else 1
    return formula_from_numbers([z for z, n in counts.items() for _ in range(n // divisor)])


def parse_formula(text: str) -> list[int]:
    """Reads a formula into atomic numbers, one an atom, in the order of the text; brackets are expanded.

    Args:
        text: such as `SiO2`, `Na4Cl4`, `Ca3(PO4)2`.

    Raises:
        ValueError: the text is empty, unbalanced, holds something that is not an element, or a count of 0.
    """
    compact = "".join(text.split())
    if not compact:
        raise ValueError("empty formula")
    if compact.count("(") + compact.count("[") > MAX_GROUPS:
        raise ValueError(f"formula {text[:20]!r}…: more than {MAX_GROUPS} brackets")
    numbers, rest = _parse_group(compact, compact)
    if rest:
        raise ValueError(f"formula {text!r}: unexpected {rest[0]!r}")
    return numbers


def _parse_group(text: str, whole: str) -> tuple[list[int], str]:
    """Reads up to a closing bracket or the end; returns the atoms and the text that is left."""
    numbers: list[int] = []
    while text and text[0] not in ")]":
        if text[0] in "([":
            closing = ")" if text[0] == "(" else "]"
            inner, rest = _parse_group(text[1:], whole)
            if not rest.startswith(closing):
                raise ValueError(f"formula {whole!r}: {text[0]!r} is not closed")
            text = rest[1:]
        else:
            match = _TOKEN.match(text)
            if match is None:
                raise ValueError(f"formula {whole!r}: unexpected {text[0]!r}")
            if match[1] not in NUMBERS:
                raise ValueError(f"formula {whole!r}: {match[1]!r} is not an element")
            inner, text = [NUMBERS[match[1]]], text[len(match[1]) :]
        count, text = _leading_count(text, whole)
        if len(numbers) + count * len(inner) > 100_000:
            raise ValueError(f"formula {whole!r}: more than 100,000 atoms")
        numbers += inner * count
    if not numbers:
        raise ValueError(f"formula {whole!r}: an empty group")
    return numbers, text


def _leading_count(text: str, whole: str) -> tuple[int, str]:
    digits = re.match(r"[0-9]*", text)
    found = digits[0] if digits else ""
    if text[len(found) :].startswith("."):
        raise ValueError(f"formula {whole!r}: counts are whole numbers")
    if found and int(found[:9]) == 0:
        raise ValueError(f"formula {whole!r}: a count of 0")
    return int(found[:9] or 1), text[len(found) :]
