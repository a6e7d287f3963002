from __future__ import annotations

import json

import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.db import connect

from nucleate.files import Failure, read, to_atoms
from nucleate.files.dialects import ase_database
from nucleate.files.failures import BadEntryError
from tests.files.samples import NACL, assert_same


def test_what_ase_writes_is_read(tmp_path):
    with connect(tmp_path / "a.json") as database:
        for row, crystal in enumerate(NACL):
            atoms = Atoms(to_atoms(crystal), info={})
            atoms.calc = SinglePointCalculator(atoms, energy=-3.5 - row)
            database.write(atoms, tag=f"x{row}", gap=1.5)
    found = read(tmp_path / "a.json")
    assert_same(found, NACL, 1e-12)
    assert found.info["id"].tolist() == [1, 2]
    assert found.info["energy"].tolist() == [-3.5, -4.5]
    assert found.info["tag"].tolist() == ["x0", "x1"]
    assert found.info["gap"].tolist() == [1.5, 1.5]
    assert not {"forces", "cell", "numbers", "key_value_pairs"} & set(found.info)


ROW = {"numbers": [11], "positions": [[0, 0, 0]], "cell": [[3, 0, 0], [0, 3, 0], [0, 0, 3]]}


@pytest.mark.parametrize(
    ("changes", "reason", "words"),
    [
        ({"numbers": []}, Failure.NO_ATOMS, "no atoms"),
        ({"numbers": [0]}, Failure.UNKNOWN_ELEMENT, "Z=0"),
        ({"numbers": "Na"}, Failure.UNPARSEABLE, "numbers is not a list"),
        ({"cell": [[3, 0, 0], [0, 3, 0], [0, 0, 0]]}, Failure.ZERO_VOLUME, "flat"),
        ({"positions": {"__ndarray__": [[2, 3], "float64", [0.0]]}}, Failure.UNPARSEABLE, "has other values"),
        ({"positions": {"x": 1}}, Failure.UNPARSEABLE, "not written as ASE writes it"),
        ({"positions": {"__ndarray__": [[0, 3], "float64", []]}}, Failure.UNPARSEABLE, "1 atoms and 0 positions"),
    ],
)
def test_each_way_to_fail_has_its_reason(changes, reason, words):
    with pytest.raises(BadEntryError) as caught:
        ase_database.parse({**ROW, **changes})
    assert caught.value.reason is reason
    assert words in caught.value.message


def test_a_row_that_is_missing_keeps_its_place(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"1": ROW, "ids": [1, 2], "nextid": 3}))
    found = read(tmp_path / "a.json")
    assert found.failures.tolist() == ["", "unparseable"]
    assert found.info["id"].tolist() == [1, 2]
