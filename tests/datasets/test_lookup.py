from __future__ import annotations

import gzip

import pytest

from nucleate.datasets import lookup
from nucleate.errors import UserError


@pytest.fixture
def given(tmp_path, monkeypatch):
    """A folder for `$NUCLEATE_DATA`."""
    folder = tmp_path / "given" / "small"
    folder.mkdir(parents=True)
    monkeypatch.setenv("NUCLEATE_DATA", str(folder.parent))
    return folder


def test_a_download_happens_once(small, home, private_cache):
    assert lookup.find_here(small, "val") is None
    found = lookup.find(small, "val")
    assert found == (private_cache / "data" / "small" / "val.csv", True)
    assert lookup.find(small, "val") == lookup.find_here(small, "val") == found
    assert home.requests == 1


@pytest.mark.parametrize("name", ["val.csv", "val.csv.gz"])
def test_what_the_user_gives_goes_before_the_cache(small, page, given, name):
    lookup.find(small, "val")
    (given / name).write_bytes(gzip.compress(page) if name.endswith(".gz") else page)
    assert lookup.find(small, "val") == (given / name, False)
    assert lookup.find(small, "train").downloaded


def test_nowhere_names_the_three_places(small, given, private_cache):
    with pytest.raises(UserError) as caught:
        lookup.find(small, "test")
    line = str(caught.value)
    assert line.startswith("small:test is not in ")
    assert f"{given} ($NUCLEATE_DATA)" in line
    assert str(private_cache / "data" / "small") in line
    assert f"{small.home}/test.csv answers 404" in line
    assert "\n" not in line


def test_an_unset_variable_is_named_too(small):
    with pytest.raises(UserError, match=r"\$NUCLEATE_DATA \(not set\)"):
        lookup.find(small, "test")


def test_an_unknown_split_is_refused(small):
    with pytest.raises(UserError, match="no split 'dev'; the splits are train, val, test"):
        lookup.find(small, "dev")
