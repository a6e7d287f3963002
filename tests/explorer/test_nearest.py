from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from nucleate.evaluation import distances
from nucleate.explorer.nearest import nearest


@pytest.mark.parametrize("pairs", [1 << 21, 64])
def test_as_all_pairs_say(pairs, monkeypatch):
    monkeypatch.setattr(distances, "PAIRS", pairs)
    rng = np.random.default_rng(0)
    queries, targets = rng.normal(size=(50, 7)).astype(np.float32), rng.normal(size=(40, 7)).astype(np.float32)
    found = nearest(queries, targets)
    table = cdist(queries.astype(float), targets.astype(float))
    np.testing.assert_array_equal(found.row, table.argmin(1))
    np.testing.assert_allclose(found.distance, table.min(1), rtol=1e-12)


@pytest.mark.parametrize("pairs", [1 << 21, 64])
def test_itself_is_left_out(pairs, monkeypatch):
    monkeypatch.setattr(distances, "PAIRS", pairs)
    points = np.random.default_rng(1).normal(size=(30, 3))
    itself = np.where(np.arange(30) % 3 == 0, -1, np.arange(30))
    found = nearest(points, points, itself)
    table = cdist(points, points)
    table[np.arange(30), np.arange(30)] = np.where(itself >= 0, np.inf, 0)
    np.testing.assert_array_equal(found.row, table.argmin(1))
    np.testing.assert_allclose(found.distance, table.min(1))


def test_points_that_nearly_coincide_far_from_the_origin():
    """The products that choose candidates lose the digits in which these differ."""
    targets = 1e6 + np.array([[0.0, 0.0], [3e-6, 0.0], [0.0, 1.0]])
    found = nearest(1e6 + np.array([[2e-6, 0.0]]), targets)
    assert found.row.tolist() == [1]
    assert found.distance[0] == pytest.approx(1e-6, rel=1e-3)


def test_of_several_the_first():
    assert nearest(np.zeros((1, 2)), np.array([[1.0, 0], [0, 1.0], [0, -1.0]])).row.tolist() == [0]


def test_nobody_is_there():
    found = nearest(np.zeros((2, 3)), np.zeros((0, 3)))
    assert found.row.tolist() == [-1, -1]
    assert np.isnan(found.distance).all()


def test_alone_with_itself():
    found = nearest(np.ones((1, 3)), np.ones((1, 3)), np.array([0]))
    assert found.row.tolist() == [-1]
    assert np.isnan(found.distance).all()


def test_no_queries():
    assert len(nearest(np.zeros((0, 3)), np.zeros((4, 3))).row) == 0
