from __future__ import annotations

from collections import Counter
from functools import partial

import numpy as np
import pytest
import torch

from nucleate import files
from nucleate.datasets import load, loading, parse_reference, prototypes
from nucleate.errors import UserError
from nucleate.geometry import lattice


@pytest.fixture(scope="module")
def fifty():
    return prototypes.make(per_prototype=1)[:50]


def ids(crystals) -> list[str]:
    return list(crystals.info["material_id"])


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("mp-20", ("mp-20", None)),
        ("mp-20:val", ("mp-20", "val")),
        ("data/x.cif:test", ("data/x.cif", "test")),
        ("C:/data/x.cif", ("C:/data/x.cif", None)),
        ("mp-20:vla", ("mp-20:vla", None)),
        (":val", (":val", None)),
    ],
)
def test_parse_reference(text, reference):
    assert parse_reference(text) == reference


def test_a_path_that_exists_keeps_its_colon(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "odd:val").write_text("")
    assert parse_reference("odd:val") == ("odd:val", None)


def test_prototypes_load_by_split(monkeypatch):
    monkeypatch.setattr(prototypes, "make", partial(prototypes.make, per_prototype=2))
    parts = [load("prototypes", split) for split in ("train", "val", "test")]
    everything = load("prototypes")
    assert sum(map(len, parts)) == len(everything)
    assert Counter(everything.info["split"]) == {part.info["split"][0]: len(part) for part in parts}
    assert ids(load("prototypes:val")) == ids(parts[1])


def test_a_named_data_set_is_downloaded_and_prepared_once(small, home, few, monkeypatch):
    first = load("small", "train", jobs=1)
    assert ids(first) == ids(few)
    assert first.frac.dtype == torch.float64
    # A CIF keeps the shape of a cell, not its orientation.
    torch.testing.assert_close(lattice.parameters(first.lattice), lattice.parameters(few.lattice), rtol=0, atol=1e-5)
    assert list(first.info["energy"]) == list(few.info["energy"])
    monkeypatch.setattr(files, "read", _only_parquet(files.read))
    assert ids(load("small:train")) == ids(first)
    assert home.requests == 1


def _only_parquet(read):
    def checked(path, **options):
        assert path.suffix == ".parquet", f"{path} was prepared again"
        return read(path, **options)

    return checked


def test_all_splits_at_once_need_all_of_them(small, home, page, few):
    with pytest.raises(UserError, match="small:test is not in"):
        load("small", jobs=1)
    home.pages["/small/test.csv"] = page
    everything = load("small", jobs=1)
    assert list(everything.info["split"]) == ["train"] * 6 + ["val"] * 6 + ["test"] * 6
    assert ids(everything) == ids(few) * 3


def test_a_download_that_changed_is_not_prepared(small, page, private_cache):
    load("small:train", jobs=1)
    (private_cache / "data" / "small" / "train.csv").write_bytes(page.replace(b"-2.5", b"-2.6"))
    with pytest.raises(UserError, match="has changed since its download"):
        load("small:train", jobs=1)


def test_rows_that_fail_are_kept(tmp_path, page):
    path = tmp_path / "mine.csv"
    path.write_bytes(page.replace(b"_cell_length_a", b"_cell_breadth", 1))
    crystals = load(path, jobs=1)
    assert len(crystals) == 6
    assert [bool(reason) for reason in crystals.failures] == [True] + [False] * 5
    assert list(load(path, jobs=1).failures) == list(crystals.failures)


@pytest.mark.parametrize("name", ["mine.csv", "mine.extxyz", "mine.parquet"])
def test_one_file_is_split_by_rows(tmp_path, fifty, name):
    path = tmp_path / name
    files.write(fifty, path)
    assert len(load(path, jobs=1)) == 50
    parts = {split: load(path, split, jobs=1) for split in ("train", "val", "test")}
    assert {split: len(part) for split, part in parts.items()} == {"train": 40, "val": 5, "test": 5}
    assert sorted(name for part in parts.values() for name in ids(part)) == sorted(ids(fifty))
    assert ids(load(f"{path}:val", jobs=1)) == ids(parts["val"])
    # The same rows whatever the format.
    assert ids(parts["val"]) == ids(fifty[loading.assign([str(row) for row in range(50)]) == "val"])


def test_too_few_for_a_split(tmp_path, few):
    files.write(few[:2], tmp_path / "two.extxyz")
    with pytest.raises(UserError, match="has 2 crystals, too few for a split val"):
        load(tmp_path / "two.extxyz", "val")


def test_a_folder_with_splits(tmp_path, few):
    files.write(few[:4], tmp_path / "train.csv")
    files.write(few[4:], tmp_path / "test.extxyz")
    (tmp_path / "train.md").write_text("About the training set.")
    assert ids(load(tmp_path, "train", jobs=1)) == ids(few[:4])
    assert ids(load(tmp_path, "test", jobs=1)) == ids(few[4:])
    assert list(load(tmp_path, jobs=1).info["split"]) == ["train"] * 4 + ["test"] * 2
    with pytest.raises(UserError, match="has no split val; it has train, test"):
        load(tmp_path, "val")
    files.write(few, tmp_path / "train.extxyz")
    with pytest.raises(UserError, match=r"has both train\.csv and train\.extxyz"):
        load(tmp_path, "train")


def test_a_folder_of_folders_and_a_folder_of_files(tmp_path, few):
    for split, part in {"train": few[:4], "val": few[4:]}.items():
        files.write(part, tmp_path / "set" / split / "part.extxyz")
    assert ids(load(tmp_path / "set", "val")) == ids(few[4:])
    assert sorted(ids(load(tmp_path / "set" / "train"))) == sorted(ids(few[:4]))


def test_unknown_names_and_splits_are_one_line(few, tmp_path):
    with pytest.raises(UserError, match="did you mean mp-20"):
        load("mp-2O")
    with pytest.raises(UserError, match="no split 'dev'"):
        load("prototypes", "dev")
    with pytest.raises(UserError, match="names the split val, but train is asked for"):
        load("prototypes:val", "train")


def test_mp_20_as_it_was_published(shared, monkeypatch):
    monkeypatch.setenv("NUCLEATE_DATA", str(shared / "data"))
    path = shared / "data" / "mp_20" / "val.csv.gz"
    crystals = files.read(path, limit=200, jobs=1)
    assert crystals.built.all()
    assert crystals.info["formation_energy_per_atom"].dtype == np.float64
    assert crystals.info["material_id"][0] == "mp-865981"
    assert crystals.formulas[0] == "TmMgHg2"
    # 5.0488004 Å and 60° in the file
    assert crystals.lattice[0].norm(dim=-1).tolist() == pytest.approx([5.0488004] * 3, abs=1e-6)
