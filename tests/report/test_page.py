from __future__ import annotations

import re

import pytest

import nucleate
from nucleate.errors import UserError
from nucleate.report import Gallery, KeyNumbers, Table, write_page
from tests.report.conftest import Page

HOSTILE = "</title></style><script>alert(1)</script>"


@pytest.fixture
def html(crystals, tmp_path) -> str:
    write_page(
        tmp_path / "page.html",
        title="Four crystals",
        summary="What this is.",
        sections=[KeyNumbers({"crystals": 4}), Gallery(crystals), Table(["Metric", "Value"], [["validity", 1.0]])],
        facts={"Model": "flowmm-csp", "Seed": 0, "Steps": 100},
    )
    return (tmp_path / "page.html").read_text(encoding="utf-8")


def test_a_page_has_its_parts_in_order(html):
    page = Page(html)
    assert page.texts["h1"] == page.texts["title"] == ["Four crystals"]
    assert page.texts["h2"] == ["Crystals", "Metrics"]
    assert page.texts["p"][:2] == ["Nucleate", "What this is."]
    assert page.texts["dt"][-4:] == ["Model", "Seed", "Steps", "Nucleate"]
    assert page.texts["dd"][-4:] == ["flowmm-csp", "0", "100", nucleate.__version__]
    assert len(page.data()["crystals"]) == 4


def test_a_page_loads_nothing(html):
    page = Page(html)
    assert not re.search(r"https?:|\bfetch\(|XMLHttpRequest|@import|url\(", html)
    for tag, attributes in page.elements:
        for name in ("src", "href", "action"):
            assert (attributes.get(name) or "data:").startswith("data:"), (tag, attributes)
    policies = [attributes["content"] for _, attributes in page.elements if "http-equiv" in attributes]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"]


def test_what_the_scripts_look_for_is_in_the_page(html):
    scripts = Page(html).texts["script"][-1]
    classes = set(re.findall(r"""querySelector(?:All)?\("\.([a-z]+)""", scripts))
    assert classes == {"tip", "supercell", "data", "grid", "search", "order", "legend", "count", "gallery"}
    assert all(Page(html).with_class(name) for name in classes)
    keys = set(re.findall(r"dataset\.([a-z]+)", scripts))
    assert keys == {"elements", "text", "sort", "index"}
    (card, *_) = Page(html).with_class("card")
    assert all(f"data-{key}" in card for key in keys)
    variables = set(re.findall(r"--([a-z]+):", html))
    assert {"stage", "edge", "ink"} <= variables


def test_a_hostile_title_stays_text(tmp_path):
    write_page(tmp_path / "a.html", title=HOSTILE, summary=HOSTILE, sections=[], facts={HOSTILE: HOSTILE})
    page = Page((tmp_path / "a.html").read_text(encoding="utf-8"))
    assert page.texts["h1"] == page.texts["title"] == [HOSTILE]
    assert [attributes for tag, attributes in page.elements if tag == "script"] == [{"type": "module"}]
    assert page.texts["dd"][0] == HOSTILE


def test_a_page_is_whole_or_absent(tmp_path):
    with pytest.raises(UserError, match="cells in a row"):
        write_page(tmp_path / "a.html", title="a", sections=[Table(["a"], [["b", "c"]])])
    assert list(tmp_path.iterdir()) == []


def test_the_same_crystals_give_the_same_page(crystals, tmp_path):
    for name in ("a.html", "b.html"):
        write_page(tmp_path / name, title="a", sections=[Gallery(crystals)])
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
