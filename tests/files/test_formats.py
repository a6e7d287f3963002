from __future__ import annotations

import gzip

import pytest

from nucleate.errors import UserError
from nucleate.files import cif, compression, extxyz, parquet, poscar, read
from nucleate.files import json as files_json
from nucleate.files.compression import unpacked
from nucleate.files.formats import Format, of_content, of_name, of_source
from tests.files.samples import NACL, ROCK_SALT


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.cif", Format.CIF),
        ("A.CIF.gz", Format.CIF),
        ("POSCAR.cif", Format.CIF),
        ("POSCAR", Format.POSCAR),
        ("POSCAR.gz", Format.POSCAR),
        ("mp-1.POSCAR", Format.POSCAR),
        ("CONTCAR_12.5", Format.POSCAR),
        ("a.xyz", Format.EXTXYZ),
        ("a.b.json.gz", Format.JSON),
        ("val.csv", Format.CSV),
        ("a.parquet", Format.PARQUET),
        ("a.zip", Format.ZIP),
        ("A.CIF.GZ", Format.CIF),
        ("a.csv.Bz2", Format.CSV),
        ("a.tsv.xz", Format.TSV),
        ("a.jsonl.zst", Format.JSON_LINES),
        ("a.ndjson", Format.JSON_LINES),
        ("eval_gen.pt", None),  # which is read, but neither written nor looked for in folders
        ("a.txt", None),
        ("out", None),
        ("POSCARS", None),
    ],
)
def test_names_say_the_format(name, kind):
    assert of_name(name) is kind


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (cif.dump(NACL).encode(), Format.CIF),
        (b"# a comment\n\n" + ROCK_SALT.encode(), Format.CIF),
        (poscar.dump(NACL[0]).encode(), Format.POSCAR),
        (b"\n  1.0\n 4 0 0\n 0 4 0\n 0 0 4\n Na\n 1\nDirect\n 0 0 0\n", Format.POSCAR),
        (extxyz.dump(NACL).encode(), Format.EXTXYZ),
        (files_json.dump(NACL).encode(), Format.JSON),
        (parquet.dump(NACL), Format.PARQUET),
        (b"PK\x03\x04...", Format.ZIP),
        (b"Dear reader", None),
    ],
)
def test_contents_show_the_format(data, kind):
    assert of_content(data) is kind


@pytest.mark.parametrize("text", [cif.dump(NACL), extxyz.dump(NACL), files_json.dump(NACL)])
def test_a_name_without_suffix_is_read_by_its_content(text, tmp_path):
    (tmp_path / "structures").write_text(text)
    assert read(tmp_path / "structures").formulas == ["NaCl", "Na2Cl2"]


def test_compression_is_seen_whatever_the_name(tmp_path):
    (tmp_path / "a.cif").write_bytes(gzip.compress(ROCK_SALT.encode()))
    (tmp_path / "b.cif.gz").write_text(ROCK_SALT)
    assert read(tmp_path).formulas == ["Na4Cl4", "Na4Cl4"]


def test_damaged_and_endless_gzip_is_refused(monkeypatch):
    data = gzip.compress(bytes(10_000))
    assert unpacked(data) == bytes(10_000)
    with pytest.raises(UserError, match="damaged gzip"):
        unpacked(data[:-9])
    monkeypatch.setattr(compression, "MAX_BYTES", 9_999)
    with pytest.raises(UserError, match="more than 9,999 bytes"):
        unpacked(data)


def test_samples_of_others_are_a_source_only():
    assert of_source("eval_gen.pt") is of_source("A.PT.gz") is Format.TORCH
    assert of_source("a.cif") is Format.CIF
    assert of_source("a.ckpt") is None
