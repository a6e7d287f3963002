from __future__ import annotations

import json

import pytest
from pymatgen.core import Lattice, Structure

from nucleate.errors import UserError
from nucleate.files import Failure, poscar, structure_column
from nucleate.files.entries import collect
from nucleate.files.failures import BadEntryError
from tests.files.samples import NACL, ROCK_SALT, assert_same

SALT = Structure(Lattice.cubic(4), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["id", "cif"], "cif"),
        (["CIF", "id"], "CIF"),
        (["id", "Structure"], "Structure"),
        (["cif_str", "e"], "cif_str"),
        (["CIF_String"], "CIF_String"),
        (["structure", "cif", "CIF"], "cif"),
    ],
)
def test_the_usual_names_are_known(names, found):
    assert structure_column.find(names) == found


def test_several_candidates_are_named():
    with pytest.raises(UserError, match="may be in CIF or structure; name the column that holds them 'cif'"):
        structure_column.find(["CIF", "id", "structure"])
    with pytest.raises(UserError, match="there is no column 'cif'; the columns are id, cifs"):
        structure_column.find(["id", "cifs"])


@pytest.mark.parametrize(
    "cell",
    [
        json.dumps(SALT.as_dict()),
        str(SALT.as_dict()),
        SALT.as_dict(),
        SALT.to(fmt="poscar"),
        SALT.to(fmt="cif"),
        "# a comment\n\n" + SALT.to(fmt="cif"),
        SALT.to(fmt="cif").encode(),
    ],
)
def test_the_content_decides(cell):
    assert collect([structure_column.parse(cell)]).formulas == ["CsCl"]


def test_a_poscar_in_a_cell_is_read_whole():
    assert_same(collect([structure_column.parse(poscar.dump(NACL[1]))]), NACL[1], 1e-12)


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (None, "blank"),
        (float("nan"), "blank"),
        (" \n", "blank"),
        ("Full Formula (Cs1 Cl1)", "'Full Formula (Cs1 Cl1)' is neither a CIF nor JSON nor a POSCAR"),
        (repr(SALT), "is neither"),
        ("{", "not JSON"),
        ("{1, 2}", "is no structure"),
        ('{"a": 1}', "there is no structure, only a"),
        ("{'a': __import__('os')}", "not JSON"),
        (3.5, "'3.5' is no structure"),
        (2 * ROCK_SALT, "2 crystals"),
    ],
)
def test_what_is_no_structure_is_said_in_words(cell, words):
    with pytest.raises(BadEntryError) as caught:
        structure_column.parse(cell)
    assert caught.value.reason is Failure.UNPARSEABLE
    assert words in caught.value.message
