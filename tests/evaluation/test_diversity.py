from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from nucleate.evaluation import distances
from nucleate.evaluation.diversity import mean_distance


@pytest.fixture(params=[1 << 21, 50], ids=["one block", "many blocks"], autouse=True)
def blocks(request, monkeypatch):
    monkeypatch.setattr(distances, "PAIRS", request.param)


@pytest.mark.parametrize("features", [1, 61, 132])
def test_mean_of_all_pairs(features):
    points = 100 + np.random.default_rng(0).normal(size=(70, features))
    assert mean_distance(points) == pytest.approx(pdist(points).mean(), rel=1e-12)


def test_points_that_coincide_or_nearly_do():
    rng = np.random.default_rng(1)
    points = rng.normal(size=(4, 20))[rng.integers(0, 4, 50)]
    assert mean_distance(points) == pytest.approx(pdist(points).mean(), rel=1e-12)
    points += 1e-9 * rng.normal(size=points.shape)
    assert mean_distance(points) == pytest.approx(pdist(points).mean(), rel=1e-12)
    close = 1 + 1e-9 * rng.normal(size=(30, 20))
    assert mean_distance(close) == pytest.approx(pdist(close).mean(), rel=1e-10)


def test_what_has_no_distance():
    points = np.array([[0.0, 0], [np.nan, 0], [3, 4]])
    assert mean_distance(points) == 5
    assert mean_distance(np.zeros((3, 2))) == 0
    assert np.isnan(mean_distance(points[:2]))
    assert np.isnan(mean_distance(np.zeros((0, 2))))
