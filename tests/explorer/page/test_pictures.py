"""The map on paper and as a picture, in a browser."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from tests.explorer.page.described import HOSTILE, SOURCES

NAMES = {name if len(name) <= 24 else f"{name[:23]}…" for name in SOURCES}
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def visit(shared_described):
    shared_described.page.emulate_media(media="screen")
    shared_described.open("#colour=cluster")
    return shared_described


def texts(visit) -> list[str]:
    return visit.page.locator(".print text").all_text_contents()


def test_on_paper_there_is_a_title_a_legend_and_the_map_at_full_width(visit):
    visit.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    visit.page.emulate_media(media="print")
    assert not visit.page.locator("#app").is_visible()
    sheet = visit.page.locator(".print > svg").bounding_box()
    assert sheet["width"] > 0.95 * 1400
    found = texts(visit)
    assert {HOSTILE[1], "Cluster", "unknown", "Sources", *NAMES} <= set(found)
    image = visit.page.locator(".print image")
    assert image.get_attribute("href").startswith("data:image/png")
    visit.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert visit.page.locator(".print svg").count() == 0


def test_paper_is_white_in_the_dark(visit):
    visit.page.keyboard.press("t")
    visit.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    fill = visit.page.locator(".print > svg > text").first.get_attribute("fill")
    assert fill == "#15202b"
    visit.page.keyboard.press("t")


def test_a_picture_is_saved(visit, tmp_path):
    with visit.page.expect_download() as download:
        visit.page.keyboard.press("p")
    download.value.save_as(tmp_path / "map.png")
    assert download.value.suggested_filename == "script_script_alert_1_script.png"
    picture = Image.open(tmp_path / "map.png").convert("RGB")
    assert picture.width == 3200
    pixels = np.asarray(picture).reshape(-1, 3)
    table = np.array(visit.state("colours().table"))
    for code in range(8):
        assert (np.abs(pixels - table[code]).max(1) <= 1).sum() > 500, "each kind on the map and in the legend"
    legend = np.asarray(picture)[240:, 2500:]
    assert (legend.min(-1) < 90).sum() > 1000, "text"


def test_a_drawing_is_saved_with_every_point(visit, tmp_path):
    with visit.page.expect_download() as download:
        visit.page.get_by_role("button", name="Save picture").click()
        visit.page.get_by_role("button", name="SVG").click()
    download.value.save_as(tmp_path / "map.svg")
    tree = ET.parse(tmp_path / "map.svg")  # noqa: S314 - our own
    assert len(tree.findall(f".//{SVG}use")) == 360
    assert {HOSTILE[1], *NAMES} <= {one.text for one in tree.iter(f"{SVG}text")}
    assert not list(tree.iter(f"{SVG}script"))


def test_a_plot_is_saved_with_its_axes(visit, tmp_path):
    visit.open("#x=wide&y=band_gap&log=x&colour=band_gap")
    with visit.page.expect_download() as download:
        visit.page.get_by_role("button", name="Save picture").click()
        visit.page.get_by_role("button", name="SVG").click()
    download.value.save_as(tmp_path / "map.svg")
    found = [one.text for one in ET.parse(tmp_path / "map.svg").iter(f"{SVG}text")]  # noqa: S314 - our own
    assert {"Wide", "Band gap (eV)", "10⁴", "linear scale", "unknown"} <= set(found)
