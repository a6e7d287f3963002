from __future__ import annotations

import numpy as np
import pytest

from nucleate.crystals import Crystals
from nucleate.explorer.properties import properties

ROCK_SALT = [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0], [0.5] * 3, [0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5]]


@pytest.fixture(scope="module")
def crystals() -> Crystals:
    """Sodium chloride; argon and oxygen, which cannot balance, in a cell without symmetry; two atoms too close."""
    skewed = np.array([[4.0, 0, 0], [0.7, 4.5, 0], [0.4, 0.9, 5.1]])
    return Crystals.build(
        [[11] * 4 + [17] * 4, [18, 8, 8], [14, 14]],
        [ROCK_SALT, [[0.1, 0.2, 0.3], [0.5, 0.61, 0.77], [0.8, 0.15, 0.6]], [[0, 0, 0], [0.08, 0, 0]]],
        [5.64 * np.eye(3), skewed, 4 * np.eye(3)],
    )


@pytest.fixture(scope="module")
def found(crystals):
    described = properties(crystals, training=crystals[[0]], training_name="salt")
    return {one.key: one for one in described}


def test_numbers_of_sodium_chloride(found):
    values = {key: one.values[0] for key, one in found.items()}
    assert values["num_atoms"] == 8
    assert values["num_elements"] == 2
    assert values["density"] == pytest.approx(4 * 58.44 / 6.02214e23 / (5.64e-8) ** 3, rel=1e-4)
    assert values["volume_per_atom"] == pytest.approx(5.64**3 / 8)
    assert (values["space_group"], values["space_group_number"]) == ("Fm-3m", 225)
    assert values["crystal_system"] == "cubic"
    assert values["structural_valid"]
    assert values["composition_valid"]


def test_what_is_not_so_good_is_told_apart(found):
    assert found["space_group_number"].values[1] == 1
    assert found["crystal_system"].values[1] == "triclinic"
    assert found["structural_valid"].values.tolist() == [True, True, False]
    assert found["composition_valid"].values.tolist() == [True, False, True]
    assert found["novel"].values.tolist() == [False, True, True]
    assert found["novel"].label == "novel (unlike salt)"


def test_a_space_group_that_is_not_found_is_unknown(crystals):
    """The two atoms are nearer to each other than 0.5 Å but farther than the tolerance; these are at one place."""
    close = Crystals.build([[14, 14]], [[[0, 0, 0], [0.01, 0, 0]]], [4 * np.eye(3)])
    found = {one.key: one.values[0] for one in properties(close)}
    assert found["space_group"] == found["crystal_system"] == ""
    assert np.isnan(found["space_group_number"])


def test_without_training_there_is_no_novelty(crystals):
    assert "novel" not in {one.key for one in properties(crystals[[0]])}
