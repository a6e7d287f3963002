"""Whose a column `failure` is, in every format."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pymatgen.core import Structure

from nucleate.files import extxyz, read, to_structure, write
from nucleate.files.ownership import given_back, is_own, of_crystal, of_written_crystal, renamed
from tests.files.samples import MIXED, NACL, ROCK_SALT, assert_same, assert_same_info

COLUMNS = {
    "booleans": [False, False],
    "numbers": [0, 0],
    "words": ["no", "no"],
    "some": [None, "not converged"],
    "truth": [True, False],
}


def as_csv(folder, column):
    pd.DataFrame({"failure": column, "detail": ["a", "b"], "cif": [ROCK_SALT] * 2}).to_csv(
        folder / "a.csv", index=False
    )
    return folder / "a.csv"


def as_parquet(folder, column):
    pq.write_table(pa.table({"failure": column, "detail": ["a", "b"], "cif": [ROCK_SALT] * 2}), folder / "a.parquet")
    return folder / "a.parquet"


def as_json(folder, column):
    structure = to_structure(NACL[0].with_info(name=["x"])).as_dict()
    records = [{"structure": structure, "failure": value, "detail": "ab"[row]} for row, value in enumerate(column)]
    (folder / "a.json").write_text(json.dumps(records))
    return folder / "a.json"


def as_properties(folder, column):
    structures = [Structure.from_dict(to_structure(NACL[0]).as_dict()) for _ in column]
    for row, (structure, value) in enumerate(zip(structures, column, strict=True)):
        structure.properties = {"failure": value, "detail": "ab"[row]}
    (folder / "a.json").write_text(json.dumps([structure.as_dict() for structure in structures]))
    return folder / "a.json"


def as_extxyz(folder, column):
    words = {False: "F", True: "T"}
    frames = [
        extxyz.dump(NACL[0]).replace(
            "Properties",
            (f"failure={words.get(value, json.dumps(value))} " if value is not None else "") + "Properties",
        )
        for value in column
    ]
    frames = [frame.replace("Properties", f"detail={'ab'[row]} Properties") for row, frame in enumerate(frames)]
    (folder / "a.extxyz").write_text("".join(frames))
    return folder / "a.extxyz"


WAYS = [as_csv, as_parquet, as_json, as_properties, as_extxyz]


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("way", WAYS)
def test_a_column_of_the_users_is_no_failure(way, column, tmp_path):
    found = read(way(tmp_path, COLUMNS[column]))
    assert found.built.all()
    assert all(found.formulas)
    stated = [value if value == value else None for value in found.info["_failure"].tolist()]
    assert stated == COLUMNS[column]
    assert found.info["_detail"].tolist() == ["a", "b"]


@pytest.mark.parametrize("way", WAYS)
def test_it_is_given_back_under_its_name(way, tmp_path):
    found = read(way(tmp_path, ["no", "no"]))
    for name in ("b.csv", "b.tsv", "b.json", "b.jsonl", "b.extxyz"):
        write(found, tmp_path / name)
        again = read(tmp_path / name)
        assert again.built.all()
        assert again.info["_failure"].tolist() == ["no", "no"]
        assert "_failure" not in (tmp_path / name).read_text()
        assert "failure" in (tmp_path / name).read_text()


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.json", "a.jsonl", "a.extxyz", "a.parquet"])
def test_it_lives_beside_the_reasons_of_the_package(name, tmp_path):
    both = MIXED.with_info(_failure=["no", "yes", "no"])
    write(both, tmp_path / name)
    found = read(tmp_path / name)
    assert_same_info(found, both)
    assert_same(found[[0, 2]], NACL)


def test_a_row_without_structure_does_not_make_it_the_packages(tmp_path):
    table = {"failure": [False, False], "cif": [ROCK_SALT, ""]}
    pd.DataFrame(table).to_csv(tmp_path / "a.csv", index=False)
    found = read(tmp_path / "a.csv")
    assert found.failures.tolist() == ["", "unparseable"]
    assert found.info["_failure"].tolist() == [False, False]


def test_reasons_of_other_programs_are_reasons(tmp_path):
    table = {"failure": ["", "the cell is too large"], "cif": [ROCK_SALT, ""]}
    pd.DataFrame(table).to_csv(tmp_path / "a.csv", index=False)
    assert read(tmp_path / "a.csv").failures.tolist() == ["", "the cell is too large"]


def test_reasons_that_are_no_text_are_the_users_in_parquet_of_the_package(tmp_path):
    write(NACL, tmp_path / "a.parquet")
    table = pq.read_table(tmp_path / "a.parquet").append_column("failure", pa.array([False, True]))
    pq.write_table(table, tmp_path / "a.parquet")
    found = read(tmp_path / "a.parquet")
    assert found.built.all()
    assert found.info["_failure"].tolist() == [False, True]


@pytest.mark.parametrize("name", ["failure", "_failure", "__detail", "detail", "Failure", "other", "_other", "_"])
def test_names_come_back(name):
    assert given_back(renamed(name)) == name
    assert of_written_crystal(of_crystal({name: 1})) == {name: 1}


def test_a_column_is_the_packages_where_reasons_stand_for_structures():
    assert is_own(["", None, float("nan"), "x"], [True, True, True, False])
    assert not is_own(["x"], [True])
    assert not is_own([""], [False])
    assert not is_own([0], [True])
    assert not is_own([True], [False])
    assert is_own(np.array(["", "x"], dtype=object), [True, False])
