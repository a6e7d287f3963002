from __future__ import annotations

import pytest

from nucleate.cli._names import named
from nucleate.errors import UserError


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("x.json", "T=300.cif"):
        (tmp_path / name).write_text("")
    return tmp_path


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("x.json", (None, "x.json")),
        ("ours=x.json", ("ours", "x.json")),
        ("T=0.7=x.json", ("T=0.7", "x.json")),
        ("T=300.cif", (None, "T=300.cif")),
        ("hot=T=300.cif", ("hot", "T=300.cif")),
        ("T=0.7=hot=T=300.cif", ("T=0.7=hot", "T=300.cif")),
        ("T=0.7=mp-20:val", ("T=0.7", "mp-20:val")),
        ("m=nowhere.json", ("m", "nowhere.json")),
        ("=x.json", (None, "=x.json")),
        ("x=", (None, "x=")),
        ("a=b=", ("a", "b=")),
        ("", (None, "")),
    ],
)
def test_the_file_decides_where_the_name_ends(text, want):
    assert named(text) == want


def test_what_means_two_files_is_refused(here):
    (here / "300.cif").write_text("")
    assert named("T=300.cif") == (None, "T=300.cif")
    with pytest.raises(UserError, match=r"T=300\.cif by the name hot or 300\.cif by the name hot=T; rename a file"):
        named("hot=T=300.cif")
    assert named(f"hot=T={here}/300.cif") == ("hot=T", f"{here}/300.cif")
