from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from pymatgen.core import Lattice, Structure

from nucleate.files import Failure, to_structure
from nucleate.files.dialects import find, pymatgen
from nucleate.files.failures import BadEntryError
from tests.files.samples import crystals

SALT = Structure(Lattice.cubic(4), ["Cs+", "Cl-"], [[0, 0, 0], [0.5, 0.5, 0.5]], properties={"e": 1.5}).as_dict()


@settings(deadline=None, max_examples=20)
@given(crystals(at_most=8))
def test_what_pymatgen_writes_is_read_exactly(crystal):
    data = to_structure(crystal).as_dict()
    assert find(data) is pymatgen
    entry = pymatgen.parse(data)
    assert entry.numbers.tolist() == crystal.numbers.tolist()
    np.testing.assert_array_equal(entry.frac, crystal.frac)
    np.testing.assert_array_equal(entry.lattice, crystal.lattice[0])


def test_charges_are_dropped_and_properties_are_info():
    entry = pymatgen.parse(SALT)
    assert entry.numbers.tolist() == [55, 17]
    assert entry.info == {"e": 1.5}


def test_a_lattice_of_parameters_is_that_of_pymatgen():
    parameters = {"a": 3, "b": 4, "c": 5, "alpha": 80, "beta": 95, "gamma": 110}
    entry = pymatgen.parse({**SALT, "lattice": parameters})
    np.testing.assert_allclose(entry.lattice, Lattice.from_parameters(*parameters.values()).matrix, atol=1e-12)


@pytest.mark.parametrize(
    ("changes", "reason", "words"),
    [
        ({"lattice": None}, Failure.BAD_LATTICE, "no lattice"),
        ({"lattice": {"a": 1}}, Failure.BAD_LATTICE, "neither a matrix nor"),
        (
            {"lattice": {**dict.fromkeys("abc", 3), "alpha": 10, "beta": 90, "gamma": 120}},
            Failure.BAD_LATTICE,
            "cannot be",
        ),
        ({"lattice": {"matrix": [[1, 0], [0, 1]]}}, Failure.UNPARSEABLE, "the lattice is not"),
        ({"lattice": {"matrix": [[1, 0, 0], [0, 1, 0]]}}, Failure.BAD_LATTICE, "2 lattice vectors"),
        ({"sites": {}}, Failure.NO_ATOMS, "no sites"),
        ({"sites": [None]}, Failure.UNPARSEABLE, "site 0 has no list of species"),
        ({"sites": [{"species": "Na", "abc": [0, 0, 0]}]}, Failure.UNPARSEABLE, "site 0 has no list of species"),
        ({"sites": [{"species": [{"element": "Na", "occu": 1}]}]}, Failure.NOT_FINITE, "site 0 has no fractional"),
        ({"sites": [{"species": [{"element": "Na"}], "abc": [0, None, 0]}]}, Failure.NOT_FINITE, "atom 0 (Na)"),
        ({"sites": [{"species": [{"element": "Na"}], "abc": [0, "x", 0]}]}, Failure.UNPARSEABLE, "abc of the sites"),
        ({"sites": [{"species": [], "abc": [0, 0, 0]}]}, Failure.PARTIAL_OCCUPANCY, "nothing"),
        ({"sites": [{"species": [{"element": "Vac"}], "abc": [0, 0, 0]}]}, Failure.UNKNOWN_ELEMENT, "'Vac'"),
    ],
)
def test_each_way_to_fail_has_its_reason(changes, reason, words):
    with pytest.raises(BadEntryError) as caught:
        pymatgen.parse({**SALT, **changes})
    assert caught.value.reason is reason
    assert words in caught.value.message
