from __future__ import annotations

import gzip
import io
import zipfile

import pytest
from pymatgen.core import Structure

from nucleate.crystals import Crystals
from nucleate.errors import UserError
from nucleate.files import Failure, archive, cif, csv, extxyz, parquet, poscar, read, write
from nucleate.files import json as files_json
from nucleate.generation.compositions import read_formulas
from tests.files.samples import MIXED, NACL, ROCK_SALT, assert_same

CONTENTS = {
    "a/POSCAR": poscar.dump(NACL[0]).encode(),
    "b.cif": ROCK_SALT.encode(),
    "b.cif.gz": gzip.compress(ROCK_SALT.encode()),
    "c.csv": csv.dump(NACL).encode(),
    "d.extxyz": extxyz.dump(NACL).encode(),
    "e.json": files_json.dump(NACL).encode(),
    "f.parquet": parquet.dump(NACL),
    "g.cif": b"data_x\n_cell_length_a 3\n",
    "h.csv": b"id,energy\n1,2\n",
    "i.json": b"{",
    "j.cif": b"",
    "README.md": b"# not a structure",
    ".hidden.cif": ROCK_SALT.encode(),
}
FORMULAS = ["NaCl", "Na4Cl4", "Na4Cl4", *["NaCl", "Na2Cl2"] * 4, "", "", "", ""]
NAMES = [
    "a/POSCAR",
    "b.cif",
    "b.cif.gz",
    *(name for name in ("c.csv", "d.extxyz", "e.json", "f.parquet") for _ in "12"),
]


def zipped(contents: dict[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in reversed(contents.items()):
            file.writestr(name, data)
    return sink.getvalue()


@pytest.fixture(params=["folder", "zip"])
def mixed(request, tmp_path):
    """The same files as a folder and as a zip."""
    if request.param == "zip":
        (tmp_path / "mixed.zip").write_bytes(zipped(CONTENTS))
        return tmp_path / "mixed.zip"
    for name, data in CONTENTS.items():
        (tmp_path / "mixed" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mixed" / name).write_bytes(data)
    return tmp_path / "mixed"


def test_everything_is_read_in_order_of_the_names(mixed):
    found = read(mixed)
    assert found.formulas == FORMULAS
    assert found.info["file"].tolist() == [*NAMES, "g.cif", "h.csv", "i.json", "j.cif"]
    assert found.failures.tolist() == [""] * 11 + ["no_atoms", *["unparseable"] * 3]
    details = found.info["detail"].tolist()
    assert details[:11] == [""] * 11
    assert details[12] == "h.csv: there is no column 'cif'; the columns are id, energy"
    assert details[13].startswith("i.json: not JSON")
    assert details[14] == "j.cif: the file is empty"
    assert found.info["name"].tolist()[3:5] == ["first", "second one"]


def test_a_limit_counts_crystals(mixed):
    assert read(mixed, limit=4).formulas == FORMULAS[:4]


def test_nothing_known_is_an_error(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(UserError, match="there are no structures in it"):
        read(tmp_path)


@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_what_is_written_is_read_back_with_failures_in_their_place(name, tmp_path):
    write(MIXED, tmp_path / name)
    found = read(tmp_path / name)
    assert found.failures.tolist() == ["", "no_text", ""]
    assert_same(found[[0, 2]], NACL)
    assert found.info["file"].tolist() == ["00000_NaCl.cif", "00001_failed.cif", "00002_NaCl.cif"]


def test_pymatgen_reads_the_files_of_a_folder(tmp_path):
    write(NACL, tmp_path / "deep" / "out")
    files = sorted((tmp_path / "deep" / "out").iterdir())
    assert [Structure.from_file(file).formula for file in files] == ["Na1 Cl1", "Na2 Cl2"]
    assert [file.name for file in (tmp_path / "deep").iterdir()] == ["out"]


def test_names_sort_as_the_rows_do():
    many = archive.names(Crystals.failed(["x"] * 100_001))
    assert many == sorted(many)
    assert many[7] == "000007_failed"


def test_a_folder_of_cifs_is_replaced_as_a_whole(tmp_path):
    write(MIXED, tmp_path / "out")
    with pytest.raises(UserError, match="exists; use --overwrite"):
        write(NACL, tmp_path / "out")
    write(NACL[0], tmp_path / "out", overwrite=True)
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["00000_NaCl.cif"]
    assert [file.name for file in tmp_path.iterdir()] == ["out"]


def test_a_folder_with_other_files_is_never_replaced(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("years of work")
    with pytest.raises(UserError, match="holds other files"):
        write(NACL, tmp_path / "thesis", overwrite=True)
    assert (tmp_path / "thesis" / "chapter.tex").read_text() == "years of work"


def test_an_empty_folder_may_be_filled(tmp_path):
    (tmp_path / "out").mkdir()
    write(NACL, tmp_path / "out")
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_a_folder_that_cannot_be_written_leaves_nothing(tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", full)
    with pytest.raises(UserError, match="No space left"):
        write(NACL, tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_the_same_crystals_give_the_same_zip():
    assert archive.zip_of_cifs(NACL) == archive.zip_of_cifs(NACL)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_BYTES", 100_000)
    (tmp_path / "bomb.zip").write_bytes(zipped({f"{i}.cif": bytes(60_000) for i in range(2)}))
    monkeypatch.setattr(zipfile.ZipFile, "read", pytest.fail)
    with pytest.raises(UserError, match=r"bomb\.zip: it unpacks to more than 100,000 bytes"):
        read(tmp_path / "bomb.zip")


def test_a_path_that_leads_outside_stays_a_name(tmp_path):
    (tmp_path / "a.zip").write_bytes(
        zipped({"../../evil.cif": ROCK_SALT.encode(), "/etc/evil.cif": ROCK_SALT.encode()})
    )
    found = read(tmp_path / "a.zip")
    assert found.info["file"].tolist() == ["../../evil.cif", "/etc/evil.cif"]
    assert [file.name for file in tmp_path.iterdir()] == ["a.zip"]


def test_a_zip_within_is_a_failure(tmp_path):
    (tmp_path / "a.zip").write_bytes(zipped({"b.cif": ROCK_SALT.encode(), "c.zip": zipped({"d.cif": b""})}))
    found = read(tmp_path / "a.zip")
    assert found.failures.tolist() == ["", Failure.UNPARSEABLE]


def test_a_damaged_zip_is_one_clear_line(tmp_path):
    (tmp_path / "a.zip").write_bytes(zipped(CONTENTS)[:200])
    with pytest.raises(UserError, match=r"a\.zip: damaged zip"):
        read(tmp_path / "a.zip")


def test_a_damaged_member_is_a_failure_of_its_own(tmp_path):
    data = zipped({"a.cif": ROCK_SALT.encode(), "b.cif": ROCK_SALT.encode()})
    place = data.index(b"b.cif") + 20  # inside the compressed text
    (tmp_path / "a.zip").write_bytes(data[:place] + b"\xff\xff\xff\xff" + data[place + 4 :])
    found = read(tmp_path / "a.zip")
    assert found.failures.tolist() == ["", Failure.UNPARSEABLE]
    assert found.info["detail"][1].startswith("b.cif: cannot be read")


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_numbers_in_names_sort_as_numbers(kind, tmp_path):
    names = [f"gen_{row}.cif" for row in (10, 2, 1, 0)] + ["run_10/a.cif", "run_9/b.cif"]
    contents = {name: a_cube(row + 3) for row, name in enumerate(names)}
    if kind == "zip":
        (tmp_path / "a.zip").write_bytes(zipped(contents))
    else:
        for name, data in contents.items():
            (tmp_path / "a" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "a" / name).write_bytes(data)
    path = tmp_path / ("a.zip" if kind == "zip" else "a")
    found = read(path)
    assert found.info["file"].tolist() == [
        *("gen_0.cif", "gen_1.cif", "gen_2.cif", "gen_10.cif"),
        *("run_9/b.cif", "run_10/a.cif"),
    ]
    assert found.lattice[:, 0, 0].tolist() == [6, 5, 4, 3, 8, 7]
    assert [len(z) for z in read_formulas(str(path))] == [1] * 6  # what `generate --formulas` asks for, in this order


def a_cube(edge: int) -> bytes:
    return cif.dump(Crystals.build([[11]], [[[0, 0, 0]]], [[[edge, 0, 0], [0, edge, 0], [0, 0, edge]]])).encode()


def test_a_column_file_of_a_table_within_is_kept_under_another_name(tmp_path):
    (tmp_path / "a.zip").write_bytes(
        zipped(
            {
                "a.csv": csv.dump(NACL.with_info(file=["x", "y"])).encode(),
                "b.extxyz": extxyz.dump(NACL.with_info(file=["x", "y"])).encode(),
                "c.parquet": parquet.dump(MIXED.with_info(file=["x", "y", "z"])),
            }
        )
    )
    found = read(tmp_path / "a.zip")
    assert found.info["file"].tolist() == ["a.csv"] * 2 + ["b.extxyz"] * 2 + ["c.parquet"] * 3
    assert found.info["_file"].tolist() == ["x", "y", "x", "y", "x", "y", "z"]
