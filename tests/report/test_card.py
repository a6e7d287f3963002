from __future__ import annotations

import json

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from nucleate.crystals import Crystals
from nucleate.report.card import Card
from tests.report.conftest import Page

DETAILS = {"score": "Score", "space_group": "Space group"}


def test_a_card_knows_what_pymatgen_knows():
    structure = Structure(Lattice.from_parameters(4.1, 5.2, 6.3, 80, 95, 110), ["Ba", "Ti", "O"], np.eye(3) / 3)
    crystal = Crystals.build([[56, 22, 8]], [structure.frac_coords], [structure.lattice.matrix])
    card = Card.of(0, crystal, {})
    assert card.rows == {
        "a, b, c": "4.100  5.200  6.300 Å",
        "α, β, γ": "80.0°  95.0°  110.0°",
        "Volume per atom": f"{structure.volume / 3:.2f} Å³",
        "Density": f"{structure.density:.2f} g/cm³",
    }
    assert card.sort == {
        "Formula": "BaTiO",
        "Volume per atom": pytest.approx(structure.volume / 3),
        "Density": pytest.approx(structure.density, rel=1e-4),
    }


def test_a_card_shows_its_crystal(crystals):
    page = Page(Card.of(2, crystals[2], DETAILS).html("cifs/3.cif"))
    assert page.texts["h3"] == ["TiO2"]
    assert page.texts["sub"] == ["2", "2", "4"]
    assert page.texts["p"] == ["Ti2O4 · 6 atoms"]
    assert page.texts["dd"][-2:] == ["0.25", "P4_2/mnm (136)"]
    (card,) = page.with_class("card")
    assert card["data-elements"] == "O Ti"
    assert json.loads(card["data-sort"] or "")["Score"] == 0.25
    (link,) = [attributes for tag, attributes in page.elements if tag == "a"]
    assert link == {"href": "cifs/3.cif", "download": "TiO2-3.cif"}
    assert len([tag for tag, _ in page.elements if tag == "canvas"]) == 1


def test_a_failed_crystal_has_a_reason_and_no_canvas_link_or_blanks(crystals):
    page = Page(Card.of(3, crystals[3], DETAILS).html(""))
    assert page.texts["h3"] == ["No crystal"]
    assert page.texts["p"] == ["No pictureunparseable"]
    assert not {"canvas", "a", "dl", "button"} & {tag for tag, _ in page.elements}


def test_absent_columns_are_left_out_and_numbers_can_be_sorted(rutile):
    card = Card.of(0, rutile.with_info(score=[float("nan")], found=np.array([3])), {**DETAILS, "found": "Found"})
    assert card.rows["Score"] == "–"
    assert card.rows["Found"] == "3"
    assert "Space group" not in card.rows
    assert card.sort["Found"] == 3
    assert "Score" not in card.sort


def test_an_element_beyond_the_table_of_masses_has_no_density():
    assert "Density" not in Card.of(0, Crystals.build([[103]], [[[0, 0, 0]]], [3 * np.eye(3)]), {}).rows
