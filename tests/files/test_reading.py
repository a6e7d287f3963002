from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nucleate import parallel
from nucleate.crystals import Crystals
from nucleate.errors import UserError
from nucleate.files import read, write
from nucleate.geometry import lattice
from tests.files.samples import MIXED, NACL, ROCK_SALT, assert_same_info


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("absent.cif", None, "there is no such file"),
        ("absent.parquet", None, "there is no such file"),
        ("a.txt", b"x", "is not known; known are .cif"),
        ("structures", b"Dear reader", "is not known"),
        ("a.cif", b"", "the file is empty"),
        ("a.csv.gz", gzip.compress(b"", mtime=0), "the file is empty"),
        ("a.json", b" \n", "the file is empty"),
        ("a.cif", b"\xff\xfe\x00", "unparseable"),
        ("POSCAR", b"\x00" * 100, "unparseable"),
        ("a.xyz", b"abc", "unparseable"),
    ],
)
def test_bad_files_are_one_clear_line(name, content, words, tmp_path):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError) as caught:
        read(tmp_path / name)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / name}: ")
    assert words in message
    assert "\n" not in message


@pytest.mark.parametrize("name", ["a.csv", "a.cif", "a.extxyz", "a.json", "a.parquet", "a.zip", "folder"])
@pytest.mark.parametrize("limit", [0, 1, 2, 3, 9])
def test_a_limit_reads_the_first(name, limit, tmp_path):
    write(MIXED, tmp_path / name)
    found = read(tmp_path / name, limit=limit)
    assert found.formulas == ["NaCl", "", "Na2Cl2"][:limit]


def test_everything_is_in_double_precision(tmp_path):
    write(NACL.to(dtype=None), tmp_path / "a.extxyz")
    found = read(tmp_path / "a.extxyz")
    assert (str(found.frac.dtype), str(found.lattice.dtype)) == ("torch.float64", "torch.float64")


def test_processes_give_the_same_in_the_same_order(tmp_path, monkeypatch):
    many = Crystals.concat([MIXED] * 12).with_info(rank=list(range(36)))
    write(many, tmp_path / "a.csv")
    alone = read(tmp_path / "a.csv", jobs=1)
    monkeypatch.setattr(parallel, "ITEMS_PER_WORKER", 10)
    monkeypatch.setattr(parallel, "CHUNK", 5)
    shared = read(tmp_path / "a.csv", jobs=2)
    for name in ("numbers", "frac", "lattice", "counts"):
        np.testing.assert_array_equal(getattr(shared, name), getattr(alone, name))
    assert_same_info(shared, alone)


def test_a_script_needs_no_guard(tmp_path):
    write(NACL, tmp_path / "a.csv")
    script = tmp_path / "script.py"
    script.write_text(
        "from nucleate import parallel\n"
        "from nucleate.files import read\n"
        "parallel.ITEMS_PER_WORKER = 1\n"
        f"print(read({str(tmp_path / 'a.csv')!r}, jobs=2).formulas)\n"
    )
    result = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert result.stdout == "['NaCl', 'Na2Cl2']\n", result.stderr


@pytest.mark.parametrize(("module", "name"), [("gemmi", "a.cif"), ("ase.io.extxyz", "a.xyz")])
def test_a_missing_library_is_named_with_its_cure(module, name, tmp_path, monkeypatch):
    write(NACL, tmp_path / name)
    text = (tmp_path / name).read_text()
    (tmp_path / name).write_text(text.replace('pbc="T T T"', "pbc=[T,T,T]"))  # ordinary frames need no ASE
    monkeypatch.setitem(sys.modules, module, None)  # as if it were not installed
    library = module.partition(".")[0]
    with pytest.raises(UserError) as caught:
        read(tmp_path / name)
    assert str(caught.value) == f"{library} is not installed; it comes with: pip install 'nucleate[files]'"


def test_writing_and_parquet_need_neither_pymatgen_nor_ase(tmp_path):
    write(MIXED, tmp_path / "a.parquet")
    script = (
        "import sys\n"
        "sys.modules['pymatgen'] = sys.modules['ase'] = None\n"
        "from nucleate import files\n"
        f"crystals = files.read({str(tmp_path / 'a.parquet')!r})\n"
        "for name in ('cif', 'extxyz', 'json', 'csv.gz', 'parquet', 'zip'):\n"
        f"    files.write(crystals, {str(tmp_path / 'b.')!r} + name)\n"
        f"files.write(crystals, {str(tmp_path / 'folder')!r})\n"
        f"files.write(crystals[0], {str(tmp_path / 'POSCAR')!r})\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    assert read(tmp_path / "folder").formulas == read(tmp_path / "b.extxyz").formulas == ["NaCl", "", "Na2Cl2"]


def test_a_bar_is_shown_on_a_terminal_only(tmp_path, capsys, monkeypatch):
    write(MIXED, tmp_path / "a.extxyz")
    read(tmp_path / "a.extxyz", progress=True)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setenv("FORCE_COLOR", "1")  # which makes rich take stderr for a terminal
    read(tmp_path / "a.extxyz", progress=True)
    shown = capsys.readouterr()
    assert "Reading a.extxyz" in shown.err
    assert shown.out == ""


def test_a_symmetric_cif_alone_gives_the_full_cell(tmp_path):
    (tmp_path / "salt.cif").write_text(ROCK_SALT)
    found = read(tmp_path / "salt.cif")
    assert found.formulas == ["Na4Cl4"]
    assert dict(found.info) == {}


@pytest.mark.parametrize("name", ["val", "cdvae"])
def test_values_agree_with_the_golden_files(name, shared):
    lines = gzip.decompress((shared / "golden" / f"arrays_{name}.jsonl.gz").read_bytes()).splitlines()[:300]
    rows = [json.loads(line) for line in lines]
    found = read(shared / "golden" / f"structures_{name}.csv.gz", limit=300, jobs=1)
    lengths, angles = lattice.parameters(found.lattice)
    np.testing.assert_allclose(lengths, [row["lengths"] for row in rows], rtol=1e-14)
    np.testing.assert_allclose(angles, [row["angles"] for row in rows], rtol=1e-14)
    assert [z.tolist() for z in found.numbers_of_each()] == [row["Z"] for row in rows]
    wanted = np.concatenate([row["frac"] for row in rows])
    delta = found.frac.numpy() - wanted
    assert np.abs(delta - np.round(delta)).max() < 1e-10  # they are given to 10 decimals
    assert found.info["row"].tolist() == list(range(300))


INTERNALS = re.compile(r"Error\b|Exception|index out of|has no attribute|not subscriptable|NoneType|base 10|to float")


def broken(text: str, data: st.DataObject) -> str:
    """A text with a few of its words lost, doubled or replaced."""
    words = re.split(r"(\s+|[,:\"])", text)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(words) - 1))
        words[place] = data.draw(
            st.sampled_from(["", "x", "0", "-1", "null", "[]", "\n", 2 * words[place], "{", "1e400"])
        )
    return "".join(words)


@pytest.mark.parametrize("name", ["a.extxyz", "a.json", "a.jsonl", "a.vasp"])
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_is_wrong_is_said_in_words(name, tmp_path, data):
    path = tmp_path / name
    if not path.exists():
        write(NACL[1] if name == "a.vasp" else NACL, path)
    copy = tmp_path / f"broken-{name}"
    copy.write_text(broken(path.read_text(), data))
    messages = []
    try:
        found = read(copy, jobs=1)
        messages += [detail for detail in found.info.get("detail", []) if detail]
    except UserError as error:
        messages.append(str(error).removeprefix(str(copy)))
    assert [message for message in messages if INTERNALS.search(message)] == []


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (IndexError("list index out of range"), "not in the format that its name promises"),
        (AttributeError("'int' object has no attribute 'capitalize'"), "not in the format that its name promises"),
        (ValueError("could not convert string to float: 'x'"), "^a.vasp: unparseable: 'x' is not a number$"),
        (ValueError("invalid literal for int() with base 10: 'x'"), "'x' is not a number$"),
        (ValueError("the cell has a hole"), "unparseable: the cell has a hole"),
        (ZeroDivisionError("integer modulo by zero"), "not in the format that its name promises"),
    ],
)
def test_errors_of_a_parser_are_translated(error, words, tmp_path, monkeypatch):
    def stumble(_):
        raise error

    monkeypatch.setattr("nucleate.files.poscar.parse", stumble)
    monkeypatch.chdir(tmp_path)
    Path("a.vasp").write_text("x")
    with pytest.raises(UserError, match=words):
        read("a.vasp")
