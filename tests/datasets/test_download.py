from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from nucleate.datasets import download
from nucleate.errors import UserError


def left_in(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_the_file_and_its_checksum_are_written(small, page, tmp_path):
    place = tmp_path / "here" / "train.csv"
    assert download.fetch(small, "train", place, progress=True) == place
    assert place.read_bytes() == page
    # In the format of `sha256sum -c`.
    beside = place.with_name("train.csv.sha256")
    assert beside.read_text() == f"{hashlib.sha256(page).hexdigest()}  train.csv\n"
    assert left_in(place.parent) == ["train.csv", "train.csv.sha256"]


def test_a_known_checksum_is_demanded(small, page, tmp_path):
    right = replace(small, sha256={"train": hashlib.sha256(page).hexdigest()})
    download.fetch(right, "train", tmp_path / "right" / "train.csv")
    wrong = replace(small, sha256={"train": "0" * 64})
    with pytest.raises(UserError, match=r"SHA-256 .* expected 0000"):
        download.fetch(wrong, "train", tmp_path / "wrong" / "train.csv")
    assert left_in(tmp_path / "wrong") == []


def test_an_interrupted_download_leaves_nothing(small, home, page, tmp_path):
    home.cut = 100
    with pytest.raises(UserError, match=f"cut short after {len(page) - 100:,} of {len(page):,} bytes"):
        download.fetch(small, "train", tmp_path / "here" / "train.csv")
    assert left_in(tmp_path / "here") == []
    home.cut = 0
    download.fetch(small, "train", tmp_path / "here" / "train.csv")


def test_a_failed_download_keeps_the_file_that_was_there(small, home, tmp_path):
    place = tmp_path / "train.csv"
    place.write_text("old")
    home.cut = 1
    with pytest.raises(UserError):
        download.fetch(small, "train", place)
    assert place.read_text() == "old"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sizes": {"train": 7}}, "6 rows, expected 7"),
        ({"units": {"energy": "eV", "gap": "eV"}}, "no column gap"),
    ],
)
def test_another_file_is_refused(small, tmp_path, change, words):
    with pytest.raises(UserError, match=f"is not small:train: {words}"):
        download.fetch(replace(small, **change), "train", tmp_path / "train.csv")
    assert left_in(tmp_path) == []


@pytest.mark.parametrize("page", [b"", b"<!DOCTYPE html>\n<html>, sorry</html>\n", b'a,b\n"1,2\n'])
def test_a_page_that_is_no_table_is_refused(small, home, tmp_path, page):
    home.pages["/small/train.csv"] = page
    with pytest.raises(UserError, match="is not small:train"):
        download.fetch(small, "train", tmp_path / "train.csv")
    assert left_in(tmp_path) == []


def test_an_absent_page_is_one_line(small, tmp_path):
    with pytest.raises(UserError, match=r"/small/test\.csv answers 404") as caught:
        download.fetch(small, "test", tmp_path / "test.csv")
    assert "\n" not in str(caught.value)


def test_no_server_is_one_line(small, tmp_path):
    nowhere = replace(small, home="http://127.0.0.1:9/data")  # the discard port, where nothing listens
    with pytest.raises(UserError, match="Connection refused"):
        download.fetch(nowhere, "train", tmp_path / "train.csv")


def test_a_changed_file_is_noticed(small, page, tmp_path):
    place = download.fetch(small, "train", tmp_path / "train.csv")
    download.verify(place, small, "train")
    place.write_bytes(page.replace(b"-2.5", b"-2.6"))
    with pytest.raises(UserError, match="has changed since its download"):
        download.verify(place, small, "train")


def test_a_file_without_a_checksum_is_trusted_once(small, page, tmp_path):
    place = tmp_path / "train.csv"
    place.write_bytes(page)
    download.verify(place, small, "train")
    place.write_bytes(page + b"\n")
    with pytest.raises(UserError, match="has changed"):
        download.verify(place, small, "train")
