from __future__ import annotations

import pytest

from nucleate import files
from nucleate.cli import main
from nucleate.cli.verbs import VERBS
from nucleate.datasets import NAMES, prototypes


@pytest.fixture(autouse=True)
def private_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("NUCLEATE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NUCLEATE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setitem(VERBS, "data", "Find, download and look into data sets.")


@pytest.fixture(scope="module")
def crystals():
    return prototypes.make(per_prototype=1)[:30].with_info(energy=[float(i) for i in range(29)] + [float("nan")])


@pytest.fixture
def mp_20(tmp_path, crystals):
    """A `train` of MP-20 that is far from complete."""
    folder = tmp_path / "data" / "mp_20"
    files.write(crystals, folder / "train.csv")
    return folder


def test_list_says_what_there_is_and_where(mp_20, capsys):
    assert main(["data", "list"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in NAMES)
    assert "CC BY 4.0" in out
    assert "27,136" in out
    assert str(mp_20 / "train.csv") in out
    assert "downloaded when first used" in out


def test_fetch_prepares_and_says_how_complete_it_is(mp_20, tmp_path, capsys):
    assert main(["data", "fetch", "mp-20:train"]) == 0
    assert capsys.readouterr().out.startswith("mp-20:train: 30 of the official 27,136 crystals, ")
    assert len(list((tmp_path / "cache" / "prepared").iterdir())) == 1


def test_fetch_of_an_unknown_name_is_one_line(capsys):
    assert main(["data", "fetch", "mp20"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "did you mean mp-20?" in err


def test_describe_prints_numbers_and_draws(mp_20, tmp_path, capsys):
    picture = tmp_path / "picture.png"
    assert main(["data", "describe", "mp-20", "--out", str(picture)]) == 0
    out = capsys.readouterr().out
    assert "mp-20:train: 30 of the official 27,136 crystals" in out
    for words in ("atoms per cell", "volume per atom (Å³)", "a (Å)", "γ (°)", "energy", "elements: ", "space groups: "):
        assert words in out
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_describe_takes_any_file_and_counts_failures(tmp_path, crystals, capsys):
    path = tmp_path / "mine.csv"
    files.write(crystals, path)
    path.write_bytes(path.read_bytes().replace(b"_cell_length_a", b"_cell_breadth", 2))
    assert main(["data", "describe", str(path)]) == 0
    out = capsys.readouterr().out
    assert f"{path}: 30 crystals" in out
    assert "could not be read: bad_lattice 2 (6.7 %)" in out
    assert main(["data", "describe", str(path), "--split", "val"]) == 0
    assert f"{path}:val: 3 crystals" in capsys.readouterr().out


def test_describe_prototypes(capsys):
    assert main(["data", "describe", "prototypes"]) == 0
    assert f"prototypes: {len(prototypes.make()):,} crystals" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["prototypes", "--split", "dev"], ["prototypes", "--out", "x.txt"], ["a.cif"]])
def test_wrong_input_is_one_line_and_exit_code_2(arguments, capsys):
    assert main(["data", "describe", *arguments]) == 2
    assert capsys.readouterr().err.count("\n") == 1
