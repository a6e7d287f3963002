from __future__ import annotations

import sys

import numpy as np
import pytest
from PIL import Image

from nucleate.crystals import Crystals
from nucleate.errors import UserError
from nucleate.report.cells import contact_sheet, draw_cell, formula_title
from nucleate.report.plotting import figure

TILE = (330, 384)  # pixels: 2.2 inches, and 0.36 more for the title, at 150 dots an inch


def test_a_sheet_has_a_tile_for_each_crystal(crystals, tmp_path):
    contact_sheet(crystals, tmp_path / "cells.png", columns=2)
    picture = Image.open(tmp_path / "cells.png")
    assert picture.size == (2 * TILE[0], 2 * TILE[1])
    pixels = np.asarray(picture.convert("RGB")).reshape(2, TILE[1], 2, TILE[0], 3)
    colours = [[len(np.unique(pixels[i, :, j].reshape(-1, 3), axis=0)) for j in range(2)] for i in range(2)]
    assert min(colours[0][0], colours[0][1], colours[1][0]) > 1000
    assert 2 < colours[1][1] < 300  # the failed one is grey and holds a few words
    assert [path.name for path in tmp_path.iterdir()] == ["cells.png"]


def test_the_same_crystals_give_the_same_bytes(rutile, tmp_path):
    for name in ("a.png", "b.png"):
        contact_sheet(rutile, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert Image.open(tmp_path / "a.png").size == TILE  # no empty columns


def test_titles_are_formulas_unless_they_are_given(crystals):
    assert [formula_title(crystal) for crystal in crystals] == ["NaCl", "SrTiO₃", "TiO₂", "–"]
    ax = figure(1, 1).add_axes((0, 0, 1, 1))
    draw_cell(ax, crystals[1], pixels=20)
    assert ax.get_title() == "SrTiO₃"
    draw_cell(ax, crystals[1], "$x_1$ \\ as it is", pixels=20)
    assert ax.get_title() == "$x_1$ \\ as it is"


def test_long_titles_are_made_small_and_cut():
    sheet = figure(1, 1)
    ax = sheet.add_axes((0, 0, 1, 1))
    draw_cell(ax, Crystals.failed(["x" * 1000]), "very long " * 20)
    assert len(ax.get_title()) == 44
    assert ax.title.get_fontsize() == 6
    sheet.draw_without_rendering()


def test_left_handed_and_single_precision_cells_are_drawn(rutile):
    ax = figure(1, 1).add_axes((0, 0, 1, 1))
    mirrored = Crystals(rutile.numbers, rutile.frac.float(), -rutile.lattice.float(), rutile.counts)
    draw_cell(ax, mirrored, pixels=20)
    assert ax.images[0].get_array().shape == (20, 20, 4)


def test_one_cell_at_a_time(crystals):
    with pytest.raises(ValueError, match="not 4"):
        draw_cell(figure(1, 1).add_axes((0, 0, 1, 1)), crystals)


def test_bad_requests_are_refused_in_one_line(rutile, tmp_path):
    with pytest.raises(UserError, match="at least one crystal"):
        contact_sheet(Crystals.empty(), tmp_path / "a.png")
    with pytest.raises(UserError, match="2 titles for 1 crystals"):
        contact_sheet(rutile, tmp_path / "a.png", ["a", "b"])
    with pytest.raises(UserError, match="no format of pictures"):
        contact_sheet(rutile, tmp_path / "a.cif")
    assert list(tmp_path.iterdir()) == []


def test_without_matplotlib_the_user_is_told_what_to_install(rutile, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(UserError, match=r"pip install 'nucleate\[plots\]'"):
        contact_sheet(rutile, tmp_path / "a.png")
