from __future__ import annotations

import io
import re

import ase.io
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Structure

from nucleate.crystals import Crystals
from nucleate.elements import SYMBOLS
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


HEAD = "salt\nSCALE\n4 0.5 0\n0 4 0\n0.1 0 5\nCs Cl\n1 2\n"

FORMS = {
    "direct": HEAD.replace("SCALE", "1.1") + "Direct\n0 0 0\n0.5 0.5 0.5\n0.25 0.1 0.9\n",
    "cartesian": HEAD.replace("SCALE", "1.1") + "Cartesian\n0 0 0\n2 2 2\n1 2 3\n",
    "kartesian": HEAD.replace("SCALE", "0.9") + "k\n0 0 0\n2 2 2\n1 2 3\n",
    "volume, direct": HEAD.replace("SCALE", "-200") + "Direct\n0 0 0\n0.5 0.5 0.5\n0.25 0.1 0.9\n",
    "volume": HEAD.replace("SCALE", "-200") + "Cartesian\n0 0 0\n2 2 2\n1 2 3\n",
    "selective": HEAD.replace("SCALE", "1")
    + "Selective dynamics\nDirect\n0 0 0 T T F\n0.5 0.5 0.5 F F F\n0 0.1 0.2 T T T\n",
    "species again": HEAD.replace("SCALE", "1").replace("Cs Cl\n1 2", "Cs Cl Cs\n1 1 1")
    + "Direct\n0 0 0\n0.5 0.5 0.5\n0 0.1 0.2\n",
    "potentials": HEAD.replace("SCALE", "1").replace("Cs Cl", "Cs_sv/a1b2c3d4 Cl/0f0f")
    + "Direct\n0 0 0\n0.5 0.5 0.5\n0 0.1 0.2\n",
    "names behind": HEAD.replace("SCALE", "1") + "Direct\n0 0 0 Cs\n0.5 0.5 0.5 Cl\n0 0.1 0.2 Cl\n",
    "velocities": HEAD.replace("SCALE", "1") + "Direct\n0 0 0\n0.5 0.5 0.5\n0 0.1 0.2\n\n0.1 0.1 0.1\n0 0 0\n0 0 0\n",
    "exponents": HEAD.replace("SCALE", "1.0E0") + "Direct\n0 0 0\n5.0e-1 0.5 0.5\n0 1E-1 0.2\n",
    "three scales": HEAD.replace("SCALE", "1.1 0.9 1.2") + "Cartesian\n0 0 0\n2 2 2\n1 2 3\n",
    "comments": HEAD.replace("SCALE", "1.0").replace("1 2\n", "1 2 ! two of them\n")
    + "Direct\n0 0 0\n0.5 0.5 0.5\n0 0.1 0.2\n",
}

BEYOND_PYMATGEN = ("three scales", "comments", "volume")
"""What pymatgen refuses; and Cartesian coordinates, which it multiplies by the volume."""


def same_as(structure_numbers, frac, cell, found):
    assert found.numbers.tolist() == list(structure_numbers)
    np.testing.assert_allclose(found.lattice[0], cell, atol=1e-12)
    apart = np.asarray(frac) - found.frac.numpy()
    np.testing.assert_allclose(apart, np.round(apart), atol=1e-9)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read_as_pymatgen_and_ase_read_it(form):
    found = collect([poscar.parse(FORMS[form])])
    atoms = ase.io.read(io.StringIO(FORMS[form]), format="vasp")
    same_as(
        atoms.numbers, np.linalg.solve(np.asarray(atoms.cell).T, atoms.positions.T).T, np.asarray(atoms.cell), found
    )
    if form not in BEYOND_PYMATGEN:
        structure = Structure.from_str(FORMS[form], fmt="poscar")
        same_as(structure.atomic_numbers, structure.frac_coords, structure.lattice.matrix, found)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from([8, 11, 17, 26]), min_size=21, max_size=45))
def test_more_than_twenty_kinds_go_over_several_lines(kinds):
    words = [SYMBOLS[z] for z in kinds]
    rows = ["  ".join(words[start : start + 20]) for start in range(0, len(words), 20)]
    ones = ["  ".join(["1"] * len(row.split())) for row in rows]
    places = [f"{row / 50} 0 0" for row in range(len(kinds))]
    text = "\n".join(["x", "1", "5 0 0", "0 5 0", "0 0 5", *rows, *ones, "Direct", *places, ""])
    assert collect([poscar.parse(text)]).numbers.tolist() == kinds
    assert list(Structure.from_str(text, fmt="poscar").atomic_numbers) == kinds


def test_elements_named_behind_the_coordinates_only_are_read():
    text = CSCL.replace("Cs Cl\n", "").replace("0 0 0\n", "0 0 0 Cs\n").replace("0.5 0.5 0.5", "0.5 0.5 0.5 Cl")
    assert collect([poscar.parse(text)]).formulas == ["CsCl"]


def test_a_number_may_touch_the_sign_of_the_next_and_have_a_fortran_exponent():
    entry = poscar.parse(CSCL.replace("0.5 0.5 0.5", "0.50-0.25-0.125").replace("1.0\n", "1.0D0\n"))
    assert entry.frac[1].tolist() == [0.5, -0.25, -0.125]


@pytest.mark.parametrize(
    ("text", "reason", "words"),
    [
        (CSCL.replace("1 1", "1 2"), Failure.UNPARSEABLE, "it says 3 atoms and ends after 2"),
        (CSCL.replace("1 1", "1 999999999"), Failure.UNPARSEABLE, "it says 1000000000 atoms and ends after 2"),
        ("", Failure.UNPARSEABLE, "it ends before the scale"),
        ("x\n1\n4 0 0\n0 4 0\n", Failure.UNPARSEABLE, "it ends before a lattice vector"),
        (CSCL[:30], Failure.UNPARSEABLE, "it ends before the number of atoms of each element"),
        (CSCL[: CSCL.index("Direct")], Failure.UNPARSEABLE, "it ends before whether coordinates are direct"),
        (CSCL.replace("1.0\n", "one\n"), Failure.UNPARSEABLE, "line 2 should hold the scale"),
        (CSCL.replace("1.0\n", "1 2\n"), Failure.UNPARSEABLE, "line 2 should hold the scale"),
        (CSCL.replace("1.0\n", "1 -1 1\n"), Failure.BAD_LATTICE, "the scale is 1 -1 1"),
        (CSCL.replace("1.0\n", "0\n"), Failure.BAD_LATTICE, "the scale is 0"),
        (CSCL.replace("1.0\n", "-64\n").replace("0 0 4", "0 4 0"), Failure.ZERO_VOLUME, "flat"),
        (CSCL.replace("0 4 0", "0 4"), Failure.UNPARSEABLE, "line 4 should start with three numbers"),
        (CSCL.replace("0.5 0.5 0.5", "a b c"), Failure.UNPARSEABLE, "line 10 should start with three numbers (atom 1)"),
        (
            CSCL.replace("1 1", "1 1 1").replace("0 0 0\n", "0 0 0\n0 0 0\n"),
            Failure.UNPARSEABLE,
            "2 elements and 3 numbers",
        ),
        (CSCL.replace("1 1", "x y"), Failure.UNKNOWN_ELEMENT, "line 7 should name elements"),
        (CSCL.replace("1 1", "-1 1"), Failure.UNPARSEABLE, "line 7 should name elements"),
        (CSCL.replace("Direct\n", ""), Failure.UNPARSEABLE, "line 8 should say whether coordinates are direct"),
        (CSCL.replace("1 1", "0 0"), Failure.NO_ATOMS, "no atoms"),
        (CSCL.replace("Cs Cl\n", ""), Failure.UNKNOWN_ELEMENT, "not named (VASP 4)"),
        (CSCL.replace("Cs Cl\n1 1\n", "Cs Cl\n\n1 1\n"), Failure.UNPARSEABLE, "line 7 is blank"),
    ],
)
def test_what_is_wrong_is_said_in_words(text, reason, words):
    with pytest.raises(BadEntryError) as caught:
        poscar.parse(text)
    assert caught.value.reason is reason
    assert words in caught.value.message


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_no_text_makes_it_stumble(data):
    text = FORMS[data.draw(st.sampled_from(list(FORMS)))]
    words = re.split(r"(\s+)", text)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(words) - 1))
        words[place : place + data.draw(st.integers(0, 3))] = [
            data.draw(st.sampled_from(["", "x", "-1", "\n", "1e9", "!"]))
        ]
    try:
        poscar.parse("".join(words))
    except BadEntryError as error:
        message = error.message
        event = error.reason
        assert message
        assert event in list(Failure)
