from __future__ import annotations

import numpy as np
import pytest

from nucleate.crystals import Crystals
from nucleate.datasets import load
from nucleate.evaluation import oxidation_states
from nucleate.evaluation.assessment import assess
from tests.evaluation.conftest import random_cell, to_crystals


@pytest.fixture(scope="module")
def crystals():
    """Rock salt; one atom on the other; what can't be neutral; what failed; 30 atoms; an atom without a fingerprint."""
    salt = Crystals.build([[11, 17]], [[[0, 0, 0], [0.5, 0.5, 0.5]]], [4 * (np.ones((3, 3)) - np.eye(3)) / 2**0.5])
    twice = Crystals.build([[11, 17]], [[[0.5, 0.5, 0.5]] * 2], [np.eye(3) * 4])
    charged = Crystals.build([[11, 17, 17]], [[[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5]]], [np.eye(3) * 5])
    large = to_crystals([random_cell(np.random.default_rng(0), [11, 17] * 15)])
    heavy = Crystals.build([[97]], [[[0, 0, 0]]], [np.eye(3) * 3])
    return Crystals.concat([salt, twice, charged, Crystals.failed(["unparseable"]), large, heavy])


@pytest.fixture(scope="module")
def found(crystals):
    return assess(crystals, oxidation_states.load(), max_atoms=20)


def test_what_is_valid(found):
    assert found.failures.tolist() == [
        *("", "overlapping_atoms", "", "unparseable", "too_many_atoms", "no_fingerprint"),
    ]
    assert found.built.tolist() == [True, False, True, False, False, True]
    assert found.structural_valid.tolist() == [True, False, True, False, False, True]
    assert found.composition_valid.tolist() == [True, False, False, False, False, True]
    assert found.fingerprinted.tolist() == [True, False, True, False, False, False]
    assert found.valid.tolist() == [True, False, False, False, False, False]
    assert found.counts == {
        "built": 3,
        "structural_valid": 3,
        "composition_valid": 2,
        "fingerprinted": 2,
        "valid": 1,
    }


def test_what_was_not_built_has_nothing(found):
    columns = found.columns()
    assert {len(column) for column in columns.values()} == {6}
    for name in ("density", "volume", "min_distance", "self_image_distance"):
        assert np.isnan(columns[name]).tolist() == (~found.built).tolist()
    assert columns["num_elements"].tolist() == [2, 0, 2, 0, 0, 1]
    assert np.isnan(found.composition_fingerprints).all(1).tolist() == (~found.built).tolist()
    assert columns["min_distance"][0] == pytest.approx(4 / 2**0.5)


def test_a_crystal_does_not_depend_on_the_others(crystals, found):
    alone = assess(crystals[[2]], oxidation_states.load())
    np.testing.assert_array_equal(alone.structure_fingerprints[0], found.structure_fingerprints[2])
    assert alone.density[0] == found.density[2]


def test_fingerprints_are_kept(tmp_path, monkeypatch):
    reference, states = load("prototypes", "test")[:3], oxidation_states.load()
    first = assess(reference, states, keep_in=tmp_path)

    def fail(*_, **__):
        raise AssertionError("computed again")

    monkeypatch.setattr("nucleate.evaluation.assessment.structure_fingerprints", fail)
    again = assess(reference, states, keep_in=tmp_path)
    np.testing.assert_array_equal(again.structure_fingerprints, first.structure_fingerprints)
