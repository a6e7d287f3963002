from __future__ import annotations

import csv
import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from nucleate import files
from nucleate.cli import evaluate, main
from nucleate.crystals import Crystals
from nucleate.evaluation.cells import Cell
from tests.evaluation.conftest import distorted, random_cell, to_crystals

DNG_KEYS = {
    *("structural_validity", "composition_validity", "validity"),
    *("cov_recall", "cov_precision", "cov_recall_joint", "cov_precision_joint"),
    *("amsd_recall", "amsd_precision", "amcd_recall", "amcd_precision"),
    *("wdist_density", "wdist_num_elements", "wdist_density_valid", "wdist_num_elements_valid"),
    *("composition_diversity", "structure_diversity", "uniqueness", "novelty", "distributions"),
}
DNG_COLUMNS = [
    *("index", "formula", "num_atoms", "failure", "structural_valid", "composition_valid", "valid"),
    *("density", "volume", "num_elements", "min_distance", "self_image_distance"),
    *("cov_structure_distance", "cov_composition_distance"),
]

ATOMS = [[8, 8, 22], [11, 17], [6, 6], [14]]


@pytest.fixture
def cells():
    rng = np.random.default_rng(0)
    return [random_cell(rng, numbers) for numbers in ATOMS]


@pytest.fixture
def reference(tmp_path, cells):
    path = tmp_path / "reference.extxyz"
    files.write(to_crystals(cells), path)
    return path


@pytest.fixture
def samples(tmp_path, cells):
    """Two samples for each of the first three reference crystals; the first of the third is lost."""
    rng = np.random.default_rng(1)
    again = [distorted(cell, rng, 0.02) for cell in cells[:3] for _ in range(2)]
    built = to_crystals(again, reference_index=[0, 0, 1, 1, 2, 2], rank=[0, 1] * 3)
    lost = Crystals.failed(["unparseable"], {"reference_index": [2], "rank": [0]})
    path = tmp_path / "samples.parquet"
    files.write(Crystals.concat([built[[0, 1, 2, 3]], lost, built[[5]]]), path)
    return path


def run(*arguments) -> int:
    return main(["evaluate", *map(str, arguments)])


def test_csp(tmp_path, samples, reference, capsys):
    out, rows = tmp_path / "new" / "metrics.json", tmp_path / "rows.parquet"
    assert run("csp", samples, "--reference", reference, "--out", out, "--per-crystal", rows, "--jobs", 1) == 0
    found = json.loads(out.read_text())
    assert list(found) == ["format", "task", "samples", "definition", "counts", "metrics", "intervals"]
    assert found["format"] == 2
    assert (out.parent / found["samples"]).resolve() == samples
    assert found["task"] == "csp"
    assert found["definition"]["reference"] == str(reference)
    assert found["definition"]["k"] == 2
    assert found["counts"]["requested"] == 6
    assert found["counts"]["failures"] == {"unparseable": 1}
    assert found["counts"]["reference"]["asked"] == 3
    assert found["metrics"]["k1"]["match_rate"] == pytest.approx(2 / 3)
    assert found["metrics"]["kN"]["match_rate"] == 1
    assert set(found["intervals"]["kN"]) == set(found["metrics"]["kN"])
    low, high, error = found["intervals"]["k1"]["match_rate"]
    assert low <= found["metrics"]["k1"]["match_rate"] <= high
    assert error > 0
    table = pq.read_table(rows)
    columns = ["index", "rank", "formula", "matched", "rms", "max_distance", "failure", "reference_index", "input_rank"]
    assert table.column_names == columns
    assert table["matched"].to_pylist() == [True] * 4 + [False, True]
    shown = capsys.readouterr().out
    assert "3 of 4 crystals" in shown
    assert "66.67" in shown
    assert "best of 2" in shown
    assert "1 unparseable" in shown


def test_csp_row_by_row(tmp_path, reference, cells):
    path = tmp_path / "same.extxyz"
    files.write(to_crystals(cells), path)
    out = tmp_path / "metrics.json"
    assert run("csp", path, "--reference", reference, "--out", out, "--jobs", 1) == 0
    found = json.loads(out.read_text())["metrics"]["k1"]
    assert found["match_rate"] == found["metre"] == 1
    assert found["rmse"] == pytest.approx(0, abs=1e-6)


def test_dng(tmp_path, samples, reference, capsys):
    out, rows = tmp_path / "metrics.json", tmp_path / "rows.csv"
    options = ["--reference", reference, "--out", out, "--per-crystal", rows, "--seed", 7, "--jobs", 1]
    assert run("dng", samples, *options, "--training", reference, "--oxidation-states", "icsd24") == 0
    found = json.loads(out.read_text())
    assert found["task"] == "dng"
    assert found["definition"]["seed"] == 7
    assert found["definition"]["training"] == str(reference)
    assert found["definition"]["composition_validity"] == {"oxidation_states": "icsd24"}
    assert found["metrics"]["structural_validity"] == pytest.approx(5 / 6)
    assert set(found["metrics"]) >= DNG_KEYS
    with rows.open() as text:
        table = list(csv.DictReader(text))
    assert list(table[0])[: len(DNG_COLUMNS)] == DNG_COLUMNS
    assert len(table) == 6
    assert table[4]["failure"] == "unparseable"
    assert table[4]["density"] == ""
    shown = capsys.readouterr().out
    assert "83.33 %" in shown
    assert "novel is what is not among 4 crystals" in shown


@pytest.fixture
def salts():
    """Rock salts of 12 compositions, with names."""
    pairs = [(z, x) for z in (3, 11, 19, 37) for x in (9, 17, 35)]
    frac = np.array([[0, 0, 0], [0.5, 0.5, 0.5]])
    cells = [Cell(np.array(numbers), frac, np.eye(3) * 3.3) for numbers in pairs]
    return to_crystals(cells, material_id=[f"salt-{i}" for i in range(12)])


@pytest.fixture
def salt_files(tmp_path, salts):
    """A reference as a table, and a folder of predictions in another order."""
    path, folder = tmp_path / "reference.csv", tmp_path / "samples"
    files.write(salts, path)
    folder.mkdir()
    for place in range(12):
        row = 5 * place % 12
        files.write(salts[row], folder / f"{place:02d}_salt-{row}.cif")
    return folder, path


def test_another_order_is_refused_and_can_be_paired_by_composition(tmp_path, salt_files, capsys):
    folder, reference = salt_files
    out, rows = tmp_path / "metrics.json", tmp_path / "rows.csv"
    options = ["--reference", reference, "--out", out, "--per-crystal", rows, "--jobs", 1, "--overwrite"]
    assert run("csp", folder, *options) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert "4 of 12 reference crystals have a sample of their composition; paired by composition 12 of 12" in message
    assert message.endswith("choose --pair composition or --pair rows\n")
    assert not out.exists()
    assert not rows.exists()

    assert run("csp", folder, *options, "--pair", "composition") == 0
    assert "paired by composition\n" in capsys.readouterr().out
    found = json.loads(out.read_text())
    assert found["metrics"]["k1"]["match_rate"] == 1
    assert found["definition"]["pairing"] == {"by": "composition"}
    with rows.open() as text:
        table = list(csv.DictReader(text))
    for row in table:
        name = row["reference_material_id"]
        assert row["file"].endswith(f"_{name}.cif")
        assert row["index"] == name.removeprefix("salt-")

    assert run("csp", folder, *options, "--pair", "rows") == 0
    shown = capsys.readouterr().out
    assert "8 of 12 samples have another composition than their reference crystal" in shown
    assert "with --pair composition 12 crystals, not 4, would have one of theirs" in shown
    assert json.loads(out.read_text())["metrics"]["k1"]["match_rate"] == pytest.approx(4 / 12)


def test_files_are_paired_by_name_with_numbers_as_ranks(tmp_path, salts, capsys):
    reference, out, samples = tmp_path / "reference.csv", tmp_path / "metrics.json", tmp_path / "samples"
    files.write(salts, reference)
    samples.mkdir()
    for row in range(12):
        for place in (1, 2):
            # The first predictions are all rubidium bromide, which is right for one.
            files.write(salts[11 if place == 1 else row], samples / f"salt-{row}_{place}.cif")
    options = ["--reference", reference, "--out", out, "--jobs", 1]
    assert run("csp", samples, *options) == 2
    assert "24 samples for 12 reference crystals" in capsys.readouterr().err
    assert run("csp", samples, *options, "--pair", "name") == 0
    assert "paired by name, file as material_id" in capsys.readouterr().out
    found = json.loads(out.read_text())
    assert found["definition"]["k"] == 2
    assert found["metrics"]["k1"]["match_rate"] == pytest.approx(1 / 12)
    assert found["metrics"]["kN"]["match_rate"] == 1


def test_what_is_lost_or_dealt_is_said(tmp_path, salts, capsys):
    reference, samples, out = (tmp_path / name for name in ("reference.parquet", "samples.parquet", "metrics.json"))
    twice = salts[[0, 0, 1]]
    files.write(twice, reference)
    options = ["--reference", reference, "--out", out, "--jobs", 1, "--overwrite"]
    files.write(salts[[0, 0, 0, 5]].with_info(material_id=[""] * 4), samples)
    assert run("csp", samples, *options, "--pair", "composition") == 0
    shown = capsys.readouterr().out
    assert "3 of 3 crystals of" in shown
    assert "1 of them have no sample and count as misses" in shown
    assert "3 of 4 samples could predict several reference crystals of their composition" in shown
    assert "1 of 4 samples have no reference crystal: none has their composition, or" in shown
    assert "1 of the reference crystals with samples have fewer than 2" in shown

    files.write(salts[[0, 0, 1]].with_info(reference_index=[0, 0, 2], rank=[0, 1, 1]), samples, overwrite=True)
    assert run("csp", samples, *options) == 0
    shown = capsys.readouterr().out
    assert "1 of the reference crystals with samples have none of rank 0" in shown
    assert "first prediction: row 2\n" in shown
    assert run("csp", samples, *options, "--pair", "composition") == 0
    assert "paired by composition; the column reference_index is not used" in capsys.readouterr().out


def test_ranks_from_one_are_refused(tmp_path, salts, capsys):
    reference, samples, out = (tmp_path / name for name in ("reference.parquet", "samples.parquet", "metrics.json"))
    files.write(salts, reference)
    files.write(salts.with_info(reference_index=range(12), rank=[1] * 12), samples)
    assert run("csp", samples, "--reference", reference, "--out", out, "--jobs", 1) == 2
    assert "smallest rank of the samples is 1; ranks start at 0" in capsys.readouterr().err


def test_dng_without_a_training_set(tmp_path, samples, reference, capsys):
    out = tmp_path / "metrics.json"
    assert run("dng", samples, "--reference", reference, "--out", out, "--jobs", 1) == 0
    found = json.loads(out.read_text())
    assert found["definition"]["training"] is None
    assert found["metrics"]["novelty"] is None
    assert "no novelty" in capsys.readouterr().err


def test_dng_of_a_named_data_set_knows_its_training_set(tmp_path, samples):
    out = tmp_path / "metrics.json"
    assert run("dng", samples, "--reference", "prototypes:val", "--out", out, "--jobs", 1) == 0
    found = json.loads(out.read_text())
    assert found["definition"]["reference"] == "prototypes:val"
    assert found["definition"]["training"] == "prototypes:train"
    assert found["metrics"]["novelty"] > 0


@pytest.mark.parametrize(("reference", "cutoffs"), [("mp-20", (0.4, 10)), ("perov-5", (0.2, 4)), ("a.cif", (0.4, 10))])
def test_cutoffs_are_those_of_the_data_set(reference, cutoffs):
    assert evaluate.find_cutoffs(None, reference) == cutoffs
    assert evaluate.find_cutoffs("carbon-24", reference) == (0.2, 4)


def test_the_same_seed_gives_the_same_bytes(tmp_path, samples, reference):
    outs = [(tmp_path / f"{i}.json", tmp_path / f"{i}.parquet") for i in range(2)]
    for out, rows in outs:
        options = ["--reference", reference, "--training", reference, "--seed", 3, "--jobs", 1]
        assert run("dng", samples, *options, "--out", out, "--per-crystal", rows) == 0
    assert outs[0][0].read_bytes() == outs[1][0].read_bytes()
    assert outs[0][1].read_bytes() == outs[1][1].read_bytes()


def test_interrupted_it_leaves_nothing(tmp_path, samples, reference, monkeypatch, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("nucleate.evaluation.dng.coverage.coverage", interrupted)
    before = sorted(tmp_path.iterdir())
    options = ["--reference", reference, "--out", tmp_path / "m.json", "--per-crystal", tmp_path / "r.csv", "--jobs", 1]
    assert run("dng", samples, *options) == 130
    assert sorted(tmp_path.iterdir()) == before
    assert "interrupted" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["csp", "none.cif", "--reference", "{reference}", "--out", "{out}"], "none.cif"),
        (["csp", "{samples}", "--reference", "mp-21", "--out", "{out}"], "did you mean mp-20"),
        (["csp", "{reference}", "--reference", "{samples}", "--out", "{out}"], "4 samples for 6 reference crystals"),
        (["csp", "{samples}", "--reference", "{reference}", "--out", "{samples}"], "exists; use --overwrite"),
        (["csp", "{samples}", "--reference", "{reference}", "--out", "{out}", "--jobs", "0"], "--jobs 0"),
        (["dng", "{samples}", "--reference", "{reference}", "--out", "{out}", "--per-crystal", "x.txt"], ".parquet or"),
        (["dng", "{samples}", "--reference", "{reference}", "--out", "x.csv", "--per-crystal", "x.csv"], "both x.csv"),
        (["dng", "{samples}", "--reference", "{reference}"], "--out"),
        (["dng", "{samples}", "--reference", "{reference}", "--out", "{out}", "--cutoffs", "mp"], "known are mp-20"),
        (["csp", "{samples}", "--reference", "{reference}", "--out", "{out}", "--oxidation-states", "x"], "smact14"),
        (["dng", "{samples}", "--reference", "{reference}", "--out", "{out}", "--training", "none.cif"], "none.cif"),
    ],
)
def test_bad_input_is_one_line(tmp_path, samples, reference, arguments, says, capsys):
    places = {"samples": samples, "reference": reference, "out": tmp_path / "metrics.json"}
    assert main(["evaluate", *(word.format(**places) for word in arguments)]) == 2
    message = capsys.readouterr().err
    assert says in message
    assert message.count("\n") == 1
    assert not (tmp_path / "metrics.json").exists()


def test_outputs_are_replaced_on_demand(tmp_path, samples, reference):
    out = tmp_path / "metrics.json"
    out.write_text("old")
    assert run("dng", samples, "--reference", reference, "--out", out, "--jobs", 1) == 2
    assert out.read_text() == "old"
    assert run("dng", samples, "--reference", reference, "--out", out, "--jobs", 1, "--overwrite") == 0
    assert json.loads(out.read_text())["task"] == "dng"
