from __future__ import annotations

import numpy as np
import pytest

from nucleate.evaluation.coverage import CUTOFFS, DEFAULT, Cutoffs, coverage

# On a line of structures and a line of compositions; the last sample and the last reference crystal have nothing.
STRUCTURES = np.array([[0.0], [10], [20], [np.nan]])
COMPOSITIONS = np.array([[0.0], [10], [20], [0]])
REFERENCE_STRUCTURES = np.array([[0.5], [9.0], [40], [np.nan]])
REFERENCE_COMPOSITIONS = np.array([[11.0], [9.5], [0], [np.nan]])


@pytest.fixture
def found():
    arrays = STRUCTURES, COMPOSITIONS, REFERENCE_STRUCTURES, REFERENCE_COMPOSITIONS
    return coverage(*arrays, Cutoffs(structure=1.0, composition=1.0))


def test_the_nearest_may_be_different_crystals(found):
    """Sample 0 has its structure in reference 0 and its composition in reference 2: covered, but not jointly."""
    samples, reference = found.samples, found.reference
    np.testing.assert_array_equal(samples.structure, [0.5, 1, 11, np.nan])
    np.testing.assert_array_equal(samples.composition, [0, 0.5, 9, np.nan])
    assert samples.covered.tolist() == [True, True, False, False]
    assert samples.covered_jointly.tolist() == [False, True, False, False]
    np.testing.assert_array_equal(reference.structure, [0.5, 1, 20, np.nan])
    np.testing.assert_array_equal(reference.composition, [1, 0.5, 0, np.nan])
    assert reference.covered.tolist() == [True, True, False, False]
    assert reference.covered_jointly.tolist() == [False, True, False, False]


def test_all_samples_count_and_all_reference_crystals_that_can_be_reached(found):
    assert found.metrics == pytest.approx(
        {
            "cov_recall": 2 / 3,
            "cov_precision": 2 / 4,
            "cov_recall_joint": 1 / 3,
            "cov_precision_joint": 1 / 4,
            "amsd_recall": (0.5 + 1 + 20) / 3,
            "amsd_precision": (0.5 + 1 + 11) / 3,
            "amcd_recall": (1 + 0.5 + 0) / 3,
            "amcd_precision": (0 + 0.5 + 9) / 3,
        }
    )


def test_nothing_to_compare():
    nothing = np.full((3, 1), np.nan)
    without_samples = coverage(nothing, nothing, STRUCTURES, COMPOSITIONS).metrics
    assert (without_samples["cov_recall"], without_samples["cov_precision"]) == (0, 0)
    assert np.isnan(without_samples["amsd_precision"])
    assert without_samples["amsd_recall"] == np.inf
    without_reference = coverage(STRUCTURES, COMPOSITIONS, nothing, nothing).metrics
    assert without_reference["cov_precision"] == without_reference["cov_precision_joint"] == 0
    assert np.isnan(without_reference["cov_recall"])


def test_joint_against_all_pairs():
    rng = np.random.default_rng(0)
    ours, theirs = rng.normal(size=(40, 5)), rng.normal(size=(30, 5))
    cutoffs = Cutoffs(1.0, 1.5)
    found = coverage(ours[:, :2], ours[:, 2:], theirs[:, :2], theirs[:, 2:], cutoffs)
    apart = np.abs(ours[:, None] - theirs) ** 2
    both = (apart[..., :2].sum(2) <= 1.0**2) & (apart[..., 2:].sum(2) <= 1.5**2)
    np.testing.assert_array_equal(found.samples.covered_jointly, both.any(1))
    np.testing.assert_array_equal(found.reference.covered_jointly, both.any(0))
    assert (found.samples.covered & ~found.samples.covered_jointly).any()


def test_published_cutoffs():
    assert CUTOFFS["mp-20"] == DEFAULT == (0.4, 10)
    assert CUTOFFS["perov-5"] == CUTOFFS["carbon-24"] == (0.2, 4)
