from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from nucleate import files
from nucleate.report.comparison.cells import SHOWN
from nucleate.report.comparison.page import fill, write_comparison
from tests.report.comparison.conftest import csp, dng, entry
from tests.report.conftest import Page

HOSTILE = "</script><script>alert(1)</script>"


def page_of(tmp_path, *rows, **options) -> tuple[Page, str]:
    write_comparison(tmp_path / "page.html", rows, **options)
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    return Page(html), html


@pytest.fixture
def samples(tmp_path, crystals):
    path = tmp_path / "samples.extxyz"
    files.write(crystals[:3], path)
    return path


def test_a_page_has_both_tasks_and_all_figures(tmp_path):
    page, _ = page_of(tmp_path, entry("a", dng(0.9)), entry("b", dng(0.8)), entry("a", csp(k=3)), entry("b", csp(k=3)))
    assert page.texts["h1"] == ["a and b"]
    assert page.texts["h2"] == ["New crystals", "Structure prediction"]
    headings = page.texts["h4"]
    for heading in (
        *("Quality against diversity", "Density", "Volume per atom", "Number of elements", "Crystal systems"),
        *("Space groups", "Elements", "Validity by number of atoms"),
        *("Distances of matches", "Match rate by number of atoms"),
    ):
        assert headings.count(heading) == 1, heading
    assert page.texts["h3"] == [
        "Validity, coverage, distributions",
        "Uniqueness, novelty, diversity, symmetry",
        "Some of the crystals",
        "Failures by reason",
        "The first prediction (k = 1)",
        "The best of k predictions",
        "Some of the crystals",
        "Failures by reason",
    ]
    assert not page.with_class("warning")


def test_a_page_loads_nothing(tmp_path, samples):
    page, html = page_of(tmp_path, replace(entry("a", dng(counts__requested=3)), samples=samples), entry("b", csp()))
    assert not re.search(r"https?:|\bfetch\(|XMLHttpRequest|@import|url\(", html)
    for tag, attributes in page.elements:
        for name in ("src", "href", "action"):
            assert (attributes.get(name) or "#").startswith(("data:", "#")), (tag, attributes)


def test_a_difference_of_protocol_is_said_and_no_figure_mixes_it(tmp_path):
    rows = entry("a", dng(0.8)), entry("b", dng(0.9, definition__reference="mp-20:test")), entry("c", dng(0.7))
    page, html = page_of(tmp_path, *rows)
    assert len(page.with_class("warning")) == 2
    assert "reference: mp-20:val (9,047 crystals) for a, c; mp-20:test (9,047 crystals) for b" in html
    assert "Validity by number of atoms: a, c" in page.texts["h4"]
    assert "Validity by number of atoms: b" in page.texts["h4"]
    assert "Quality against diversity: a, c" in page.texts["h4"]
    assert [name for name in page.texts["h4"] if name.startswith("Quality")] == ["Quality against diversity: a, c"]
    finding = html[html.index('class="findings"') : html.index('id="dng"', html.index('class="findings"'))]
    assert "among a, c" in finding
    assert "says nothing of the others" in html
    # No card crowns a row over one that was judged otherwise without saying of which block it speaks.
    titles = re.findall(r'<div class="finding [^"]*"><p>([^<]+)</p>', html)
    assert titles
    assert all(title.endswith(" in block A") for title in titles)
    assert "90.0" not in finding


def test_other_versions_are_a_light_mark(tmp_path):
    other = dng(definition__versions={"nucleate": "0.1.0", "numpy": "1.0"})
    page, html = page_of(tmp_path, entry("a", dng()), entry("b", other))
    assert not page.with_class("warning")
    assert html.count(">v</sup>") == 2
    assert "numpy: 2.4.6 for a; 1.0 for b" in html


def test_marks_are_words_for_those_who_cannot_see_them(tmp_path):
    page, _ = page_of(tmp_path, entry("a", dng(0.9)), entry("b", dng(0.89)), entry("c", dng(0.5)))
    cells = [text for text in page.texts["td"] if re.match(r"≈?\d", text)]
    assert "90.0 (best)88.0 – 92.0" in cells
    assert "≈89.0 (does not differ from the best)87.0 – 91.0" in cells
    assert "50.048.0 – 52.0" in cells


def test_cells_and_their_tilings(tmp_path, samples):
    row = replace(entry("a", dng(counts__requested=3)), samples=samples)
    page, _ = page_of(tmp_path, row, replace(row, name="b"))
    canvases = [attributes for tag, attributes in page.elements if tag == "canvas"]
    assert [(c["data-index"], c["data-repeats"]) for c in canvases] == [
        (str(i), repeats) for i in range(6) for repeats in ("1", "2")
    ]
    kinds = [attributes.get("class") for tag, attributes in page.elements if tag == "script"]
    data = json.loads(page.texts["script"][kinds.index("cells")])
    assert len(data["crystals"]) == 6
    assert min(SHOWN, 3) * 2 == 6
    formulas = {attributes["aria-label"].removeprefix("Unit cell of ") for attributes in canvases[::2]}
    assert formulas == {"NaCl", "SrTiO3", "TiO2"}
    assert all("SG" in text for text in page.texts["figcaption"] if "atoms ·" in text)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({}, "does not say where its samples are"),
        ({"samples": "gone.cif"}, "the samples are not at"),
        ({"counts__requested": 4}, "has other samples than were judged"),
    ],
)
def test_samples_that_are_gone_are_one_line(tmp_path, samples, change, says):
    row = entry("a", dng(**change))
    if "samples" in change:
        row = replace(row, samples=tmp_path / "gone.cif")
    elif change:
        row = replace(row, samples=samples)
    page, html = page_of(tmp_path, row)
    assert html.count("No cells: ") == 1
    assert says in html
    assert not [tag for tag, _ in page.elements if tag == "canvas"]


def test_one_row_alone_has_no_marks(tmp_path):
    page, html = page_of(tmp_path, entry("a", dng()))
    assert page.texts["h1"] == ["a"]
    assert not page.with_class("finding")
    assert "(best)" not in html


def test_many_rows(tmp_path):
    page, _ = page_of(tmp_path, *(entry(f"row {i}", dng(0.5 + i / 40)) for i in range(12)))
    assert page.texts["h1"] == ["12 models, side by side"]
    assert len(page.with_class("rows")) == 1


def test_failures_are_counted_by_reason(tmp_path):
    rows = entry("a", dng(counts__failures={"zero_volume": 2, "unparseable": 7})), entry("b", dng(counts__failures={}))
    _, html = page_of(tmp_path, *rows)
    table = html[html.index("Failures by reason") :]
    assert table.index("unparseable") < table.index("zero volume")
    assert re.search(r'>7</td><td class="number">2</td></tr>', table)


def test_hostile_names_and_reasons_stay_text(tmp_path):
    data = dng(definition__reference=HOSTILE, counts__failures={HOSTILE: 1})
    page, html = page_of(tmp_path, entry(HOSTILE, data), entry("b", dng()), title=HOSTILE)
    assert "<script>alert" not in html
    assert page.texts["h1"] == [HOSTILE]


def test_the_same_rows_give_the_same_page(tmp_path, samples):
    rows = replace(entry("a", dng(counts__requested=3)), samples=samples), entry("b", csp())
    assert page_of(tmp_path, *rows)[1] == page_of(tmp_path, *rows)[1]


def test_tables_are_in_the_order_of_the_page():
    slugs = [comparison.sheet.slug for comparison in fill([entry("a", csp(k=2)), entry("b", dng())])]
    assert slugs == ["dng", "dng-novelty", "csp-first", "csp-best"]
