from __future__ import annotations

import json

import pytest
from hypothesis import given, settings

from nucleate.crystals import Crystals
from nucleate.elements import SYMBOLS
from nucleate.files import Failure, read
from nucleate.files.dialects import find, jarvis
from nucleate.files.entries import collect
from nucleate.files.failures import BadEntryError
from tests.files.samples import NACL, assert_same, crystals


def atoms(crystal: Crystals, *, cartesian: bool) -> dict:
    """The dictionary that `jarvis.core.atoms.Atoms.to_dict` makes."""
    symbols = [SYMBOLS[z] for z in crystal.numbers.tolist()]
    coords = crystal.frac @ crystal.lattice[0] if cartesian else crystal.frac
    return {
        "lattice_mat": crystal.lattice[0].tolist(),
        "coords": coords.tolist(),
        "elements": symbols,
        "abc": [1.0, 1.0, 1.0],
        "angles": [90.0, 90.0, 90.0],
        "cartesian": cartesian,
        "props": [""] * len(symbols),
    }


@settings(deadline=None, max_examples=20)
@given(crystals(at_most=8))
def test_both_kinds_of_coordinates_are_read(crystal):
    for cartesian in (True, False):
        data = atoms(crystal, cartesian=cartesian)
        assert find(data) is jarvis
        assert_same(collect([jarvis.parse(data)]), crystal, 1e-9)


def test_records_are_read_with_their_properties(tmp_path):
    records = [
        {"jid": f"JVASP-{row}", "atoms": atoms(crystal, cartesian=False), "optb88vdw_bandgap": 0.5, "bulk": "na"}
        for row, crystal in enumerate(NACL)
    ]
    (tmp_path / "a.json").write_text(json.dumps(records))
    found = read(tmp_path / "a.json")
    assert found.formulas == ["NaCl", "Na2Cl2"]
    assert {name: column.tolist() for name, column in found.info.items()} == {
        "jid": ["JVASP-0", "JVASP-1"],
        "optb88vdw_bandgap": [0.5, 0.5],
        "bulk": ["na", "na"],
    }
    (tmp_path / "frame.json").write_text(json.dumps({name: [row[name] for row in records] for name in records[0]}))
    assert read(tmp_path / "frame.json").formulas == found.formulas
    (tmp_path / "one.json").write_text(json.dumps(records[1]["atoms"]))
    assert read(tmp_path / "one.json").formulas == ["Na2Cl2"]


@pytest.mark.parametrize(
    ("changes", "reason", "words"),
    [
        ({"cartesian": "yes"}, Failure.UNPARSEABLE, "neither true nor false"),
        ({"elements": "NaCl"}, Failure.UNPARSEABLE, "elements is not a list"),
        ({"elements": ["Na"]}, Failure.UNPARSEABLE, "1 atoms and 2 coords"),
        ({"elements": ["Na", "Xx"]}, Failure.UNKNOWN_ELEMENT, "Xx"),
        ({"coords": [[0, 0], [1, 1]]}, Failure.UNPARSEABLE, "coords is not"),
    ],
)
def test_each_way_to_fail_has_its_reason(changes, reason, words):
    with pytest.raises(BadEntryError) as caught:
        jarvis.parse({**atoms(NACL[0], cartesian=False), **changes})
    assert caught.value.reason is reason
    assert words in caught.value.message


def test_what_is_missing_is_named():
    with pytest.raises(BadEntryError, match="the atoms have no coords, elements"):
        jarvis.parse({"lattice_mat": [], "cartesian": True})
