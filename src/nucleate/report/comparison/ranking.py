"""Which rows are the best of a column, and which of the others do not differ from them."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from math import hypot

from nucleate.report.comparison.columns import NEITHER
from nucleate.report.comparison.entry import Number


class Mark(StrEnum):
    """What a table says of a number beside the others of its column."""

    BEST = "best"
    TIE = "tie"
    NONE = ""


def marks(numbers: Sequence[Number | None], better: int) -> list[Mark]:
    """Marks the best of a column, and those that do not differ from it.

    Args:
        numbers: of the rows; None where there is none.
        better: 1 if more is better, -1 if less is; with 0 nothing is marked.

    Returns:
        One mark a row. With fewer than two numbers there is nothing to mark.
    """
    known = [number for number in numbers if number is not None]
    if better == NEITHER or len(known) < 2:
        return [Mark.NONE] * len(numbers)
    best = max(known, key=lambda number: better * number.value)
    return [_mark(number, best) for number in numbers]


def _mark(number: Number | None, best: Number) -> Mark:
    if number is None:
        return Mark.NONE
    if number.value == best.value:
        return Mark.BEST
    difference = difference_interval(number, best)
    return Mark.TIE if difference is not None and difference[0] <= 0 <= difference[1] else Mark.NONE


def difference_interval(first: Number, second: Number) -> tuple[float, float] | None:
    """Interval of 95 % of the difference of two numbers, from the interval of each.

    The distances of each number from the ends of its interval add up as the legs of a right triangle (Zou and Donner
    2008): for symmetric intervals that is the sum of variances, and it stays right for those of rates near 0 or 1.
    Samples of two models are taken to be independent. Where both are judged by the same reference crystals their errors
    go together, so that the interval is rather too wide: what is said to differ does.

    Returns:
        None if one of them has no interval.
    """
    if first.low is None or first.high is None or second.low is None or second.high is None:
        return None
    difference = first.value - second.value
    down = hypot(first.value - first.low, second.high - second.value)
    up = hypot(first.high - first.value, second.value - second.low)
    return difference - down, difference + up
