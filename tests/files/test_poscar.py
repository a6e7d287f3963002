from __future__ import annotations

import io

import ase.io
import numpy as np
import pytest
from hypothesis import given, settings
from pymatgen.core import Structure

from nucleate.crystals import Crystals
from nucleate.errors import UserError
from nucleate.files import Failure, poscar, read, write
from nucleate.files.entries import collect
from nucleate.files.failures import BadEntryError
from tests.files.samples import FAILED, NACL, assert_same, assert_same_atoms, crystals

CSCL = "salt\n1.0\n4 0 0\n0 4 0\n0 0 4\nCs Cl\n1 1\nDirect\n0 0 0\n0.5 0.5 0.5\n"


@settings(deadline=None, max_examples=25)
@given(crystals())
def test_what_is_written_is_read_back(crystal):
    found = collect([poscar.parse(poscar.dump(crystal))])
    assert_same(found, crystal, 1e-11)
    np.testing.assert_allclose(found.lattice, crystal.lattice, atol=1e-14)


@settings(deadline=None, max_examples=15)
@given(crystals(at_most=8))
def test_others_read_the_same(crystal):
    text = poscar.dump(crystal)
    atoms = ase.io.read(io.StringIO(text), format="vasp")
    structure = Structure.from_str(text, fmt="poscar")
    assert_same_atoms(atoms.numbers, atoms.get_scaled_positions(), crystal, 1e-9)
    assert_same_atoms(structure.atomic_numbers, structure.frac_coords, crystal, 1e-12)
    np.testing.assert_allclose(np.asarray(atoms.cell), crystal.lattice[0], atol=1e-14)


def test_atoms_are_grouped_by_element():
    mixed = Crystals.build([[11, 17, 11]], [[[0, 0, 0], [0.5, 0.5, 0.5], [0.25, 0, 0]]], [np.eye(3) * 4])
    lines = poscar.dump(mixed).splitlines()
    assert lines[5].split() == ["Na", "Cl"]
    assert lines[6].split() == ["2", "1"]
    assert [line.split()[3] for line in lines[8:]] == ["Na", "Na", "Cl"]


@pytest.mark.parametrize("name", ["POSCAR", "CONTCAR", "POSCAR_cscl.1", "cscl.vasp", "cscl.poscar", "cscl.POSCAR"])
def test_the_usual_names_are_known(name, tmp_path):
    (tmp_path / name).write_text(CSCL)
    assert read(tmp_path / name).formulas == ["CsCl"]


def test_deuterium_is_hydrogen_and_cartesian_is_read():
    text = CSCL.replace("Cs", "D").replace("Direct", "Cartesian").replace("0.5 0.5 0.5", "2 2 2")
    found = collect([poscar.parse(text)])
    assert found.formulas == ["HCl"]
    assert found.frac.tolist() == [[0, 0, 0], [0.5, 0.5, 0.5]]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (CSCL.replace("Cs Cl\n", ""), Failure.UNKNOWN_ELEMENT),  # VASP 4 does not name the elements
        (CSCL.replace("Cs", "Qq"), Failure.UNKNOWN_ELEMENT),
        (CSCL.replace("0 0 4", "0 4 0"), Failure.ZERO_VOLUME),
        (CSCL.replace("0 0 4", "0 0 nan"), Failure.NOT_FINITE),
        (CSCL.replace("0.5 0.5 0.5", "0.5 inf 0.5"), Failure.NOT_FINITE),
    ],
)
def test_each_way_to_fail_has_its_reason(text, reason):
    with pytest.raises(BadEntryError) as caught:
        poscar.parse(text)
    assert caught.value.reason is reason


def test_a_text_that_ends_early_cannot_be_read(tmp_path):
    (tmp_path / "POSCAR").write_text(CSCL[:30])
    with pytest.raises(UserError, match="POSCAR: unparseable: "):
        read(tmp_path / "POSCAR")


@pytest.mark.parametrize("several", [NACL, FAILED])
def test_only_one_crystal_can_be_written(several, tmp_path):
    with pytest.raises(UserError, match="holds one crystal"):
        write(several, tmp_path / "POSCAR")
    assert not list(tmp_path.iterdir())
