from __future__ import annotations

import gzip
import json

import numpy as np
import pytest
from hypothesis import given, settings
from monty.serialization import loadfn
from pymatgen.core import Lattice, Structure

from nucleate.crystals import Crystals
from nucleate.errors import UserError
from nucleate.files import Failure, read, write
from nucleate.files import json as files_json
from nucleate.files.entries import collect
from tests.files.samples import MIXED, NACL, assert_same, assert_same_info, crystals, few

SALT = Structure(Lattice.cubic(4), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
SALT_DICT = SALT.as_dict()


def parsed(text: str) -> Crystals:
    return collect([files_json.parse(record) for record in files_json.split(text)])


@settings(deadline=None, max_examples=20)
@given(few)
def test_what_is_written_is_read_back_exactly(parts):
    batch = Crystals.concat(parts)
    found = parsed(files_json.dump(batch))
    for name in ("numbers", "frac", "lattice", "counts"):
        np.testing.assert_array_equal(getattr(found, name), getattr(batch, name))


@settings(deadline=None, max_examples=15)
@given(crystals(at_most=8))
def test_it_is_what_pymatgen_writes(crystal):
    written = json.loads(files_json.dump(crystal))
    structure = Structure.from_dict(written)
    assert structure.atomic_numbers == tuple(crystal.numbers.tolist())
    np.testing.assert_array_equal(structure.frac_coords, crystal.frac)
    theirs = json.loads(structure.to_json())
    for name in ("a", "b", "c", "alpha", "beta", "gamma", "volume"):
        assert written["lattice"][name] == pytest.approx(theirs["lattice"][name], rel=1e-6)
    for ours, other in zip(written["sites"], theirs["sites"], strict=True):
        assert ours["species"] == other["species"]
        assert ours["xyz"] == pytest.approx(other["xyz"])


def test_pymatgen_reads_the_file(tmp_path):
    write(NACL[1], tmp_path / "one.json")
    structure = Structure.from_file(tmp_path / "one.json")
    assert structure.formula == "Na2 Cl2"
    assert structure.properties["name"] == "second one"
    write(NACL, tmp_path / "all.json.gz")
    assert [item.formula for item in loadfn(tmp_path / "all.json.gz")] == ["Na1 Cl1", "Na2 Cl2"]


def test_info_and_failures_come_back(tmp_path):
    write(MIXED, tmp_path / "some.json")
    found = read(tmp_path / "some.json")
    assert_same_info(found, MIXED)
    assert_same(found[[0, 2]], NACL)
    json.loads((tmp_path / "some.json").read_text(), parse_constant=pytest.fail)  # neither NaN nor Infinity


SHAPES = {
    "a structure": SALT_DICT,
    "a list": [SALT_DICT, SALT_DICT],
    "records": [{"structure": SALT_DICT, "id": "a", "e": 1}, {"structure": SALT_DICT, "id": "b", "e": 2.5}],
    "columns": {"structure": {"a": SALT_DICT, "b": SALT_DICT}, "e": {"a": 1, "b": 2}},
    "columns of lists": {"structure": [SALT_DICT, SALT_DICT], "e": [1, 2]},
    "split": {"columns": ["structure", "e"], "index": [0, 1], "data": [[SALT_DICT, 1], [SALT_DICT, 2]]},
    "by name": {"a": SALT_DICT, "b": SALT_DICT},
    "by name, records": {"a": {"structure": SALT_DICT, "e": 1}, "b": {"structure": SALT_DICT, "e": 2}},
    "one record": {"structure": SALT_DICT, "e": 1},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_read(shape, tmp_path):
    (tmp_path / "a.json.gz").write_bytes(gzip.compress(json.dumps(SHAPES[shape]).encode()))
    found = read(tmp_path / "a.json.gz")
    count = 1 if shape in ("a structure", "one record") else 2
    assert found.formulas == ["CsCl"] * count
    if "e" in found.info:
        assert found.info["e"].tolist()[0] == 1
    if shape.startswith("by name"):
        assert found.info["id"].tolist() == ["a", "b"]
    if shape not in ("a structure", "a list", "by name"):
        assert "e" in found.info


def changed(**changes) -> dict:
    return {**SALT_DICT, **changes}


@pytest.mark.parametrize(
    ("record", "reason", "words"),
    [
        (None, Failure.UNPARSEABLE, "no structure"),
        ({"e": 1}, Failure.UNPARSEABLE, "no structure"),
        (changed(sites=[]), Failure.NO_ATOMS, "no sites"),
        ({"sites": SALT_DICT["sites"]}, Failure.BAD_LATTICE, "no lattice"),
        (changed(sites=[{"abc": [0, 0, 0]}]), Failure.UNPARSEABLE, "species"),
        (
            changed(sites=[{"species": [{"element": "Fe", "occu": 0.5}], "abc": [0, 0, 0], "label": "Fe1"}]),
            Failure.PARTIAL_OCCUPANCY,
            "Fe1",
        ),
        (changed(sites=[{"species": [{"element": "Qa", "occu": 1}], "abc": [0, 0, 0]}]), Failure.UNKNOWN_ELEMENT, "Qa"),
        (changed(lattice={"matrix": [[1, 0, 0], [0, 1, 0], [1, 1, 0]]}), Failure.ZERO_VOLUME, "flat"),
        (changed(lattice={"matrix": [[1, 0, 0], [0, 1, 0], [0, 0, float("nan")]]}), Failure.NOT_FINITE, "cell"),
    ],
)
def test_each_way_to_fail_has_its_reason(record, reason, words, tmp_path):
    (tmp_path / "a.json").write_text(json.dumps([SALT_DICT, record]))
    found = read(tmp_path / "a.json")
    assert found.formulas == ["CsCl", ""]
    assert found.failures.tolist() == ["", reason]
    assert found.info["detail"][1].startswith("a.json, row 1: ")
    assert words in found.info["detail"][1]


@pytest.mark.parametrize(
    ("text", "words"), [("{", "not JSON"), ('{"a": 1, "b": 2}', "only a, b"), ("3", "no structure"), ("{}", "no")]
)
def test_a_file_without_structures_is_refused(text, words, tmp_path):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(UserError, match=words):
        read(tmp_path / "a.json")


def test_lines_are_read_one_by_one(tmp_path):
    lines = [
        json.dumps({"structure": SALT_DICT, "id": "a"}),
        "",
        "{broken",
        "null",
        json.dumps(SALT_DICT),
        '{"cif": "x"}',
    ]
    (tmp_path / "a.ndjson").write_text("\n".join([*lines, json.dumps({"id": "e", "cif": SALT.to(fmt="cif")}), ""]))
    found = read(tmp_path / "a.ndjson")
    assert found.formulas == ["CsCl", "", "", "CsCl", "", "CsCl"]
    assert found.info["id"].tolist() == ["a", None, None, None, None, "e"]
    assert found.info["detail"][1].startswith("a.ndjson, row 1: not JSON: ")


def test_lines_are_written_and_come_back(tmp_path):
    write(MIXED, tmp_path / "a.jsonl")
    assert [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()][1]["structure"] is None
    found = read(tmp_path / "a.jsonl")
    assert_same_info(found, MIXED)
    assert_same(found[[0, 2]], NACL)


def test_lines_in_a_file_that_promises_json_are_named(tmp_path):
    (tmp_path / "a.json").write_text(2 * f"{json.dumps(SALT_DICT)}\n")
    with pytest.raises(UserError, match=r"a file with one record a line is named \.jsonl"):
        read(tmp_path / "a.json")


def test_a_record_that_cannot_be_read_carries_its_id(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps([{"structure": changed(sites=[]), "id": "mp-1", "e": 2}, SALT_DICT]))
    found = read(tmp_path / "a.json")
    assert found.failures.tolist() == [Failure.NO_ATOMS, ""]
    assert found.info["id"].tolist() == ["mp-1", None]


def test_two_columns_of_structures_are_refused(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps([{"Structure": SALT_DICT, "CIF": "x"}] * 2))
    found = read(tmp_path / "a.json")
    assert found.failures.tolist() == [Failure.UNPARSEABLE] * 2
    assert "the structures may be in Structure or CIF; name" in found.info["detail"][1]
