from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from scipy.stats import norm

from nucleate.evaluation.intervals import of_means
from nucleate.report.comparison.entry import Number
from nucleate.report.comparison.ranking import Mark, difference_interval, marks


def around(value: float, half: float) -> Number:
    return Number(value, value - half, value + half)


def test_symmetric_intervals_add_as_variances():
    error = 0.03, 0.04
    reach = norm.ppf(0.975)
    found = difference_interval(*(around(value, reach * e) for value, e in zip((0.9, 0.8), error, strict=True)))
    assert found == pytest.approx((0.1 - reach * sqrt(0.03**2 + 0.04**2), 0.1 + reach * 0.05))


def test_the_interval_of_a_difference_holds_the_true_one_as_often_as_it_says():
    """Two models of equal rates, judged many times: they are told apart one time in twenty, at most."""
    rng = np.random.default_rng(0)
    told_apart = 0
    for _ in range(200):
        numbers = []
        for _ in range(2):
            hits = rng.random(200) < 0.9
            low, high, _ = of_means({"rate": hits}, seed=int(rng.integers(1000)))["rate"]
            numbers.append(Number(hits.mean(), low, high))
        difference = difference_interval(*numbers)
        assert difference is not None
        told_apart += not difference[0] <= 0 <= difference[1]
    assert told_apart <= 200 * 0.05 + 3 * sqrt(200 * 0.05 * 0.95)
    assert told_apart >= 1


def test_marks():
    numbers = [around(0.90, 0.02), around(0.91, 0.02), around(0.70, 0.02), None, Number(0.5)]
    assert marks(numbers, 1) == [Mark.TIE, Mark.BEST, Mark.NONE, Mark.NONE, Mark.NONE]
    assert marks(numbers[:3], -1) == [Mark.NONE, Mark.NONE, Mark.BEST]
    assert marks(numbers, 0) == [Mark.NONE] * 5


def test_equal_numbers_are_all_the_best():
    assert marks([Number(1.0), Number(1.0), Number(0.9)], 1) == [Mark.BEST, Mark.BEST, Mark.NONE]


def test_one_number_alone_is_not_the_best():
    assert marks([around(0.9, 0.1), None], 1) == [Mark.NONE, Mark.NONE]


def test_without_intervals_nothing_is_said_to_be_equal():
    assert difference_interval(Number(0.9), around(0.9, 0.1)) is None
    assert marks([Number(0.9), around(0.91, 0.1)], 1) == [Mark.NONE, Mark.BEST]
