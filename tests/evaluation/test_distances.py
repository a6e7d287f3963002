from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from nucleate.evaluation import distances
from nucleate.evaluation.distances import nearest, nearest_both, within


@pytest.fixture(params=[1 << 21, 50], ids=["one block", "many blocks"], autouse=True)
def blocks(request, monkeypatch):
    monkeypatch.setattr(distances, "PAIRS", request.param)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("features", [1, 7, 132])
def test_it_is_the_smallest_of_all_distances(rng, features):
    """With an origin far away, which costs matrix products their digits."""
    first, second = 1e4 + rng.normal(size=(60, features)), 1e4 + rng.normal(size=(45, features))
    want = cdist(first, second)
    np.testing.assert_allclose(nearest(first, second), want.min(1), rtol=0, atol=1e-10)
    found = nearest_both(first, second)
    np.testing.assert_allclose(found[0], want.min(1), rtol=0, atol=1e-10)
    np.testing.assert_allclose(found[1], want.min(0), rtol=0, atol=1e-10)


@pytest.mark.parametrize("apart", [0.0, 1e-12, 1e-9, 1e-6])
def test_points_that_nearly_coincide(rng, apart):
    """Among others at distance 1, where a matrix product alone would say 1e-7 or so."""
    targets = rng.normal(size=(40, 61))
    queries = targets[::-1].copy()
    queries[:, 3] += apart
    np.testing.assert_allclose(nearest(queries, targets), apart, rtol=1e-3, atol=1e-15)
    # The other way round several are equally near.
    crowd = np.concatenate([targets + 2 * apart, targets + 3 * apart, targets])
    np.testing.assert_allclose(nearest(queries, crowd), cdist(queries, crowd).min(1), rtol=0, atol=1e-15)


def test_missing_points(rng):
    queries, targets = rng.normal(size=(5, 4)), rng.normal(size=(6, 4))
    queries[2], targets[3, 1] = np.nan, np.nan
    found = nearest(queries, targets)
    assert np.isnan(found).tolist() == [False, False, True, False, False]
    want = cdist(queries[[0, 1, 3, 4]], np.delete(targets, 3, 0)).min(1)
    np.testing.assert_allclose(found[[0, 1, 3, 4]], want)
    assert nearest(queries, targets[:0])[:2].tolist() == [np.inf] * 2
    assert nearest(queries, targets * np.nan)[:2].tolist() == [np.inf] * 2
    assert nearest(queries[:0], targets).shape == (0,)


def test_within_a_cutoff_also_where_it_is_met_exactly(rng):
    """On a grid of whole numbers many distances are exactly 5."""
    first, second = (rng.integers(-4, 5, (30, 3)).astype(float) for _ in range(2))
    want = cdist(first, second) <= 5
    found = np.zeros_like(want)
    for rows, near in within(first, second, 5.0):
        found[rows] = near
    np.testing.assert_array_equal(found, want)
    assert (cdist(first, second) == 5).any()
