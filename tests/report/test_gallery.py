from __future__ import annotations

import json
from base64 import b64decode

import numpy as np
import pytest
from pymatgen.core import Structure

from nucleate.crystals import Crystals
from nucleate.drawing.colours import ball_radius, colour
from nucleate.drawing.scene import build_scene
from nucleate.errors import UserError
from nucleate.report.gallery import Gallery, json_for_html
from tests.report.conftest import Page

HOSTILE = "</script><script>alert('x')</script><!-- & \u2028"


def test_every_crystal_is_embedded_as_it_is(crystals):
    data = Page(Gallery(crystals).html()).data()
    assert data == json.loads(json.dumps(Gallery(crystals).data()))
    assert len(data["crystals"]) == 4
    assert data["crystals"][3] is None
    for shown, crystal in zip(data["crystals"][:3], crystals, strict=False):
        assert shown["numbers"] == crystal.numbers.tolist()
        assert np.array(shown["frac"]) == pytest.approx(crystal.frac.numpy(), abs=1e-5)
        lattice, given = np.array(shown["lattice"]), crystal.lattice[0].numpy()
        assert lattice @ lattice.T == pytest.approx(given @ given.T, abs=1e-3)
    assert set(data["elements"]) == {"8", "11", "17", "22", "38"}
    assert data["elements"]["22"] == {"symbol": "Ti", "colour": colour(22), "radius": pytest.approx(ball_radius(22))}


def test_the_viewer_is_told_the_bonds_that_pictures_have(rock_salt):
    (shown,) = Gallery(rock_salt).data()["crystals"]
    scene = build_scene(rock_salt)
    limits = {frozenset((i, j)): limit for i, j, limit in shown["bonds"]}
    pairs = {frozenset(scene.numbers[bond]) for bond in scene.bonds.tolist()}
    lengths = np.linalg.norm(scene.positions[scene.bonds[:, 0]] - scene.positions[scene.bonds[:, 1]], axis=1)
    assert pairs <= limits.keys()
    assert lengths.max() < limits[frozenset((11, 17))]


def test_cards_elements_and_orders_are_there(crystals):
    page = Page(Gallery(crystals, heading="Found").html())
    assert page.texts["h2"] == ["Found"]
    assert [card["data-index"] for card in page.with_class("card")] == ["0", "1", "2", "3"]
    chips = [attributes["value"] for tag, attributes in page.elements if tag == "button" and "value" in attributes]
    assert chips == ["O", "Na", "Cl", "Ti", "Sr"]
    orders = [attributes["value"] for tag, attributes in page.elements if tag == "option"]
    assert orders[:2] == ["", "Formula"]
    assert orders[-2:] == ["-Score", "Score"]
    assert page.texts["output"] == ["4 shown"]


def test_the_cifs_in_the_page_are_the_crystals(crystals):
    page = Page(Gallery(crystals).html())
    links = [attributes["href"] or "" for tag, attributes in page.elements if tag == "a"]
    assert len(links) == 3
    kind, code = links[2].split(",")
    assert kind == "data:chemical/x-cif;base64"
    structure = Structure.from_str(b64decode(code).decode(), fmt="cif")
    assert structure.composition.formula == "Ti2 O4"
    assert structure.lattice.abc == pytest.approx((4.594, 4.594, 2.959))


def test_links_are_paths_and_nothing_else(crystals):
    links = ["cifs/1 a.cif", "javascript:alert(1)", '"><b>', ""]
    page = Page(Gallery(crystals, links=links).html())
    found = [attributes["href"] for tag, attributes in page.elements if tag == "a"]
    assert found == ["cifs/1%20a.cif", "javascript%3Aalert%281%29", "%22%3E%3Cb%3E"]
    with pytest.raises(UserError, match="1 links for 4 crystals"):
        Gallery(crystals, links=["a.cif"]).html()


def test_hostile_text_stays_text(rutile):
    batch = Crystals.concat([rutile, Crystals.failed([HOSTILE])]).with_info(space_group=[HOSTILE, HOSTILE])
    page = Page(Gallery(batch, heading=HOSTILE, details={"space_group": HOSTILE}).html())
    assert [attributes.get("type") for tag, attributes in page.elements if tag == "script"] == ["application/json"]
    assert page.texts["h2"] == [HOSTILE]
    assert page.texts["dd"].count(HOSTILE) == 2
    assert json.loads(json_for_html({HOSTILE: HOSTILE})) == {HOSTILE: HOSTILE}
    assert not set("<>&\u2028") & set(json_for_html({HOSTILE: HOSTILE}))


def test_an_empty_gallery_is_a_gallery():
    page = Page(Gallery(Crystals.empty()).html())
    assert page.data()["crystals"] == []
    assert page.texts["output"] == ["0 shown"]
