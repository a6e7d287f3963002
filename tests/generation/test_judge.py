from __future__ import annotations

import numpy as np

from nucleate.crystals import Crystals
from nucleate.datasets import load
from nucleate.generation.judge import features, fit_judge


def test_a_judge_learns_from_fingerprints_and_keeps_them(tmp_path):
    """The mean atomic number of crystals it was not fitted to, and nothing of those that could not be built."""
    crystals = load("prototypes", "val")[:120]
    values = np.array([float(numbers.mean()) for numbers in crystals.numbers_of_each()])
    judge = fit_judge(crystals[:100], values[:100], keep_in=tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    mixed = Crystals.concat([crystals[100:], Crystals.failed(["no atoms"])])
    judged = judge(mixed)
    assert np.isnan(judged[-1])
    seen = np.isfinite(judged[:-1])
    assert seen.sum() >= 15
    errors = np.abs(judged[:-1] - values[100:])[seen]
    assert np.median(errors) < np.std(values) / 3


def test_features_are_of_each_crystal_in_order():
    crystals = load("prototypes", "val")[:6]
    found = features(crystals)
    np.testing.assert_allclose(features(crystals[::-1])[::-1], found, rtol=1e-9, atol=1e-9)
    volumes = np.abs(np.linalg.det(crystals.lattice.double().numpy())) / crystals.counts.numpy()
    np.testing.assert_allclose(found[:, -1], np.log(volumes), rtol=1e-6)
