"""The order of file names: numbers in them count as numbers, so that `gen_2.cif` comes before `gen_10.cif`."""

from __future__ import annotations

import re
import unicodedata

PARTS = re.compile(r"(\d+)|(.)", re.DOTALL)
"""A number, in the decimal digits of any script, or a single other character."""

ZERO = ord("0")
"""Where a number of any value stands among the other characters."""

Character = tuple[int, int, str, str]


def natural_key(path: str) -> tuple[Character, ...]:
    """The sorting key of a path: as text in which a run of decimal digits is one character.

    That character stands where the digits stand, and is compared by its value; of two numbers of one value, such as 1
    and 01, the one with the smaller text comes first. So the order is total, and the files of a folder stay together.

    Args:
        path: such as `run_2/gen_10.cif`.
    """
    return tuple(_number(digits) if digits else (ord(other), 0, "", "") for digits, other in PARTS.findall(path))


def _number(digits: str) -> Character:
    """A number of any length, by its count of digits and then its digits; `int` would refuse more than 4,300."""
    value = "".join(str(unicodedata.decimal(digit)) for digit in digits).lstrip("0")
    return ZERO, len(value), value, digits
