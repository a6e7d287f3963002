from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, binomtest, norm, wasserstein_distance

from nucleate.evaluation.intervals import of_means, of_wasserstein


def test_a_rate_has_the_interval_of_the_binomial():
    """The resamples of k hits among n rows are binomial numbers of hits with the rate k / n."""
    n, hits = 400, 300
    (interval,) = of_means({"rate": np.arange(n) < hits}).values()
    exact = binom(n, hits / n)
    assert interval.error == pytest.approx(exact.std() / n, rel=0.06)
    assert interval[:2] == pytest.approx([exact.ppf(0.025) / n, exact.ppf(0.975) / n], abs=0.006)


def test_a_mean_has_the_interval_of_the_normal():
    values = np.random.default_rng(1).exponential(2.0, 3000)
    (interval,) = of_means({"mean": values}).values()
    error = values.std() / np.sqrt(len(values))
    assert interval.error == pytest.approx(error, rel=0.06)
    assert interval[:2] == pytest.approx(values.mean() + norm.ppf([0.025, 0.975]) * error, abs=0.15 * error)


def test_rows_that_a_mean_leaves_out_make_its_interval_wider():
    """RMSE is over matches only: as if there were only those rows."""
    values = np.random.default_rng(2).normal(5, 1, 2000)
    few = np.where(np.arange(2000) % 4 == 0, values, np.nan)
    found = of_means({"all": values, "few": few})
    assert found["few"].error == pytest.approx(2 * found["all"].error, rel=0.12)
    assert found["few"].low < np.nanmean(few) < found["few"].high


@pytest.mark.parametrize("n", [1, 30, 1000])
def test_where_all_rows_agree_the_far_end_is_exact(n):
    found = of_means({"all": np.ones(n, dtype=bool), "none": np.zeros(n)})
    exact = binomtest(n, n).proportion_ci(0.95, method="exact")
    assert found["all"][:2] == pytest.approx([exact.low, 1.0])
    assert found["none"][:2] == pytest.approx([0.0, 1 - exact.low])
    assert found["all"].error == found["none"].error > 0


def test_equal_numbers_that_are_no_rate_have_no_width():
    assert of_means({"same": np.full(9, 0.25)})["same"] == (0.25, 0.25, 0)


def test_a_mean_over_nothing_has_no_interval():
    assert of_means({"nothing": np.full(3, np.nan), "infinite": np.full(3, np.inf)}) == {}
    assert of_means({"rate": np.zeros(0, dtype=bool)}) == {}
    assert of_wasserstein(np.zeros(0), np.ones(3)) is None
    assert of_wasserstein(np.ones(3), np.full(3, np.nan)) is None


def test_the_seed_decides():
    column = {"a": np.random.default_rng(3).random(50)}
    assert of_means(column, seed=1) == of_means(column, seed=1)
    assert of_means(column, seed=1) != of_means(column, seed=2)


def test_blocks_change_nothing(monkeypatch):
    rng = np.random.default_rng(4)
    column, values, reference = {"a": rng.random(50)}, rng.random(50), rng.random(70)
    want = of_means(column), of_wasserstein(values, reference)
    monkeypatch.setattr("nucleate.evaluation.intervals._BLOCK", 333)
    assert of_means(column)["a"] == pytest.approx(want[0]["a"], rel=1e-12)
    assert of_wasserstein(values, reference) == pytest.approx(want[1], rel=1e-12)


def test_wasserstein_is_around_the_distance_with_the_spread_of_scipys_resamples():
    rng = np.random.default_rng(5)
    samples, reference = np.append(rng.normal(0, 1, 300), np.nan), np.round(rng.normal(0.4, 1, 500), 1)
    known = samples[:-1]
    interval = of_wasserstein(samples, reference)
    assert interval is not None
    drawn = [wasserstein_distance(rng.choice(known, 300), reference) for _ in range(2000)]
    assert interval.error == pytest.approx(np.std(drawn), rel=0.1)
    shift = wasserstein_distance(known, reference) - np.mean(drawn)
    assert interval[:2] == pytest.approx(np.quantile(drawn, [0.025, 0.975]) + shift, abs=0.02)


def test_wasserstein_of_a_shift_has_the_interval_of_the_mean():
    """Far enough away the distance is the difference of the means."""
    values = np.random.default_rng(6).normal(0, 1, 1000)
    interval = of_wasserstein(values + 50, values)
    assert interval is not None
    error = values.std() / np.sqrt(1000)
    assert interval.error == pytest.approx(error, rel=0.06)
    assert interval[:2] == pytest.approx(50 + norm.ppf([0.025, 0.975]) * error, abs=0.2 * error)


def test_no_distance_is_below_nothing():
    values = np.random.default_rng(7).integers(1, 4, 200)
    interval = of_wasserstein(values, values)
    assert interval is not None
    assert interval.low == 0
