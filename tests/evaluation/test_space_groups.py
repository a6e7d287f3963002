from __future__ import annotations

import numpy as np

from nucleate import files
from nucleate.crystals import Crystals
from nucleate.evaluation.space_groups import SYSTEMS, crystal_systems, space_groups
from tests.golden.published import PROTOTYPES

CORNERS = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
ROCK_SALT = [11] * 4 + [17] * 4, np.concatenate([CORNERS, CORNERS + 0.5]), 5.64 * np.eye(3)


def test_prototypes_have_the_group_in_their_name():
    """As AFLOW names them: AB_cF8_225_a_b is in Fm-3m."""
    crystals = files.read(PROTOTYPES / "structures_prototypes.csv.gz", jobs=1)
    original = crystals[crystals.info["kind"] == "as is"]
    want = np.array([int(name.split("_")[2]) for name in original.info["name"]])
    assert len(original) > 200
    # Some descriptions of low symmetry are more symmetric than their name says, within 0.1 Å.
    assert (space_groups(original, 0.01) == want).mean() > 0.98
    assert (space_groups(original) == want).mean() > 0.95


def test_another_description_is_the_same_crystal():
    """A long skewed cell, left-handed, with another origin."""
    numbers, frac, lattice = ROCK_SALT
    change = np.array([[1, 0, 0], [40, 1, 0], [-300, 90, -1]])
    skewed = Crystals.build([numbers], [(frac + 0.1) @ np.linalg.inv(change)], [change @ lattice])
    assert space_groups(skewed).tolist() == [225]


def test_the_tolerance():
    numbers, frac, lattice = ROCK_SALT
    moved = frac + 0.005 * np.random.default_rng(0).normal(size=frac.shape)
    crystals = Crystals.build([numbers], [moved], [lattice])
    assert space_groups(crystals, 0.2).tolist() == [225]
    assert space_groups(crystals, 0.001).tolist() == [1]


def test_what_has_no_group_is_zero(capfd):
    """And nobody hears of it: nothing is written to standard error."""
    coinciding = Crystals.build([[11, 17]], [[[0, 0, 0], [0, 0, 0.01]]], [4 * np.eye(3)])
    tiny = Crystals.build([[6]], [[[0, 0, 0]]], [0.05 * np.eye(3)])
    crowd = Crystals.build([[6] * 100], [np.random.default_rng(0).random((100, 3))], [0.5 * np.eye(3)])
    flat = Crystals.build([[11, 17]], [[[0, 0, 0], [0.5, 0.5, 0.5]]], [np.ones((3, 3))])
    numbers, frac, lattice = ROCK_SALT
    good = Crystals.build([numbers], [frac], [lattice])
    batch = Crystals.concat([coinciding, good, tiny, flat, crowd, Crystals.failed(["not_finite"])])
    assert space_groups(batch).tolist() == [0, 225, 0, 0, 0, 0]
    assert space_groups(Crystals.empty()).shape == (0,)
    assert capfd.readouterr().err == ""


def test_crystal_systems():
    """First and last group of each system."""
    first = np.array([1, 3, 16, 75, 143, 168, 195])
    last = np.array([2, 15, 74, 142, 167, 194, 230])
    assert crystal_systems(np.array([0])).tolist() == [0]
    np.testing.assert_array_equal(crystal_systems(first), np.arange(1, 8))
    np.testing.assert_array_equal(crystal_systems(last), np.arange(1, 8))
    assert len(SYSTEMS) == 8
