from __future__ import annotations

import csv
import io
import re

import pandas as pd
import pytest

from nucleate.report.comparison.columns import SHEET
from nucleate.report.comparison.table import compare
from nucleate.report.comparison.writing import as_csv, latex, markdown, paths, write_tables
from tests.report.comparison.conftest import csp, dng, entry

HOSTILE = "a|b_c & 50% {x} $y$ #1"


@pytest.fixture
def comparison():
    rows = (
        entry("best", dng(0.9)),
        entry("tied", dng(0.89)),
        entry(HOSTILE, dng(0.5)),
        entry("k", dng(0.99, counts__requested=9)),
    )
    found = compare(SHEET["dng"], rows)
    assert found is not None
    return found


def test_csv_has_the_numbers_in_full(comparison):
    rows = list(csv.DictReader(io.StringIO(as_csv(comparison))))
    assert [row["name"] for row in rows] == ["best", "tied", HOSTILE, "k"]
    assert [row["block"] for row in rows] == ["1", "1", "1", "2"]
    assert [float(row["validity"]) for row in rows] == [0.9, 0.89, 0.5, 0.99]
    assert [row["validity.mark"] for row in rows] == ["best", "tie", "", ""]
    assert float(rows[0]["validity.low"]) == pytest.approx(0.88)
    assert rows[0]["wdist_num_elements.low"] == ""
    assert rows[3]["samples"] == "9"
    assert rows[0]["reference"] == "mp-20:val (9,047 crystals)"


@pytest.mark.parametrize("slug", list(SHEET))
def test_numbers_are_numbers_for_programs(slug):
    """With pandas, which makes a column text if one of its values is."""
    big = {"counts__requested": 1500, "counts__training": 26963}
    rows = [entry("a", dng(**big)), entry("b", csp(k=2, counts__reference={"crystals": 9047, "asked": 1500}))]
    found = compare(SHEET[slug], [*rows, entry("c", dng()), entry("d", csp(k=2))])
    assert found is not None
    table = pd.read_csv(io.StringIO(as_csv(found)))
    words = {"name", "reference", "oxidation states", "structural validity", "coverage", "training set"}
    words |= {"matcher", "pairing", "space groups"} | {name for name in table if name.endswith(".mark")}
    assert {name for name in table if table[name].dtype == object} <= words
    counted = "samples" if slug.startswith("dng") else "asked for"
    assert sorted(table[counted]) == [100, 1500]
    assert "1,500" in markdown(found)
    assert "1,500" in latex(found)


def test_markdown_is_a_table_with_its_marks(comparison):
    lines = [line for line in markdown(comparison).splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    assert {len(row) for row in cells} == {8}
    assert cells[0][3] == "Validity (%) ↑"
    assert [row[3] for row in cells[1:4]] == ["**90.0** (88.0–92.0)", "89.0 ≈ (87.0–91.0)", "50.0 (48.0–52.0)"]
    assert cells[3][0] == r"a\|b\_c & 50% {x} $y$ #1"
    assert cells[1][7] == "**0.100**"
    assert cells[5][0] == "k"
    assert cells[5][3] == "99.0 (97.0–101.0)"  # alone in its block: no mark
    assert "- samples: 100 for best, tied" in markdown(comparison)


def test_latex_has_as_many_cells_as_columns_and_is_escaped(comparison):
    text = latex(comparison)
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {7}
    assert text.count(r"\midrule") == 2
    assert text.count("{") == text.count("}")
    assert r"a|b\_c \& 50\% \{x\} \$y\$ \#1" in text
    assert r"\textbf{90.0} {\scriptsize (88.0--92.0)}" in text
    assert r"89.0$^{\approx}$" in text
    body = [line for line in text.splitlines() if not line.startswith("%")]
    assert not re.search(r"(?<!\\)[%#]", "\n".join(body))


def test_files(comparison, tmp_path):
    predictions = compare(SHEET["csp-first"], [entry("a", csp())])
    assert predictions is not None
    written = write_tables(tmp_path / "new", [comparison, predictions])
    assert written == paths(tmp_path / "new", ["dng", "csp-first"])
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(path.name for path in written)
    assert (tmp_path / "new" / "dng.md").read_text(encoding="utf-8") == markdown(comparison)


def test_a_number_that_does_not_exist_is_a_dash():
    comparison = compare(SHEET["dng"], [entry("a", dng(metrics__validity=None)), entry("b", dng())])
    assert comparison is not None
    assert "| – |" in markdown(comparison)
    assert "& -- &" in latex(comparison)
    assert next(csv.DictReader(io.StringIO(as_csv(comparison))))["validity"] == ""
