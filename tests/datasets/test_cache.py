from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest
import torch

from nucleate.datasets import cache


@pytest.fixture
def source(tmp_path) -> Path:
    path = tmp_path / "source.csv"
    path.write_text("content")
    return path


@pytest.mark.parametrize(
    ("platform", "variables", "folder"),
    [
        ("linux", {"NUCLEATE_CACHE": "/c", "XDG_CACHE_HOME": "/x"}, "/c"),
        ("linux", {"XDG_CACHE_HOME": "/x"}, "/x/nucleate"),
        ("linux", {}, "/home/ada/.cache/nucleate"),
        ("darwin", {}, "/home/ada/Library/Caches/nucleate"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/nucleate"),
        ("win32", {}, "/home/ada/AppData/Local/nucleate"),
    ],
)
def test_the_folder_follows_the_platform_and_the_environment(monkeypatch, platform, variables, folder):
    for name in ("NUCLEATE_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(Path, "home", lambda: Path("/home/ada"))
    assert cache.folder() == Path(folder)


def test_sha256(source):
    assert cache.sha256(source) == hashlib.sha256(b"content").hexdigest()


def test_the_same_content_is_prepared_once(source, few, tmp_path):
    calls = []

    def prepare():
        calls.append(1)
        return few

    cache.prepared(source, prepare)
    again = cache.prepared(source.rename(tmp_path / "other.csv"), prepare)
    assert len(calls) == 1
    assert torch.equal(again.frac, few.frac)
    assert torch.equal(again.lattice, few.lattice)
    assert torch.equal(again.numbers, few.numbers)
    assert {name: list(column) for name, column in again.info.items()} == {
        name: list(column) for name, column in few.info.items()
    }


def test_other_content_or_another_version_is_prepared_again(source, few, monkeypatch):
    cache.prepared(source, lambda: few)
    source.write_text("other content")
    assert len(cache.prepared(source, lambda: few[:2])) == 2
    monkeypatch.setattr(cache, "VERSION", cache.VERSION + 1)
    assert len(cache.prepared(source, lambda: few[:3])) == 3


def test_a_damaged_copy_is_prepared_again(source, few, private_cache):
    cache.prepared(source, lambda: few)
    (copy,) = (private_cache / "prepared").iterdir()
    copy.write_bytes(copy.read_bytes()[:-200])
    with pytest.warns(UserWarning, match="damaged"):
        assert len(cache.prepared(source, lambda: few)) == len(few)
    assert len(cache.prepared(source, pytest.fail)) == len(few)


def test_a_cache_that_cannot_be_written_costs_only_time(source, few, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NUCLEATE_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.warns(UserWarning, match="not cached"):
        assert len(cache.prepared(source, lambda: few)) == len(few)
