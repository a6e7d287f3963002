from __future__ import annotations

import re

import pytest
from ase.data import covalent_radii

from nucleate.drawing.colours import UNKNOWN_COLOUR, ball_radius, colour, covalent_radius, rgb
from nucleate.elements import MAX_NUMBER, NUMBERS


def test_radii_are_those_of_ase_which_took_them_from_the_same_paper():
    assert [covalent_radius(z) for z in range(1, 97)] == pytest.approx(covalent_radii[1:97].tolist())


def test_every_element_has_a_colour_and_a_ball():
    for z in range(1, 119):
        assert re.fullmatch("#[0-9A-F]{6}", colour(z))
        assert 0.2 < ball_radius(z) < 1.2
    assert all(colour(z) != UNKNOWN_COLOUR for z in range(1, MAX_NUMBER + 1))
    assert colour(103) == colour(118) == UNKNOWN_COLOUR


def test_familiar_elements_have_their_familiar_hues():
    red, green, blue = rgb(NUMBERS["O"])
    assert red > 2 * max(green, blue)
    red, green, blue = rgb(NUMBERS["N"])
    assert blue > 1.5 * max(red, green)
    assert max(rgb(NUMBERS["C"])) < 0.5 < min(rgb(NUMBERS["H"]))
