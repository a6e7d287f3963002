from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from hypothesis import given, settings
from pymatgen.core import DummySpecies, Lattice, Structure

from nucleate.errors import UserError
from nucleate.files import Failure, from_atoms, from_structure, from_structures, to_atoms, to_structure, to_structures
from tests.files.samples import MIXED, NACL, assert_same, assert_same_info, crystals

SALT = Structure(Lattice.cubic(4), ["Cs+", "Cl-"], [[0, 0, 0], [0.5, 0.5, 1.5]], properties={"e": 1.5})


@settings(deadline=None, max_examples=20)
@given(crystals())
def test_to_pymatgen_and_back_is_exact(crystal):
    structure = to_structure(crystal)
    assert structure.atomic_numbers == tuple(crystal.numbers.tolist())
    np.testing.assert_array_equal(structure.lattice.matrix, crystal.lattice[0])
    back = from_structure(structure)
    for name in ("numbers", "frac", "lattice", "counts"):
        np.testing.assert_array_equal(getattr(back, name), getattr(crystal, name))


@settings(deadline=None, max_examples=20)
@given(crystals())
def test_to_ase_and_back(crystal):
    atoms = to_atoms(crystal)
    assert atoms.numbers.tolist() == crystal.numbers.tolist()
    np.testing.assert_allclose(atoms.positions, crystal.frac @ crystal.lattice[0], atol=1e-12)
    assert atoms.pbc.all()
    assert_same(from_atoms(atoms), crystal, 1e-12)


def test_info_goes_along():
    assert to_structure(NACL[1]).properties["name"] == "second one"
    assert_same_info(from_structures(to_structures(NACL)), NACL)
    assert to_atoms(NACL[0]).info["energy"] == -1.5
    assert_same_info(from_atoms([to_atoms(crystal) for crystal in NACL]), NACL)


def test_single_precision_becomes_double():
    import torch

    assert to_structure(NACL[0].to(dtype=torch.float32)).lattice.matrix.dtype == np.float64


def test_charges_are_dropped_and_coordinates_wrapped():
    found = from_structure(SALT)
    assert found.formulas == ["CsCl"]
    assert found.frac.tolist() == [[0, 0, 0], [0.5, 0.5, 0.5]]
    assert found.info["e"].tolist() == [1.5]


def test_failures_keep_their_place():
    partial = Structure(Lattice.cubic(4), [{"Fe": 0.5}], [[0, 0, 0]], labels=["Fe1"])
    dummy = Structure(Lattice.cubic(4), [DummySpecies("X")], [[0, 0, 0]])
    found = from_structures([SALT, partial, dummy])
    assert found.formulas == ["CsCl", "", ""]
    assert found.failures.tolist() == ["", Failure.PARTIAL_OCCUPANCY, Failure.UNKNOWN_ELEMENT]
    assert found.info["detail"][1] == "entry 1: site 0 (Fe1) holds Fe:0.5"
    assert [structure is None for structure in to_structures(found)] == [False, True, True]
    with pytest.raises(UserError, match=r"partial_occupancy: site 0 \(Fe1\) holds Fe:0\.5"):
        from_structure(partial)


def test_ase_molecules_have_no_lattice():
    found = from_atoms([bulk("Cu"), Atoms("H2", positions=[[0, 0, 0], [0, 0, 1]])])
    assert found.formulas == ["Cu", ""]
    assert found.failures.tolist() == ["", Failure.BAD_LATTICE]


def test_only_one_crystal_that_was_built_can_be_converted():
    with pytest.raises(UserError, match="one crystal is expected here, and there are 2"):
        to_structure(NACL)
    with pytest.raises(UserError, match=r"could not be built \(no_text\)"):
        to_atoms(MIXED[1])


def test_a_column_failure_of_the_users_is_theirs():
    structure = Structure(Lattice.cubic(3.5), ["Na", "Cl"], [[0, 0, 0], [0.5] * 3], properties={"failure": "no"})
    atoms = Atoms("NaCl", scaled_positions=[[0, 0, 0], [0.5] * 3], cell=[3.5] * 3, pbc=True, info={"failure": False})
    for found in (from_structure(structure), from_atoms(atoms)):
        assert found.built.all()
        assert "_failure" in found.info
    assert to_structure(from_structure(structure)).properties == {"failure": "no"}
    assert to_atoms(from_atoms(atoms)).info == {"failure": False}
