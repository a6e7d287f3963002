from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from nucleate.crystals import Crystals
from nucleate.datasets.describe import describe


@pytest.fixture
def crystals() -> Crystals:
    rock_salt = [0, 0, 0], [0.5, 0.5, 0.5]
    built = Crystals.build(
        [[11, 17], [11, 17], [6]],
        [rock_salt, rock_salt, [[0, 0, 0]]],
        [np.diag([2.0, 3.0, 4.0]), np.eye(3) * 4, [[2, 0, 0], [1, np.sqrt(3), 0], [0, 0, 5]]],
        {"material_id": [1, 2, 3], "gap": [5.0, float("nan"), 0.0], "spacegroup.number": [225, 225, 194]},
    )
    return Crystals.concat([built, Crystals.failed(["no_atoms", "no_atoms", "zero_volume"])])


def test_counts(crystals):
    found = describe(crystals)
    assert (found.crystals, found.atoms) == (6, 5)
    assert found.failures == Counter(no_atoms=2, zero_volume=1)
    assert found.top_elements == [("Na", 2), ("Cl", 2), ("C", 1)]
    assert found.with_element.shape == (119,)
    assert found.atoms_per_cell.tolist() == [2, 2, 1]
    assert found.elements_per_crystal.tolist() == [2, 2, 1]


def test_distributions(crystals):
    found = describe(crystals)
    np.testing.assert_allclose(found.volume_per_atom, [12, 32, 10 * np.sqrt(3)])
    np.testing.assert_allclose(found.lengths, [[2, 3, 4], [4, 4, 4], [2, 2, 5]])
    np.testing.assert_allclose(found.angles, [[90, 90, 90], [90, 90, 90], [90, 90, 60]])


def test_columns(crystals):
    found = describe(crystals)
    assert found.space_groups == Counter({"225": 2, "194": 1})  # floats, since failed rows have none
    assert set(found.numeric) == {"gap"}
    np.testing.assert_array_equal(found.numeric["gap"], [5, np.nan, 0])


def test_nothing_and_only_failures():
    assert describe(Crystals.empty()).top_elements == []
    only = describe(Crystals.failed(["no_atoms"]))
    assert (only.crystals, only.atoms, len(only.atoms_per_cell)) == (1, 0, 0)
    assert only.space_groups is None
