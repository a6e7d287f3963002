from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from nucleate.errors import UserError
from nucleate.files import compression, read, write
from nucleate.files.compression import bare, content, of_magic, packed, unpacked
from tests.files.samples import MIXED, ROCK_SALT

PACK = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zst": zstandard.compress}
UNPACK = {
    "gz": gzip.decompress,
    "bz2": bz2.decompress,
    "xz": lzma.decompress,
    "zst": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
}
NAMES = {"gz": "gzip", "bz2": "bzip2", "xz": "xz", "zst": "zstd"}


@pytest.mark.parametrize("way", PACK)
def test_names_of_any_case_are_known_and_the_name_does_not_matter(way, tmp_path):
    (tmp_path / f"A.CIF.{way.upper()}").write_bytes(PACK[way](ROCK_SALT.encode()))
    (tmp_path / "b.cif").write_bytes(PACK[way](ROCK_SALT.encode()))
    (tmp_path / f"c.cif.{way}").write_text(ROCK_SALT)
    (tmp_path / f"structures.{way}").write_bytes(PACK[way](ROCK_SALT.encode()))
    assert read(tmp_path).formulas == ["Na4Cl4"] * 3
    for name in (f"A.CIF.{way.upper()}", f"structures.{way}"):
        assert read(tmp_path / name).formulas == ["Na4Cl4"]


@pytest.mark.parametrize("way", PACK)
@pytest.mark.parametrize("name", ["a.cif", "a.extxyz", "a.json", "a.jsonl", "a.csv", "a.tsv", "a.parquet", "a.zip"])
def test_what_is_written_under_such_a_name_is_compressed_and_read_back(way, name, tmp_path):
    write(MIXED, tmp_path / name)
    write(MIXED, tmp_path / f"{name}.{way}")
    assert UNPACK[way]((tmp_path / f"{name}.{way}").read_bytes()) == (tmp_path / name).read_bytes()
    found = read(tmp_path / f"{name}.{way}")
    assert found.formulas == MIXED.formulas
    assert found.failures.tolist() == MIXED.failures.tolist()
    write(MIXED, tmp_path / f"again-{name}.{way}")
    assert (tmp_path / f"again-{name}.{way}").read_bytes() == (tmp_path / f"{name}.{way}").read_bytes()


@settings(deadline=None)
@given(st.sampled_from(list(PACK)), st.binary(max_size=300), st.binary(max_size=300))
def test_any_content_comes_back_also_of_two_parts(way, first, second):
    assert unpacked(packed(first, f"a.{way}")) == first
    assert unpacked(PACK[way](first) + PACK[way](second)) == first + second


@pytest.mark.parametrize("way", PACK)
def test_damaged_and_endless_data_are_refused(way, monkeypatch):
    data = PACK[way](bytes(10_000))
    assert unpacked(data) == bytes(10_000)
    with pytest.raises(UserError, match=f"damaged {NAMES[way]} data: "):
        unpacked(data[:-3])
    with pytest.raises(UserError, match=f"damaged {NAMES[way]} data: "):
        unpacked(data[:10] + b"\xff" * 20)
    monkeypatch.setattr(compression, "MAX_BYTES", 9_999)
    with pytest.raises(UserError, match="it unpacks to more than 9,999 bytes"):
        unpacked(data)


@pytest.mark.parametrize("way", PACK)
def test_a_bomb_is_given_up_early(way, monkeypatch):
    data = PACK[way](bytes(50_000_000))
    monkeypatch.setattr(compression, "MAX_BYTES", 1_000_000)
    stream, read_so_far = content(io.BytesIO(data)), []
    with pytest.raises(UserError, match="more than 1,000,000 bytes"):
        read_so_far.extend(len(part) for part in iter(lambda: stream.read(1000), b""))
    assert sum(read_so_far) <= 1_000_000


def test_what_only_begins_like_bzip2_is_text():
    assert of_magic(b"BZh9 a comment") is None
    assert unpacked(b"BZh9 a comment") == b"BZh9 a comment"
    assert unpacked(bz2.compress(b"")) == b""


def test_only_the_last_suffix_is_of_a_compression():
    assert [bare(name) for name in ("a.cif.gz", "A.CIF.ZST", "a.gz.cif", "a")] == ["a.cif", "A.CIF", "a.gz.cif", "a"]


def test_a_missing_library_is_named_with_its_cure(tmp_path, monkeypatch):
    write(MIXED, tmp_path / "a.csv.zst")
    monkeypatch.setitem(sys.modules, "zstandard", None)
    for attempt in (lambda: read(tmp_path / "a.csv.zst"), lambda: write(MIXED, tmp_path / "b.csv.zst")):
        with pytest.raises(UserError, match=r"zstandard is not installed; .*nucleate\[files\]"):
            attempt()
