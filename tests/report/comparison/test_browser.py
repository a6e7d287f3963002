"""The page in a browser: it asks for nothing, says values under the pointer, changes axes, fades rows, turns cells."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from nucleate import files
from nucleate.report.comparison.page import write_comparison
from tests.explorer.page.conftest import Visit, browser  # noqa: F401 - a fixture
from tests.report.comparison.conftest import csp, dng, entry

pytestmark = pytest.mark.slow


class Look(Visit):
    """A visit to a page without a map, which is ready once it is there."""

    def open(self, hash_: str = "") -> None:
        """Loads the page."""
        self.page.goto(self.url + hash_)


@pytest.fixture
def url(tmp_path, crystals) -> str:
    files.write(crystals[:3], tmp_path / "samples.extxyz")
    rows = [
        replace(entry(name, dng(value, counts__requested=3)), samples=tmp_path / "samples.extxyz")
        for name, value in (("first", 0.9), ("second", 0.8))
    ]
    write_comparison(tmp_path / "page.html", [*rows, entry("first", csp()), entry("third", csp(0.7))])
    return (tmp_path / "page.html").as_uri()


@pytest.fixture
def visit(browser, url) -> Any:  # noqa: F811
    visit = Look(browser, url)
    yield visit
    assert visit.problems == []
    assert visit.requests == [url]
    visit.context.close()


def opacity(row) -> float:
    """What is left of an element under all that fades it."""
    script = "(e) => { let o = 1; for (; e; e = e.parentElement) o *= getComputedStyle(e).opacity; return o; }"
    return row.evaluate(script)


def test_values_are_under_the_pointer(visit):
    hit = visit.page.locator(".figure:has(h4:text-is('Density')) .hit").nth(1)
    hit.scroll_into_view_if_needed()
    hit.hover()
    bubble = visit.page.locator(".bubble")
    assert bubble.inner_text() == "0.5 to 1 g/cm³: first 30.0 %, reference 50.0 %"
    visit.page.mouse.move(2, 2)
    assert not bubble.is_visible()


def test_axes_and_tables_of_elements_are_chosen(visit):
    tradeoff, elements = visit.page.locator(".switch").all()
    tradeoff.locator("select").nth(0).select_option("cov_precision")
    tradeoff.locator("select").nth(1).select_option("uniqueness")
    shown = [drawing for drawing in tradeoff.locator("[data-key]").all() if drawing.is_visible()]
    assert [drawing.get_attribute("data-key") for drawing in shown] == ["cov_precision|uniqueness"]
    elements.locator("select").nth(0).select_option("reference")
    assert elements.locator(".none").is_visible()
    elements.locator("select").nth(1).select_option("share")
    assert not elements.locator(".none").is_visible()
    assert elements.locator("[data-key='reference|share']").is_visible()


def test_a_row_is_brought_out_with_the_keyboard(visit):
    chip = visit.page.get_by_role("button", name="second")
    chip.focus()
    visit.page.keyboard.press("Enter")
    assert chip.get_attribute("aria-pressed") == "true"
    table = visit.page.locator("#dng-novelty tbody")
    assert opacity(table.locator("tr.row-0 .label")) == pytest.approx(0.16)  # not twice
    assert opacity(table.locator("tr.row-1 .label")) == 1
    visit.page.keyboard.press("Enter")
    assert opacity(table.locator("tr.row-0 .label")) == 1


def test_cell_and_tiling_are_drawn_and_turn_together(visit):
    cell, tiling = visit.page.locator(".pair canvas").all()[:2]
    cell.scroll_into_view_if_needed()
    drawn = "(c) => new Set(new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer)).size"
    visit.wait("document.querySelector('.pair canvas').width > 100")
    assert cell.evaluate(drawn) > 100
    assert tiling.evaluate(drawn) > 100
    before = [canvas.evaluate("(c) => c.toDataURL()") for canvas in (cell, tiling)]
    cell.focus()
    visit.page.keyboard.press("ArrowRight")
    visit.page.wait_for_timeout(300)
    after = [canvas.evaluate("(c) => c.toDataURL()") for canvas in (cell, tiling)]
    assert before[0] != after[0]
    assert before[1] != after[1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_sticks_out(browser, url, scheme):  # noqa: F811
    visit = Look(browser, url, viewport={"width": 390, "height": 844}, color_scheme=scheme)
    assert visit.page.evaluate("document.documentElement.scrollWidth") == 390
    ground = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, ground.removeprefix("rgb(").removesuffix(")").split(","))) > 384) == (scheme == "light")
    assert visit.problems == []
    visit.context.close()
