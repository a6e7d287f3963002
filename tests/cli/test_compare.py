from __future__ import annotations

import csv
import json
import re

import numpy as np
import pytest

from nucleate import files
from nucleate.cli import main
from nucleate.crystals import Crystals
from nucleate.datasets import load
from tests.evaluation.conftest import distorted, random_cell, to_crystals
from tests.report.comparison.conftest import csp, dng


@pytest.fixture
def write(tmp_path):
    """Writes a metrics file, and returns its path."""

    def write(name, data):
        path = tmp_path / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(data))
        return path

    return write


def run(*arguments) -> int:
    return main(["compare", *map(str, arguments)])


def test_samples_are_judged_on_the_way_as_evaluate_does(tmp_path, capsys):
    """New crystals, from the file to the page and the tables; the numbers are those of `nucleate evaluate`."""
    known = load("prototypes", "test")
    reference, first, second = (tmp_path / f"{name}.parquet" for name in ("reference", "first", "second"))
    files.write(known[:12], reference)
    files.write(known[:6], first)
    files.write(Crystals.concat([known[20:25], Crystals.failed(["unparseable"])]), second)
    metrics = tmp_path / "metrics.json"
    assert (
        main(["evaluate", "dng", str(second), "--reference", str(reference), "--out", str(metrics), "--jobs", "1"]) == 0
    )
    capsys.readouterr()

    out, tables = tmp_path / "new" / "page.html", tmp_path / "tables"
    inputs = [first, f"judged={metrics}", f"again={second}"]
    assert run(*inputs, "--reference", reference, "--out", out, "--tables", tables, "--jobs", 1) == 0
    rows = {row["name"]: row for row in csv.DictReader((tables / "dng.csv").open())}
    assert list(rows) == ["first", "judged", "again"]
    assert rows["first"]["cov_precision"] == "1.0"
    assert rows["first"]["cov_precision.mark"] == "best"
    assert {**rows["again"], "name": ""} == {**rows["judged"], "name": ""}
    want = json.loads(metrics.read_text())
    for name in ("structural_validity", "composition_validity", "cov_recall"):
        assert float(rows["judged"][name]) == want["metrics"][name]
        assert float(rows["judged"][f"{name}.low"]) == want["intervals"][name][0]
    html = out.read_text(encoding="utf-8")
    assert "unparseable" in html
    assert html.count("<canvas") == 2 * (4 + 4 + 4)
    shown = capsys.readouterr().out
    assert f"open {out}: 3 rows" in shown
    assert "dng.tex" in shown


def test_predictions_are_known_by_their_column(tmp_path):
    rng = np.random.default_rng(0)
    cells = [random_cell(rng, numbers) for numbers in ([8, 8, 22], [11, 17], [14])]
    reference, samples = tmp_path / "reference.parquet", tmp_path / "samples.parquet"
    files.write(to_crystals(cells), reference)
    again = [distorted(cell, rng, 0.02) for cell in cells for _ in range(2)]
    files.write(to_crystals(again, reference_index=[0, 0, 1, 1, 2, 2], rank=[0, 1] * 3), samples)
    out = tmp_path / "page.html"
    assert run(samples, "--reference", reference, "--out", out, "--tables", tmp_path, "--jobs", 1) == 0
    assert (tmp_path / "csp-best.md").exists()
    assert not (tmp_path / "dng.md").exists()
    assert "Structure prediction" in out.read_text(encoding="utf-8")
    options = ["--reference", reference, "--out", out, "--jobs", 1, "--overwrite"]
    assert run(samples, *options, "--task", "dng") == 0
    assert "New crystals" in out.read_text(encoding="utf-8")


def test_predictions_in_another_order_are_refused(tmp_path, capsys):
    known = load("prototypes", "test")[:6]
    reference, samples, out = (tmp_path / name for name in ("reference.parquet", "samples.parquet", "page.html"))
    files.write(known, reference)
    files.write(known[[1, 2, 3, 4, 5, 0]].with_info(material_id=[""] * 6), samples)
    options = ["--reference", reference, "--task", "csp", "--out", out, "--jobs", 1]
    assert run(f"ours={samples}", *options) == 2
    err = capsys.readouterr().err
    assert err.startswith("nucleate: ours: row by row ")
    assert "choose the metrics of nucleate evaluate csp --pair composition or the metrics of nucleate" in err
    assert err.count("\n") == 1
    assert not out.exists()


def test_a_difference_of_protocol_is_said(tmp_path, write, capsys):
    out = tmp_path / "page.html"
    assert run(write("a", dng()), write("b", dng(definition__reference="mp-20:test")), "--out", out) == 0
    err = capsys.readouterr().err
    assert "not judged alike, so in 2 blocks" in err
    assert "reference: mp-20:val (9,047 crystals) for a; mp-20:test (9,047 crystals) for b" in err


def test_names(tmp_path, write):
    out = tmp_path / "page.html"
    first, second = write("one/metrics", dng()), write("two/metrics", dng())
    assert run(first, second, f"my model={write('c', dng())}", "--out", out) == 0
    names = re.findall(r'aria-pressed="false" value="\d+">.*?<span>([^<]+)</span>', out.read_text(encoding="utf-8"))
    assert names == ["one/metrics", "two/metrics", "my model"]
    odd = write("a=b", dng())
    assert run(odd, "--out", out, "--overwrite") == 0
    assert "<h1>a=b</h1>" in out.read_text(encoding="utf-8")


def test_one_file_under_two_names_and_a_name_with_an_equals_sign(tmp_path, write):
    out, metrics = tmp_path / "page.html", write("a", dng())
    assert run(f"A={metrics}", f"T=0.7={metrics}", "--out", out, "--tables", tmp_path / "t") == 0
    rows = list(csv.DictReader((tmp_path / "t" / "dng.csv").open()))
    assert [row["name"] for row in rows] == ["A", "T=0.7"]
    assert [row["validity.mark"] for row in rows] == ["best", "best"]


def test_outputs_are_replaced_on_demand_only(tmp_path, write, capsys):
    metrics, out = write("a", dng()), tmp_path / "page.html"
    assert run(metrics, "--out", out, "--tables", tmp_path / "t") == 0
    before = out.read_bytes()
    assert run(metrics, "--out", out) == 2
    assert run(metrics, "--out", tmp_path / "other.html", "--tables", tmp_path / "t") == 2
    assert "dng.md exists; use --overwrite" in capsys.readouterr().err
    assert out.read_bytes() == before
    assert run(metrics, "--out", out, "--tables", tmp_path / "t", "--overwrite") == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["none.json", "--out", "{out}"], "there is no none.json"),
        (["m=none.json", "--out", "{out}"], "there is no none.json"),
        (["{broken}", "--out", "{out}"], "broken.json is not JSON"),
        (["{other}", "--out", "{out}"], "other.json is no metrics file"),
        (["{good}", "{old}", "--out", "{out}"], "old.json has layout 1 of metrics, and this is 2: evaluate"),
        (["{good}", "{good}", "--out", "{out}"], "good.json is there twice"),
        (["x={good}", "x={good}", "--out", "{out}"], "good.json is there twice"),
        (["x={good}", "x={second}", "--out", "{out}"], "two rows are called 'x'"),
        (["{samples}", "--out", "{out}"], "give --reference NAME"),
        (["{lost}", "--reference", "prototypes", "--out", "{out}"], "none of the 2 samples has a cell"),
        (["{samples}", "--reference", "mp-21", "--out", "{out}"], "did you mean mp-20"),
        (["{good}", "--out", "page.txt"], "ends in .html"),
        (["{good}", "--out", "{out}", "--jobs", "0"], "--jobs 0"),
        (["{good}", "--out", "{out}", "--task", "melt"], "'melt' is not one of"),
        (["{good}"], "--out"),
        (["--out", "{out}"], "Missing argument"),
    ],
)
def test_bad_input_is_one_line(tmp_path, write, capsys, arguments, says):
    places = {"good": write("good", dng()), "second": write("second", dng()), "other": write("other", {"a": 1})}
    places |= {"old": write("old", {**dng(), "format": 1}), "out": tmp_path / "page.html"}
    for name, text in (("broken.json", "{"), ("samples.xyz", "")):
        (tmp_path / name).write_text(text)
    files.write(to_crystals([random_cell(np.random.default_rng(0), [8])]), tmp_path / "samples.parquet")
    files.write(Crystals.failed(["unparseable", "zero_volume"]), tmp_path / "lost.parquet")
    places |= {name: tmp_path / f"{name}.parquet" for name in ("samples", "lost")}
    places["broken"] = tmp_path / "broken.json"
    assert run(*(argument.format(**places) for argument in arguments)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("nucleate: ")
    assert err.count("\n") == 1
    assert says in err
    assert not (tmp_path / "page.html").exists()


def test_predictions_and_new_crystals_of_one_model_share_a_row(tmp_path, write):
    out = tmp_path / "page.html"
    assert run(f"m={write('a', dng())}", f"m={write('b', csp())}", "--out", out) == 0
    html = out.read_text(encoding="utf-8")
    assert "<h1>m</h1>" in html
    assert html.count("row-1 ") == html.count('row-1"') == 0
