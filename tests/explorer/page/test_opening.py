"""What happens around the panel of a crystal, and files of crystals whose atoms lie on each other."""

from __future__ import annotations

import re
import zipfile

import numpy as np
import pytest
from pymatgen.core import Structure

from nucleate.crystals import Crystals
from nucleate.explorer.atlas import Atlas
from nucleate.explorer.page import write_page


def test_the_tooltip_goes_when_the_panel_opens(visit, on_screen):
    row = 77
    visit.page.mouse.move(*on_screen[row])
    tooltip = visit.page.locator(".tooltip")
    tooltip.wait_for()
    visit.page.mouse.click(*on_screen[row])
    visit.wait(f"nucleate.details.row === {row}")
    tooltip.wait_for(state="hidden")
    visit.page.mouse.move(*(on_screen[row] + 1))
    visit.page.wait_for_timeout(150)
    assert not tooltip.is_visible(), "the panel says more"


def test_the_map_returns_on_escape(visit, on_screen):
    row = int(np.argmax(on_screen[:, 0]))
    before = visit.state("state.camera")
    visit.select(row)
    visit.wait("nucleate.state.camera.x !== 0")
    visit.select(int(np.argsort(on_screen[:, 0])[-9]))
    visit.page.keyboard.press("Escape")
    visit.page.locator(".details").wait_for(state="hidden")
    assert visit.state("state.camera") == before


def test_a_map_that_was_moved_meanwhile_stays(visit, on_screen):
    visit.select(int(np.argmax(on_screen[:, 0])))
    visit.page.mouse.move(600, 500)
    visit.page.mouse.wheel(0, -200)
    visit.page.wait_for_timeout(100)
    moved = visit.state("state.camera")
    visit.page.keyboard.press("Escape")
    visit.page.locator(".details").wait_for(state="hidden")
    assert visit.state("state.camera") == moved


@pytest.fixture(scope="module")
def close(visits, prototypes, tmp_path_factory):
    """Three crystals; in the second two atoms are 0.0002 Å apart across the border of the cell, in the third 0.2 Å."""
    places = [[[0, 0, 0], [0.5, 0.5, 0.5]], [[0.99999, 0.5, 0.5], [0.00003, 0.5, 0.5]], [[0, 0, 0], [0.05, 0, 0]]]
    crystals = Crystals.build([[11, 17]] * 3, places, [4 * np.eye(3)] * 3)
    path = tmp_path_factory.mktemp("close") / "map.html"
    write_page(Atlas(crystals, ("a",), np.zeros(3, dtype=int), np.eye(3)[:, :2]), path)
    return visits(path.as_uri())


@pytest.mark.filterwarnings("ignore::UserWarning")  # pymatgen says why it refuses
def test_atoms_on_each_other_are_counted_and_noted_in_the_file(close, tmp_path):
    close.open()
    with close.page.expect_download() as download:
        close.page.locator(".save-cif").click()
    download.value.save_as(tmp_path / "all.zip")
    note = close.page.locator(".selection .note")
    note.wait_for()
    assert note.inner_text().startswith("1 of 3 has atoms within 0.1 Å of each other")
    texts = {}
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        for name in archive.namelist():
            texts[int(name[:6])] = archive.read(name).decode()
    assert [number for number, text in sorted(texts.items()) if "# note: two atoms are" in text] == [2]
    assert float(re.search(r"are ([\d.]+) angstrom", texts[2])[1]) == pytest.approx(4 * 0.00004, abs=1e-4)
    assert len(Structure.from_str(texts[1], fmt="cif")) == 2
    with pytest.raises(ValueError, match="Invalid CIF file"):
        Structure.from_str(texts[2], fmt="cif")
    with close.page.expect_download():
        close.page.locator(".save-extxyz").click()
    note.wait_for(state="hidden")


@pytest.mark.parametrize(("row", "warned"), [(0, False), (1, True), (2, False)])
def test_the_panel_warns_of_such_a_crystal(close, row, warned):
    close.open()
    close.select(row)
    warning = close.page.locator(".warning")
    assert warning.is_visible() == warned
    if warned:
        assert "0.000 Å apart" in warning.text_content()
