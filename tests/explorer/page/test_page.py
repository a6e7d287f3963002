"""What the page shows, in a browser."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from nucleate.elements import reduced_formula
from nucleate.explorer.atlas import Atlas
from nucleate.explorer.page import write_page
from tests.explorer.page.conftest import SIDE, SOURCES

MAP = {"light": (248, 249, 250), "dark": (12, 15, 19)}


def blobs(visit) -> int:
    """Separate spots on the map, without what stands on it."""
    visit.page.add_style_tag(content=".tools-bar, .selection { display: none !important }")
    picture = Image.open(io.BytesIO(visit.page.locator(".points").screenshot())).convert("RGB")
    spots = np.abs(np.asarray(picture).astype(int) - MAP["light"]).sum(-1) > 30
    return ndimage.label(spots, np.ones((3, 3)))[1]


def formula(atlas, row: int) -> str:
    return reduced_formula(atlas.crystals[row].numbers.tolist())


def test_it_opens_without_a_network_and_draws_every_point(visit, atlas):
    assert [url for url in visit.requests if not url.startswith(("file:", "about:", "data:"))] == []
    assert visit.page.title() == atlas.title
    assert visit.status == "360 crystals"
    assert blobs(visit) == 360


def test_twenty_thousand_points_are_twenty_thousand_spots(visits, atlas, tmp_path):
    crystals = atlas.crystals
    rows = np.arange(20_000) % len(crystals)
    places = np.stack(np.unravel_index(np.arange(20_000), (142, 141)), 1).astype(float)
    write_page(Atlas(crystals[rows], ("all",), np.zeros(20_000, dtype=int), places), tmp_path / "map.html")
    assert (tmp_path / "map.html").stat().st_size < 40e6
    visit = visits((tmp_path / "map.html").as_uri(), viewport={"width": 2316, "height": 1900})
    assert blobs(visit) == 20_000


@pytest.mark.parametrize("row", [0, 77, 213, 359])
def test_a_click_shows_the_right_crystal(visit, atlas, on_screen, row):
    visit.page.mouse.click(*on_screen[row])
    visit.wait(f"nucleate.details.row === {row}")
    details = visit.page.locator(".details")
    assert details.locator("h2").inner_text().replace("\n", "") == formula(atlas, row)
    about = details.locator(".sub").inner_text()
    count = int(atlas.crystals.counts[row])
    assert f"{count} atom" in about
    assert SOURCES[atlas.source[row]] in about
    assert atlas.crystals.info["material_id"][row] in about
    shown = visit.state("details.own.cell.crystal")
    assert shown["numbers"] == atlas.crystals[row].numbers.tolist()
    metric = np.array(shown["lattice"]) @ np.array(shown["lattice"]).T  # turned upright, but not changed
    lattice = atlas.crystals.lattice[row].double().numpy()
    assert metric == pytest.approx(lattice @ lattice.T, rel=1e-4, abs=1e-3)
    density = next(p for p in atlas.properties if p.key == "density").values[row]
    assert f"{density:.2f} g/cm³" in details.locator("dl").inner_text()


def test_the_nearest_reference_is_beside_it_or_nothing(visit, atlas):
    visit.select(5)
    reference = atlas.references[int(atlas.nearest[5])]
    assert visit.state("details.other.cell.crystal.numbers") == reference.numbers.tolist()
    caption = visit.page.locator("figcaption").nth(1).inner_text().replace("\n", "")
    assert reduced_formula(reference.numbers.tolist()) in caption
    assert re.search(r"distance ([\d.]+)", caption)[1] == f"{atlas.distance[5]:.3f}"
    visit.select(4)
    assert not visit.page.locator("figcaption").nth(1).is_visible()


def test_cells_turn_together_and_repeat(visit):
    visit.select(5)
    before = visit.state("details.other.cell.turn")
    box = visit.page.locator(".stage canvas").first.bounding_box()
    visit.page.mouse.move(box["x"] + 50, box["y"] + 50)
    visit.page.mouse.down()
    visit.page.mouse.move(box["x"] + 90, box["y"] + 70)
    visit.page.mouse.up()
    assert visit.state("details.other.cell.turn") == visit.state("details.own.cell.turn") != before
    visit.page.get_by_role("button", name="2×2×2").click()
    assert visit.state("details.own.cell.repeats") == 2


@pytest.mark.parametrize("row", [33, 190])
def test_hovering_says_what_is_there(visit, atlas, on_screen, row):
    visit.page.mouse.move(*on_screen[row])
    tooltip = visit.page.locator(".tooltip")
    tooltip.wait_for()
    text = tooltip.inner_text()
    assert text.replace("\n", "").startswith(formula(atlas, row))
    assert SOURCES[atlas.source[row]] in text
    assert f"{atlas.properties[0].values[row]:.2f} g/cm³" in text
    visit.wait("nucleate.tooltip.cell?.visible")
    assert visit.state("tooltip.cell.crystal.numbers") == atlas.crystals[row].numbers.tolist()
    visit.page.mouse.move(SIDE + 3, 890)
    tooltip.wait_for(state="hidden")


def test_colours_follow_the_property(visit, atlas, on_screen):
    density = atlas.properties[0].values
    low, high = int(np.argmin(density)), int(np.argmax(density))
    visit.page.get_by_label("Colour by").select_option("density")
    visit.wait("nucleate.state.colour === 'density'")
    visit.page.wait_for_timeout(100)
    picture = np.asarray(Image.open(io.BytesIO(visit.page.screenshot())).convert("RGB")).astype(int)
    darkest, brightest = (picture[int(y), int(x)] for x, y in on_screen[[low, high]])
    assert darkest == pytest.approx((68, 1, 84), abs=25)  # viridis, from violet to (nearly) yellow
    assert brightest[1] > 180
    assert visit.page.locator(".ramp").get_attribute("aria-label").startswith("Colours from")


def test_names_from_data_are_text(visit, atlas):
    assert visit.page.locator(".source .label").all_inner_texts() == list(SOURCES)
    assert visit.page.locator("h1").inner_text() == atlas.title
    assert visit.page.locator("main b, aside i").filter(has_text="at all").count() == 0


def test_dark_and_light(visits, map_file):
    for scheme in ("dark", "light"):
        visit = visits(map_file.as_uri(), color_scheme=scheme)
        background = "getComputedStyle(document.querySelector('.map')).backgroundColor"
        assert visit.page.evaluate(background) == f"rgb{MAP[scheme]}"
        visit.page.get_by_role("button", name="Light or dark").click()
        other = {"dark": "light", "light": "dark"}[scheme]
        assert visit.page.evaluate(background) == f"rgb{MAP[other]}"
        corner = Image.open(io.BytesIO(visit.page.locator(".points").screenshot())).convert("RGB").getpixel((3, 400))
        assert corner == MAP[other]


def test_on_a_phone_nothing_is_wider_than_the_screen(visits, map_file, atlas):
    visit = visits(map_file.as_uri(), viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    assert visit.page.evaluate("document.documentElement.scrollWidth") == 390
    visit.page.locator(".sheet-button").tap()
    visit.page.get_by_label("Colour by").select_option("mineral")
    visit.page.get_by_role("button", name="Close filters").tap()
    visit.select(5)
    assert visit.page.evaluate("document.documentElement.scrollWidth") == 390
    box = visit.page.locator(".details").bounding_box()
    assert box["width"] == 390
    visit.open("#crystal=6")  # an address that was sent to a phone
    x, y = visit.state("map.toScreen(...nucleate.grid.at(5))")
    top = visit.page.locator(".map").bounding_box()["y"]
    assert 0 < x < 390
    assert 0 < y + top < box["y"], "the selected point is in sight above the sheet"


def test_everything_that_can_be_pressed_has_a_name(visit):
    visit.select(5)
    for summary in visit.page.locator("summary").all():
        summary.click()
    nameless = visit.page.evaluate(
        """() => [...document.querySelectorAll("button, input, select, canvas[tabindex], dialog")].filter((element) => {
          const by = element.getAttribute("aria-labelledby");
          const text = by ? document.getElementById(by)?.textContent : element.getAttribute("aria-label")
            || element.labels?.[0]?.textContent || element.textContent;
          return !text?.trim();
        }).map((element) => element.outerHTML)"""
    )
    assert nameless == []
    assert visit.page.get_by_role("application", name="Map of crystals").count() == 1
