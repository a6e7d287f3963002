"""Columns of the files on the page: coloured, filtered, shown and saved, and unknown where a source lacks them."""

from __future__ import annotations

import re
import threading
from collections import Counter

import ase.io
import numpy as np
import pytest

from nucleate.explorer.page.payload import MISSING_KIND
from nucleate.explorer.serve import make_server
from tests.explorer.page.described import HOSTILE, SOURCES


@pytest.fixture
def visit(shared_described):
    shared_described.open()
    return shared_described


@pytest.fixture(scope="module")
def atlas(described_atlas):
    return described_atlas


def values(atlas, key: str) -> np.ndarray:
    return next(prop.values for prop in atlas.properties if prop.key == key)


def shown(visit) -> list[int]:
    return visit.state("rowsShown()")


def open_filter(visit, label: str):
    panel = visit.page.locator(".filters details").filter(has=visit.page.locator("summary .label", has_text=label))
    panel.locator("summary").click()
    return panel


def box(panel, name: str):
    return panel.locator("label.kind").filter(has_text=re.compile(f"^{name}")).locator("input")


def rows(mask) -> list[int]:
    return np.flatnonzero(mask).tolist()


def test_every_column_is_in_the_menu_of_colours_but_for_free_text(visit, atlas):
    options = visit.page.locator("#colour option").evaluate_all("all => all.map((one) => one.value)")
    assert options == ["source", *(prop.key for prop in atlas.properties if prop.key != "note")]
    groups = visit.page.locator("#colour optgroup").evaluate_all("all => all.map((one) => one.label)")
    assert groups == ["Computed", "Columns of the files"]
    filters = visit.page.locator(".filters summary .label").all_inner_texts()
    assert [text.casefold() for text in filters] == [prop.label.casefold() for prop in atlas.properties]


def test_the_page_holds_what_the_columns_say(visit, atlas):
    visit.state(f"store.load({[f'property{i}' for i in range(len(atlas.properties))]})")
    for i, prop in enumerate(atlas.properties):
        about = visit.state(f"store.header.properties[{i}]")
        if about["type"] == "number":
            found = np.array(visit.page.evaluate(f"[...nucleate.store.column('property{i}')].map(String)"), dtype=float)
            np.testing.assert_allclose(found, prop.values.astype(float), rtol=1e-6)
        elif about["type"] == "text":
            assert visit.state(f"store.lines('property{i}')") == list(prop.values)
        else:
            codes = visit.page.evaluate(f"[...nucleate.store.column('property{i}')]")
            names = [None if code == MISSING_KIND else about["kinds"][code] for code in codes]
            expected = [{True: "yes", False: "no", None: None, "": None}.get(value, value) for value in prop.values]
            assert names == expected
    assert visit.state("store.column('property6').constructor.name") == "Float64Array"


def test_kinds_without_a_colour_and_unknown_ones_have_two_greys(visit, atlas):
    visit.page.get_by_label("Colour by").select_option("cluster")
    visit.wait("nucleate.state.colour === 'cluster' && document.querySelectorAll('.key').length > 8")
    cluster = values(atlas, "cluster")
    sizes = Counter(cluster[cluster != ""])
    order = sorted(sizes, key=lambda name: (-sizes[name], name))
    keys = visit.page.locator(".legend .key")
    assert keys.all_inner_texts() == [*order[:8], f"{len(order) - 8} others", "unknown"]
    greys = keys.locator(".dot").evaluate_all("all => all.map((one) => getComputedStyle(one).backgroundColor)")
    assert len(set(greys)) == 10
    keys.last.click()
    visit.wait("nucleate.state.unknown.size === 1")
    assert shown(visit) == rows(cluster == "")
    keys.nth(8).click()
    visit.wait("nucleate.state.kinds.cluster?.size > 0")
    assert shown(visit) == rows([name == "" or name in order[8:] for name in cluster])
    address = visit.address()
    visit.open(address)
    assert shown(visit) == rows([name == "" or name in order[8:] for name in cluster])


def test_unknown_numbers_are_let_in_or_asked_for(visit, atlas):
    gap = values(atlas, "band_gap")
    panel = open_filter(visit, "Band gap")
    box(panel, "unknown").check()
    visit.wait("nucleate.state.unknown.has('band_gap')")
    assert shown(visit) == rows(np.isnan(gap))
    panel.get_by_label("Band gap from").fill("2")
    visit.page.keyboard.press("Enter")
    visit.wait("nucleate.state.ranges.band_gap?.[0] === 2")
    assert shown(visit) == rows(np.isnan(gap) | (gap >= 2))
    box(panel, "unknown").uncheck()
    box(panel, "known").uncheck()
    visit.wait("!nucleate.state.ranges.band_gap && !nucleate.state.unknown.size")
    assert len(shown(visit)) == 360
    box(panel, "known").check()
    visit.wait("Boolean(nucleate.state.ranges.band_gap)")
    assert shown(visit) == rows(~np.isnan(gap))
    visit.open(visit.address())
    assert shown(visit) == rows(~np.isnan(gap))


def test_free_text_is_filtered_by_what_it_has(visit, atlas):
    note = values(atlas, "note")
    panel = open_filter(visit, HOSTILE[0])
    panel.locator("input[type=search]").fill("oslo")
    visit.wait("nucleate.state.texts.note === 'oslo'")
    assert shown(visit) == rows(["Oslo" in text for text in note])
    assert f"{len(set(note) - {''})} different texts: searched, not coloured" in panel.inner_text()
    box(panel, "unknown").check()
    visit.wait("nucleate.state.unknown.size === 1")
    assert shown(visit) == rows([text == "" or "Oslo" in text for text in note])
    visit.open(visit.address())
    assert shown(visit) == rows([text == "" or "Oslo" in text for text in note])
    visit.page.get_by_role("button", name="Clear all").click()
    visit.wait("nucleate.shownCount === 360")


def test_a_panel_shows_every_column(visit, atlas):
    row = int(np.flatnonzero((values(atlas, "note") != "") & np.isnan(values(atlas, "band_gap")))[0])
    visit.select(row)
    terms = visit.page.locator(".details dt").all_inner_texts()
    texts = visit.page.locator(".details dd").all_inner_texts()
    found = {term.casefold(): text for term, text in zip(terms, texts, strict=True)}
    assert {prop.label.casefold() for prop in atlas.properties} <= set(found)
    assert found["band gap"] == "unknown"
    assert found[HOSTILE[0].casefold()] == values(atlas, "note")[row]
    assert found["number"] == f"{2**40 + row:,}"


def test_every_column_is_in_the_files(visit, atlas, tmp_path):
    with visit.page.expect_download() as download:
        visit.page.locator(".save-extxyz").click()
    download.value.save_as(tmp_path / "all.extxyz")
    frames = ase.io.read(tmp_path / "all.extxyz", index=":")
    assert [atoms.info["source"] for atoms in frames] == [SOURCES[i].replace('"', "'") for i in atlas.source]
    gap = np.array([atoms.info.get("band_gap", np.nan) for atoms in frames])
    np.testing.assert_allclose(gap, values(atlas, "band_gap"), rtol=1e-6)
    assert [atoms.info["number"] for atoms in frames] == values(atlas, "number").tolist()
    for key in ("note", "cluster"):
        texts = [text.replace('"', "'") for text in values(atlas, key)]
        assert [atoms.info.get(key, "") for atoms in frames] == texts


def test_what_is_left_out_is_on_the_page(visit):
    assert (
        f"Columns left out: raw {HOSTILE[0]} (would take 3.1 MB)" in visit.page.locator(".filters .note").inner_text()
    )


def test_nothing_of_strangers_becomes_an_element(visit):
    visit.page.get_by_label("Colour by").select_option("cluster")
    visit.select(1)
    for summary in visit.page.locator("summary").all():
        summary.click()
    visit.page.wait_for_timeout(200)
    assert visit.page.locator("#app img, #app script, #app b >> text=bold").count() == 0
    visit.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert visit.page.locator(".print img, .print script").count() == 0
    assert visit.page.locator(".print svg").count() > 0


def test_a_source_with_a_bar_in_its_name_stays_hidden(visit, atlas):
    visit.page.get_by_role("button", name=SOURCES[0], exact=False).first.click()
    visit.page.get_by_role("button", name=SOURCES[2], exact=False).first.click()
    visit.wait("nucleate.state.off.size === 2")
    address = visit.address()
    visit.open(address)
    assert shown(visit) == rows(atlas.source == 1)
    visit.open("#hide=a|b, c")  # as an older page wrote it, which nobody can read
    assert len(shown(visit)) == 360


@pytest.mark.parametrize("name", HOSTILE)
def test_kinds_of_any_name_are_in_the_address(visit, atlas, name):
    cluster = values(atlas, "cluster")
    code = visit.state(f"store.header.properties[9].kinds.indexOf({name!r})")
    visit.state(f"set({{kinds: {{cluster: new Set([{code}])}}}})")
    visit.open(visit.address())
    assert shown(visit) == rows(cluster == name) != []


def test_a_server_sends_columns_as_they_are_asked_for(visits, atlas):
    with make_server(atlas, port=0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            visit = visits(f"http://127.0.0.1:{server.server_address[1]}/")
            found = [i for i, text in enumerate(values(atlas, "note")) if "Oslo" in text and i > 100]
            visit.open(f"#search=oslo number>{2**40 + 100}")
            assert shown(visit) == found
            visit.open("#unknown.band_gap=yes&x=wide&y=tailed&log=x&colour=cluster")
            assert shown(visit) == rows(np.isnan(values(atlas, "band_gap")))
        finally:
            server.shutdown()
