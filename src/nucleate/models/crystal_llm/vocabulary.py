"""The tokens of the small crystal language, and what each of them says.

One token is an element, a count, a space group, a Wyckoff letter, a whole number, two digits after the point, or a
coordinate. A length of 5.43 Å is the whole number 5 and the digits 43, an angle of 97.20° is 97 and 20.
"""

from __future__ import annotations

from dataclasses import dataclass

from nucleate.elements import MAX_NUMBER, SYMBOLS
from nucleate.geometry.space_groups import ALPHABET
from nucleate.geometry.space_groups import GROUPS as SPACE_GROUPS

PAD, END, START, SHUFFLED, E_ABOVE_HULL, BAND_GAP = range(6)
"""Filling; end; start of a crystal with its atoms in order; start of one in any order; what the next numbers are."""

_NAMES = ("<pad>", "<end>", "<crystal>", "<shuffled>", "<e_above_hull>", "<band_gap>")

MAX_COUNT = 64
"""Most atoms of one element, and in a cell, that can be written."""
MAX_WHOLE = 199
"""Largest whole number: Å of a length, degrees of an angle."""
DIGITS = 100
STEPS = 200
"""Places along an axis of the conventional cell: a free coordinate is written to 0.005."""


@dataclass(frozen=True)
class Range:
    """Tokens in a row; the token of `value` is `start + value`.

    Attributes:
        start: token of the value 0.
        length: how many there are.
    """

    start: int
    length: int

    @property
    def stop(self) -> int:
        """The token after the last."""
        return self.start + self.length


ELEMENTS = Range(len(_NAMES), MAX_NUMBER + 1)
"""By atomic number; 0 stands for none."""
COUNTS = Range(ELEMENTS.stop, MAX_COUNT + 1)
"""Of atoms; 0 is never written."""
GROUPS = Range(COUNTS.stop, SPACE_GROUPS + 1)
"""Space groups by number; 0 for one that is not known."""
LETTERS = Range(GROUPS.stop, len(ALPHABET))
"""Wyckoff positions; 0 for a."""
WHOLE = Range(LETTERS.stop, MAX_WHOLE + 1)
"""Whole numbers."""
HUNDREDTHS = Range(WHOLE.stop, DIGITS)
"""Two digits after the point."""
PLACES = Range(HUNDREDTHS.stop, STEPS)
"""Fractional coordinates; the last is a neighbour of the first."""
SIZE = PLACES.stop
"""Tokens that there are."""


def spelled(token: int) -> str:
    """The token as a person would write it.

    Raises:
        ValueError: there is no such token.
    """
    if not 0 <= token < SIZE:
        raise ValueError(f"token {token} of {SIZE}")
    if token < ELEMENTS.start:
        return _NAMES[token]
    kind = next(kind for kind in reversed(_KINDS) if token >= kind.start)
    value = token - kind.start
    written = {
        ELEMENTS: SYMBOLS[min(value, MAX_NUMBER)],
        COUNTS: f"x{value}",
        GROUPS: f"<group {value}>",
        LETTERS: f"({ALPHABET[value % len(ALPHABET)]})",
        WHOLE: str(value),
        HUNDREDTHS: f".{value:02}",
        PLACES: f"{value / STEPS:.3f}",
    }
    return written[kind]


_KINDS = (ELEMENTS, COUNTS, GROUPS, LETTERS, WHOLE, HUNDREDTHS, PLACES)
