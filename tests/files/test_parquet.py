from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure

from nucleate.crystals import Crystals
from nucleate.errors import UserError
from nucleate.files import parquet, read, write
from tests.files.samples import MIXED, NACL, ROCK_SALT, assert_same_info, few


def assert_equal(actual: Crystals, expected: Crystals):
    for name in ("numbers", "frac", "lattice", "counts"):
        found, wanted = getattr(actual, name), getattr(expected, name)
        assert found.dtype == wanted.dtype
        np.testing.assert_array_equal(found, wanted)
    assert_same_info(actual, expected)


@settings(deadline=None, max_examples=25)
@given(few, st.sampled_from([torch.float32, torch.float64]))
def test_nothing_is_lost(parts, dtype):
    batch = Crystals.concat(parts).to(dtype=dtype)
    assert_equal(parquet.load(io.BytesIO(parquet.dump(batch))), batch)


def test_info_and_failures_come_back(tmp_path):
    write(MIXED, tmp_path / "a.parquet")
    assert_equal(read(tmp_path / "a.parquet"), MIXED)


def test_info_keeps_its_types(tmp_path):
    columns = {
        "float": np.array([1.5, np.nan], dtype=np.float32),
        "int": np.array([1, 2], dtype=np.int32),
        "bool": np.array([True, False]),
        "text": np.array(["", "é\n"], dtype=object),
        "gaps": np.array(["a", None], dtype=object),
        "unsure": np.array([True, None], dtype=object),
        "nothing": np.array([None, None], dtype=object),
    }
    crystals = NACL.with_info(**columns)
    write(crystals, tmp_path / "a.parquet")
    assert_same_info(read(tmp_path / "a.parquet"), crystals)


def test_what_is_neither_number_nor_text_becomes_text(tmp_path):
    odd = np.empty(2, dtype=object)
    odd[:] = [{"a": [1, 2]}, 3]
    vectors = np.empty(2, dtype=object)
    vectors[0], vectors[1] = np.arange(2), (1.5, "x")
    write(NACL.with_info(odd=odd, vectors=vectors), tmp_path / "a.parquet")
    found = read(tmp_path / "a.parquet").info
    assert found["odd"].tolist() == ['{"a": [1, 2]}', "3"]
    assert found["vectors"].tolist() == ["[0, 1]", '[1.5, "x"]']


def test_names_of_the_structure_may_be_names_of_info(tmp_path):
    crystals = NACL.with_info(lattice=["fcc", "bcc"], _frac=[1, 2], numbers=[3, 4], Frac=[5, 6])
    write(crystals, tmp_path / "a.parquet")
    assert_equal(read(tmp_path / "a.parquet"), crystals)


def test_others_can_read_the_table(tmp_path):
    write(NACL, tmp_path / "a.parquet")
    frame = pd.read_parquet(tmp_path / "a.parquet")
    assert frame.columns.tolist() == ["numbers", "frac", "lattice", "name", "energy", "rank", "stable"]
    assert frame["numbers"][1].tolist() == [11, 11, 17, 17]
    assert frame["frac"][1].reshape(-1, 3).tolist() == NACL[1].frac.tolist()
    assert frame["lattice"][1].reshape(3, 3).tolist() == NACL[1].lattice[0].tolist()


def test_many_row_groups_and_a_limit(tmp_path):
    many = Crystals.concat([MIXED] * 5)
    table = pq.read_table(io.BytesIO(parquet.dump(many)))
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=2)
    assert_equal(read(tmp_path / "a.parquet"), many)
    assert_equal(read(tmp_path / "a.parquet", limit=7), many[:7])
    write(many, tmp_path / "a.parquet.gz")
    assert_equal(read(tmp_path / "a.parquet.gz"), many)


def test_a_table_with_a_cif_column_is_read(tmp_path):
    pq.write_table(pa.table({"id": ["a", "b"], "cif": [ROCK_SALT, None], "e": [1, 2]}), tmp_path / "a.parquet")
    found = read(tmp_path / "a.parquet")
    assert found.formulas == ["Na4Cl4", ""]
    assert found.info["id"].tolist() == ["a", "b"]
    assert found.info["e"].dtype == np.int64


def test_other_files_are_refused(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(UserError, match="not Parquet"):
        read(tmp_path / "a.parquet")
    pq.write_table(pa.table({"x": [1]}), tmp_path / "b.parquet")
    with pytest.raises(UserError, match="no column 'cif'; the columns are x"):
        read(tmp_path / "b.parquet")
    table = pa.table({"numbers": ["x"], "frac": ["y"], "lattice": [1]})
    pq.write_table(table, tmp_path / "c.parquet")
    with pytest.raises(UserError, match="are no crystals"):
        read(tmp_path / "c.parquet")


def test_structures_may_be_json_or_nested(tmp_path):
    salt = Structure(Lattice.cubic(4), ["Cs+", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]], properties={"e": 1.5}).as_dict()
    other = Structure(Lattice.cubic(3), ["Po"], [[0, 0, 0]], properties={"f": 2.5}).as_dict()
    for site in (*salt["sites"], *other["sites"]):
        site["properties"] = {"magmom": 0.0}  # Parquet has no empty structs
    nested = pa.table({"id": ["a", "b", "c"], "structure": pa.array([salt, other, None])})
    pq.write_table(nested, tmp_path / "a.parquet")
    found = read(tmp_path / "a.parquet")
    assert found.formulas == ["CsCl", "Po", ""]
    assert found.info["id"].tolist() == ["a", "b", "c"]
    texts = pa.array([json.dumps(salt), ROCK_SALT, ""], pa.large_string())
    pq.write_table(pa.table({"CIF": texts}), tmp_path / "b.parquet")
    assert read(tmp_path / "b.parquet").formulas == ["CsCl", "Na4Cl4", ""]


def test_a_name_of_any_case_is_read_as_fast(tmp_path, monkeypatch):
    write(NACL, tmp_path / "A.PARQUET")
    write(NACL, tmp_path / "a.parquet.zst")
    monkeypatch.setattr(parquet, "split", pytest.fail)
    for name in ("A.PARQUET", "a.parquet.zst"):
        assert_equal(read(tmp_path / name), NACL)
