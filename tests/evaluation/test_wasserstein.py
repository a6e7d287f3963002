from __future__ import annotations

import numpy as np
import pytest

from nucleate.evaluation.wasserstein import DRAW, draw, wasserstein


def test_samples_of_the_same_size_are_paired_in_order():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=50), rng.exponential(size=50)
    assert wasserstein(first, second) == pytest.approx(np.abs(np.sort(first) - np.sort(second)).mean())


def test_numbers_of_elements():
    """Half of the samples have to go from 1 to 3."""
    assert wasserstein(np.array([1, 3]), np.array([3, 3, 3])) == 1


def test_what_is_not_finite_is_left_out():
    assert wasserstein(np.array([1.0, np.nan]), np.array([2.0, np.inf])) == 1
    assert np.isnan(wasserstein(np.array([np.nan]), np.array([2.0])))
    assert np.isnan(wasserstein(np.array([2.0]), np.zeros(0)))


def test_a_draw():
    valid = np.arange(5000) % 2 == 0
    rows = draw(valid, seed=3)
    assert len(rows) == len(set(rows.tolist())) == DRAW == 1000
    assert valid[rows].all()
    assert (np.diff(rows) > 0).all()
    np.testing.assert_array_equal(rows, draw(valid, seed=3))
    assert rows.tolist() != draw(valid, seed=4).tolist()
    # Not just the first of them.
    assert rows.mean() == pytest.approx(2500, abs=200)


def test_all_if_there_are_not_enough():
    assert draw(np.array([True, False, True]), seed=0).tolist() == [0, 2]
    assert draw(np.array([True, False, True]), seed=0, count=1).shape == (1,)
    assert draw(np.zeros(3, dtype=bool), seed=0).shape == (0,)
