"""Colours, opacity, size, order and axes, in a browser."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.path import Path as Line
from PIL import Image

from nucleate.explorer.atlas import Atlas, Property
from nucleate.explorer.page import write_page
from tests.explorer.page.conftest import HEIGHT, SIDE, WIDTH
from tests.explorer.page.described import HOSTILE

AT = "nucleate.map.toScreen(...nucleate.grid.at(row))"
LEFT, BOTTOM = 64, 48  # pixels of the axes


@pytest.fixture
def visit(shared_described):
    shared_described.open()
    return shared_described


@pytest.fixture(scope="module")
def atlas(described_atlas):
    return described_atlas


def values(atlas, key: str) -> np.ndarray:
    return next(prop.values for prop in atlas.properties if prop.key == key)


def colour(visit, key: str) -> None:
    visit.page.get_by_label("Colour by").select_option(key)
    visit.wait(f"nucleate.state.colour === '{key}'")
    visit.page.wait_for_timeout(60)


def codes(visit, n: int = 360) -> np.ndarray:
    """The colour of each point, by row."""
    points = visit.page.evaluate("({row: [...nucleate.map.points.row], code: [...nucleate.map.points.code]})")
    found = np.full(n, -1)
    found[points["row"]] = points["code"]
    return found


def order(visit) -> list[int]:
    return visit.page.evaluate("[...nucleate.map.points.row.slice(0, nucleate.map.size)]")


def test_numbers_of_many_decades_are_coloured_by_their_logarithm(visit, atlas):
    colour(visit, "wide")
    assert visit.page.get_by_label("Colour scale").locator("option").first.inner_text() == "auto: log"
    wide = np.log10(values(atlas, "wide"))
    expected = (wide - wide.min()) / (wide.max() - wide.min()) * 253
    assert np.abs(codes(visit) - expected).max() <= 1
    assert len(set(codes(visit))) > 100
    visit.page.get_by_label("Colour scale").select_option("linear")
    visit.wait("nucleate.state.scale === 'linear'")
    assert (codes(visit) < 3).mean() > 0.7, "what it was before"


def test_heavy_tails_are_coloured_by_rank(visit, atlas):
    colour(visit, "tailed")
    assert visit.page.get_by_label("Colour scale").locator("option").first.inner_text() == "auto: quantile"
    rank = np.argsort(np.argsort(values(atlas, "tailed")))
    assert np.abs(codes(visit) - rank / 359 * 253).max() <= 1
    log = visit.page.get_by_label("Colour scale").locator("option[value=log]")
    assert log.is_disabled(), "some of these numbers are not positive"
    visit.open(f"{visit.address()}&scale=log")
    assert visit.page.get_by_label("Colour scale").input_value() == "linear"


def test_equal_numbers_have_equal_colours_whatever_the_scale(visit, atlas):
    colour(visit, "band_gap")
    gap = values(atlas, "band_gap")
    for scale in ("linear", "quantile"):
        visit.page.get_by_label("Colour scale").select_option(scale)
        visit.wait(f"nucleate.state.scale === '{scale}'")
        found = codes(visit)
        assert len(set(found[gap == 0])) == 1
        assert set(found[np.isnan(gap)]) == {255}
        known = ~np.isnan(gap)
        assert (np.diff(found[known][np.argsort(gap[known])]) >= 0).all()


def test_clipping_can_be_switched_off(visits, prototypes, tmp_path):
    spread = np.concatenate([np.linspace(0, 1, 355), [-3, 4, 5, 6, 7]])
    places = np.random.default_rng(0).random((360, 2))
    atlas = Atlas(prototypes, ("a",), np.zeros(360, dtype=int), places, (Property("p", "p", spread),))
    write_page(atlas, tmp_path / "map.html")
    visit = visits((tmp_path / "map.html").as_uri())
    colour(visit, "p")
    clipped = codes(visit)
    assert np.ptp(clipped[:355]) > 40
    assert "≥" in visit.page.locator(".ticks").inner_text()
    box = visit.page.get_by_label("one colour for the outermost 1 %")
    assert box.is_checked()
    box.uncheck()
    visit.wait("nucleate.state.clip === false")
    np.testing.assert_allclose(codes(visit), (spread + 3) / 10 * 253, atol=1)
    assert "≥" not in visit.page.locator(".ticks").inner_text()
    address = visit.address()
    visit.open(address)
    np.testing.assert_allclose(codes(visit), (spread + 3) / 10 * 253, atol=1)


@pytest.mark.parametrize("name", ["viridis", "cividis", "magma", "plasma"])
def test_palettes_are_those_of_matplotlib(visit, name):
    colour(visit, "wide")
    visit.page.get_by_label("Palette").select_option(name)
    theme = visit.state("theme")
    table = np.array(visit.state("colours().table"))[:254]
    map_ = (colormaps[name](np.linspace(0, 1, 512))[:, :3] * 255).round()
    far = np.abs(table[:, None] - map_).max(-1).min(1)
    assert far.max() <= 6, "each colour is one of the palette"
    assert theme == "light"
    visit.page.get_by_role("button", name="Reverse the colours").click()
    np.testing.assert_allclose(np.array(visit.state("colours().table"))[:254], table[::-1], atol=1e-6)
    stops = visit.page.locator(".ramp").get_attribute("style")
    first = [int(part) for part in re.search(r"rgb\((\d+),? (\d+),? (\d+)\)", stops).groups()]
    np.testing.assert_allclose(first, table[-1], atol=1)


def pixel(visit, row: int) -> np.ndarray:
    visit.page.wait_for_timeout(80)
    x, y = visit.state(f"map.toScreen(...nucleate.grid.at({row}))")
    picture = Image.open(io.BytesIO(visit.page.screenshot())).convert("RGB")
    return np.array(picture.getpixel((round(SIDE + x), round(y))), dtype=float)


def test_opacity_and_size(visit, atlas):
    row = int(np.argmin(np.abs(visit.page.evaluate("[...nucleate.grid.positions]")).reshape(-1, 2).sum(1)))
    full, paper = pixel(visit, row), np.array([248, 249, 250.0])
    visit.page.get_by_label("Opacity").fill(str(np.log(0.25)))
    visit.wait("Math.abs(nucleate.state.opacity - 0.25) < 0.01")
    np.testing.assert_allclose(pixel(visit, row), paper + 0.25 * (full - paper), atol=4)
    radius = visit.state("map.radius")
    visit.page.get_by_label("Size").fill(str(np.log(2)))
    visit.wait("Math.abs(nucleate.state.size - 2) < 0.01")
    assert visit.state("map.radius") == pytest.approx(2 * radius, rel=0.01)
    visit.open(visit.address())
    assert visit.state("state.opacity") == pytest.approx(0.25, abs=0.01)
    assert visit.state("map.radius") == pytest.approx(2 * radius, rel=0.01)


def test_sources_are_mixed_and_the_one_pointed_at_is_in_front(visit, atlas):
    source = atlas.source[order(visit)]
    runs = np.flatnonzero(np.diff(source)).size
    assert runs > 150, "no source lies over another"
    visit.page.locator(".sources .row").nth(1).hover()
    visit.wait("nucleate.ahead?.code === 1")
    size = int((atlas.source == 1).sum())
    assert (atlas.source[order(visit)[-size:]] == 1).all()
    assert sorted(order(visit)) == list(range(360))
    visit.page.mouse.move(900, 500)
    visit.wait("nucleate.ahead === null")
    assert (atlas.source[order(visit)] == source).all()
    visit.page.get_by_role("button", name=f"{HOSTILE[0]} in front").click(force=True)
    visit.page.mouse.move(900, 500)
    visit.wait("nucleate.ahead === null")
    assert (atlas.source[order(visit)[-size:]] == 1).all()
    visit.open(visit.address())
    assert (atlas.source[order(visit)[-size:]] == 1).all()


def on_page(visit, rows) -> np.ndarray:
    """Where some points are in the window."""
    places = visit.page.evaluate(f"{[int(row) for row in rows]}.map((row) => {AT})")
    return np.array(places) + np.array([SIDE, 0])


def axes(visit, x: str = "", y: str = "") -> None:
    visit.page.get_by_label("Across", exact=True).select_option(x)
    visit.page.get_by_label("Up", exact=True).select_option(y)
    visit.wait(f"nucleate.state.axes.x === '{x}' && nucleate.state.axes.y === '{y}' && nucleate.view.key !== ''")


def test_two_properties_against_each_other(visit, atlas):
    gap, wide = values(atlas, "band_gap"), np.log10(values(atlas, "wide"))
    axes(visit, "band_gap", "wide")
    visit.page.get_by_label("Up axis logarithmic").check()
    visit.wait("nucleate.state.axes.logy === true && nucleate.view.axes.y.log")
    places = np.array(visit.page.evaluate("[...nucleate.grid.positions].map(String)"), dtype=float).reshape(-1, 2)
    known = ~np.isnan(gap)
    assert (np.isnan(places).all(1) == ~known).all()
    for place, value in ((places[known, 0], gap[known]), (places[known, 1], wide)):
        if len(value) != known.sum():
            value = value[known]
        fit = np.polyfit(value, place, 1)
        np.testing.assert_allclose(place, np.polyval(fit, value), atol=1e-5)
        assert fit[0] > 0
    assert visit.state("rowsShown()") == np.flatnonzero(known).tolist()
    assert (
        f"{int((~known).sum())} crystals of 360 without a value"
        in visit.page.locator(".axes-choice .note").inner_text()
    )
    assert visit.status == f"{known.sum()} of 360 crystals shown, {(~known).sum()} more have no place here"
    visit.state("set({query: 'band_gap=unknown'})")
    assert visit.status == f"0 of 360 crystals shown, {(~known).sum()} more have no place here"
    assert visit.page.locator(".name-x").text_content() == "Band gap (eV)"
    assert visit.page.locator(".name-y").text_content() == "Wide"


def number(text: str) -> float:
    text = text.replace("−", "-").replace(",", "")
    power = re.fullmatch(r"10([⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)", text)
    if power is None:
        return float(text)
    return 10.0 ** int(power[1].translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")))


def test_ticks_stand_where_their_numbers_are_also_after_zooming(visit, atlas):
    gap, wide = values(atlas, "band_gap"), values(atlas, "wide")
    axes(visit, "band_gap", "wide")
    visit.page.get_by_label("Up axis logarithmic").check()
    visit.wait("nucleate.view.axes?.y.log === true")
    for _ in range(2):
        visit.page.wait_for_timeout(100)
        rows = np.flatnonzero(~np.isnan(gap))
        at = on_page(visit, rows[:40]) - np.array([SIDE, 0])
        for side, k, data in (("x", 0, gap[rows[:40]]), ("y", 1, np.log10(wide[rows[:40]]))):
            fit = np.polyfit(data, at[:, k], 1)
            ticks = visit.page.locator(f".tick-{side}")
            assert ticks.count() >= 3
            for tick in ticks.all():
                value = number(tick.text_content())
                place = float(tick.get_attribute(side)) - (4 if side == "y" else 0)
                assert place == pytest.approx(np.polyval(fit, np.log10(value) if side == "y" else value), abs=0.6)
        visit.page.mouse.move(SIDE + 500, 420)
        visit.page.mouse.wheel(0, -500)


def test_selection_search_and_clicks_work_on_a_plot_and_the_address_keeps_it(visit, atlas):
    gap, wide = values(atlas, "band_gap"), values(atlas, "wide")
    axes(visit, "band_gap", "wide")
    visit.page.get_by_label("Up axis logarithmic").check()
    visit.wait("nucleate.view.axes?.y.log === true")
    visit.page.locator("#search").fill("band_gap>0.5")
    visit.wait("nucleate.state.query !== ''")
    visit.page.locator(".points").focus()
    known = np.flatnonzero(gap > 0.5)
    at = on_page(visit, known)
    turn = np.linspace(0, 2 * np.pi, 30)
    line = np.median(at, 0) + np.stack([230 * np.cos(turn), 170 * np.sin(turn)], 1)
    visit.page.keyboard.press("l")
    visit.page.mouse.move(*line[0])
    visit.page.mouse.down()
    for point in line[1:]:
        visit.page.mouse.move(*point)
    visit.page.mouse.up()
    visit.wait("nucleate.selected !== null")
    expected = known[Line(line).contains_points(at)].tolist()
    assert 5 < len(expected) < len(known)
    assert visit.page.evaluate("[...nucleate.selected]") == expected
    address = visit.address()
    assert "x=band_gap" in address
    assert "log=y" in address
    visit.open(address)
    assert visit.page.evaluate("[...nucleate.selected]") == expected
    visit.page.locator(".tick-x").nth(2).wait_for(state="attached")
    visit.page.get_by_role("button", name="Back to the map").click()
    visit.wait("nucleate.view.key === ''")
    assert visit.page.evaluate("[...nucleate.selected]") == expected, "a selection lasts when the axes change"
    assert visit.page.locator(".lasso").get_attribute("d") == ""
    visit.open(visit.address())
    assert visit.page.evaluate("[...nucleate.selected]") == expected
    assert len(wide) == 360


def test_a_click_on_a_plot_opens_what_is_there(visit, atlas):
    axes(visit, "number", "wide")
    row = 200
    others = on_page(visit, range(360))
    x, y = others[row]
    nearest = int(np.argmin(np.hypot(*(others - [x, y]).T)))
    visit.page.mouse.click(x, y)
    visit.wait(f"nucleate.details.row === {nearest}")
    assert "Near it on the plot" in visit.page.locator(".near").inner_text()


def test_a_plot_hides_none_of_its_points_behind_bars(visit):
    axes(visit, "wide", "tailed")
    found = on_page(visit, range(360))
    for name in (".tools-bar", ".selection"):
        box = visit.page.locator(name).bounding_box()
        inside = (found > [box["x"], box["y"]]) & (found < [box["x"] + box["width"], box["y"] + box["height"]])
        assert not inside.all(1).any(), name
    assert (found > [SIDE + LEFT, 0]).all()
    assert (found < [WIDTH, HEIGHT - BOTTOM]).all()


def test_an_address_with_axes_that_are_not_here_is_the_map(visit):
    visit.open("#x=nothing&y=cluster&log=xy&opacity=7&size=-1&palette=jet&scale=cubic&front=who&unknown.who=yes")
    assert visit.state("view.key") == ""
    assert visit.state("state.opacity") == 1
    assert visit.status == "360 crystals"
