from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from nucleate.crystals import Crystals
from nucleate.errors import UserError
from nucleate.files import read, write
from tests.files.samples import MIXED, NACL, assert_same

NAMES = ["a.cif", "a.extxyz", "a.xyz.gz", "a.json", "a.json.gz", "a.csv", "a.csv.gz", "a.parquet", "a.zip", "folder"]
NAMES += ["a.tsv", "a.jsonl", "a.extxyz.bz2", "a.json.xz", "a.csv.zst", "a.zip.gz"]


@pytest.mark.parametrize("name", NAMES)
def test_order_and_failures_are_kept_by_every_format(name, tmp_path):
    write(MIXED, tmp_path / "new" / name)
    found = read(tmp_path / "new" / name)
    assert found.formulas == MIXED.formulas
    assert found.failures.tolist() == MIXED.failures.tolist()
    assert_same(found[[0, 2]], NACL)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_replaced_unasked(name, tmp_path):
    path = tmp_path / name
    write(MIXED, path)
    with pytest.raises(UserError, match="exists; use --overwrite") as caught:
        write(NACL, path)
    assert str(caught.value) == f"{path} exists; use --overwrite"
    assert len(read(path)) == 3
    write(NACL, path, overwrite=True)
    assert len(read(path)) == 2
    assert [file.name for file in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", NAMES)
def test_the_same_crystals_give_the_same_bytes(name, tmp_path):
    for copy in ("1", "2"):
        write(MIXED, tmp_path / copy / name)
    first, second = (
        {
            file.relative_to(tmp_path / copy): file.read_bytes()
            for file in (tmp_path / copy).rglob("*")
            if file.is_file()
        }
        for copy in ("1", "2")
    )
    assert first == second


NONSENSE = Crystals.build(
    [[11, 17], [11, 17], [11, 17], [], [11]],
    [[[0, 0, 0], [0.5, 0.5, np.nan]], [[0, 0, 0], [0.5, 0.5, 0.5]], [[0, 0, 0], [0.5, 0.5, 0.5]], [], [[0, 0, 0]]],
    [np.eye(3) * 4, np.eye(3) * np.nan, np.diag([4, 4, 0]), np.eye(3), np.eye(3)],
)


@pytest.mark.parametrize("name", ["a.cif", "a.extxyz", "a.json", "a.csv", "a.zip", "folder"])
def test_nonsense_of_a_model_comes_back_as_failures(name, tmp_path):
    write(NONSENSE, tmp_path / name)
    found = read(tmp_path / name)
    flat = "bad_lattice" if name == "a.extxyz" else "zero_volume"  # ASE takes a vector of 0 for none
    assert found.failures.tolist() == ["not_finite", "not_finite", flat, "no_atoms", ""]
    assert all(type(reason) is str for reason in found.failures)


def test_a_single_crystal_that_failed_before_is_a_row(tmp_path):
    for name in ("a.cif", "a.extxyz", "a.json", "a.csv", "a.parquet", "a.zip"):
        write(MIXED[1], tmp_path / name)
        assert read(tmp_path / name).failures.tolist() == ["no_text"]


def test_bad_requests_are_one_clear_line(tmp_path):
    with pytest.raises(UserError, match=r"is not known; known are \.cif"):
        write(NACL, tmp_path / "a.doc")
    for name in ("a.pt", "a.gz", "a.zst"):
        with pytest.raises(UserError, match="is not known"):
            write(NACL, tmp_path / name)
    with pytest.raises(UserError, match="there are no crystals to write"):
        write(Crystals.empty(), tmp_path / "a.csv")
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        write(NACL, tmp_path / "file" / "a.csv")
    with pytest.raises(UserError, match="cannot write"):
        write(NACL, tmp_path / "file" / "folder")


def test_an_interruption_leaves_no_half_file(tmp_path, monkeypatch):
    write(NACL, tmp_path / "a.csv")
    before = (tmp_path / "a.csv").read_bytes()

    def interrupted(path: Path, data: bytes):
        with path.open("wb") as file:
            file.write(data[:10])
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_bytes", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(MIXED, tmp_path / "a.csv", overwrite=True)
    assert (tmp_path / "a.csv").read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.csv"]


def test_gz_is_compressed(tmp_path):
    write(NACL, tmp_path / "a.cif.gz")
    assert gzip.decompress((tmp_path / "a.cif.gz").read_bytes()).startswith(b"data_00000_NaCl")
