"""Search, filters, selection, files, addresses and keys, in a browser."""

from __future__ import annotations

import json
from collections import Counter
from math import gcd

import ase.io
import numpy as np
import pytest
from matplotlib.path import Path as Line

from nucleate.elements import NUMBERS, reduced_formula
from nucleate.files import read
from nucleate.geometry.lattice import parameters
from tests.explorer.page.conftest import SOURCES

SNAPPED = 1.1e-4
"""Of a cell: how far pymatgen moves a coordinate that is read from CIF and close to a third or a sixth."""


def elements(atlas) -> list[set[int]]:
    return [set(z.tolist()) for z in atlas.crystals.numbers_of_each()]


def values(atlas, key: str) -> np.ndarray:
    return next(p.values for p in atlas.properties if p.key == key)


def shown(visit) -> list[int]:
    return visit.state("rowsShown()")


def search(visit, query: str) -> list[int]:
    visit.page.locator("#search").fill(query)
    visit.wait(f"nucleate.state.query === {json.dumps(query)}")
    return shown(visit)


def drag(visit, line: np.ndarray) -> None:
    line = line.tolist()
    visit.page.mouse.move(*line[0])
    visit.page.mouse.down()
    for point in line[1:]:
        visit.page.mouse.move(*point)
    visit.page.mouse.up()


def test_search_for_elements_and_without_them(visit, atlas):
    sets = elements(atlas)
    o, f = NUMBERS["O"], NUMBERS["F"]
    assert search(visit, "O") == [i for i, z in enumerate(sets) if o in z]
    assert search(visit, "O -F") == [i for i, z in enumerate(sets) if o in z and f not in z]
    common = Counter(frozenset(z) for z in sets if len(z) > 1).most_common(1)[0][0]
    system = "-".join(reduced_formula([z]) for z in common)
    assert search(visit, system) == [i for i, z in enumerate(sets) if z == common]
    assert visit.status.endswith("of 360 crystals shown")
    assert search(visit, "") == list(range(360))


def test_search_for_a_formula_however_it_is_written(visit, atlas):
    row = max(range(360), key=lambda i: len(elements(atlas)[i]))
    amounts = Counter(atlas.crystals[row].numbers.tolist())
    divisor = gcd(*amounts.values())
    formulas = [reduced_formula(z) for z in atlas.crystals.numbers_of_each()]
    same = [i for i, text in enumerate(formulas) if text == formulas[row]]
    names = {z: reduced_formula([z]) for z in amounts}
    doubled = "".join(f"{names[z]}{2 * n}" for z, n in sorted(amounts.items()))
    bracketed = "(" + "".join(f"{names[z]}{n // divisor}" for z, n in sorted(amounts.items(), reverse=True)) + ")3"
    for text in (reduced_formula(amounts.elements()), doubled, bracketed):
        assert search(visit, text) == same
    name = atlas.crystals.info["material_id"][row]
    assert row in search(visit, name)
    assert search(visit, "nonsense!") == []


def test_search_completes_words(visit):
    visit.page.keyboard.press("/")
    visit.page.keyboard.type("O -B")
    option = visit.page.get_by_role("option").filter(has_text="Ba").first
    option.wait_for()
    option.click()
    assert visit.page.locator("#search").input_value() == "O -Ba"


def test_the_legend_switches_sources(visit, atlas):
    button = visit.page.get_by_role("button", name=SOURCES[1], exact=False).first
    assert str(int((atlas.source == 1).sum())) in button.inner_text()
    button.click()
    visit.wait("nucleate.state.off.size === 1")
    assert shown(visit) == np.flatnonzero(atlas.source != 1).tolist()
    assert button.get_attribute("aria-pressed") == "false"
    visit.page.get_by_role("button", name=f"Only {SOURCES[2]}").click(force=True)
    assert shown(visit) == np.flatnonzero(atlas.source == 2).tolist()
    visit.page.get_by_role("button", name="Show all").click()
    assert len(shown(visit)) == 360


def test_filters_by_numbers_leave_out_what_is_unknown(visit, atlas):
    energy = values(atlas, "energy")
    visit.page.locator("summary", has_text="Energy").click()
    visit.page.get_by_label("Energy from").fill("-0.5")
    visit.page.get_by_label("Energy to").fill("1.25")
    visit.page.keyboard.press("Enter")
    visit.wait("nucleate.state.ranges.energy?.[1] === 1.25")
    assert shown(visit) == np.flatnonzero((energy >= -0.5) & (energy <= 1.25)).tolist()
    handle = visit.page.get_by_label("Least Energy")
    handle.focus()
    handle.press("Home")
    visit.wait("nucleate.state.ranges.energy[0] === -Infinity")
    assert shown(visit) == np.flatnonzero(energy <= 1.25).tolist()


def test_filters_by_kinds_and_flags(visit, atlas):
    kinds = values(atlas, "mineral")
    name = Counter(kinds[kinds != ""]).most_common(1)[0][0]
    visit.page.locator("summary", has_text="Mineral").click()
    visit.page.get_by_role("checkbox", name=name, exact=False).first.check()
    visit.page.locator("summary", has_text="Valid").click()
    visit.page.get_by_role("checkbox", name="yes").check()
    visit.wait("Object.keys(nucleate.state.kinds).length === 2")
    assert shown(visit) == np.flatnonzero((kinds == name) & values(atlas, "valid")).tolist()


def assert_same(found, expected, tolerance: float = 2e-5) -> None:
    """The same cells, and for each atom one of its element in its place; readers of CIF may change their order."""
    assert found.counts.tolist() == expected.counts.tolist()
    for mine, theirs in zip(parameters(found.lattice.double()), parameters(expected.lattice.double()), strict=True):
        assert mine.numpy() == pytest.approx(theirs.numpy(), rel=1e-5, abs=1e-3)
    for one, other in zip(found, expected, strict=True):
        away = one.frac.double().numpy()[:, None] - other.frac.double().numpy()
        together = np.abs(away - np.round(away)).max(-1) < tolerance
        same = together & (one.numbers.numpy()[:, None] == other.numbers.numpy())
        assert same.any(0).all()
        assert same.any(1).all()


def test_a_lasso_selects_what_is_inside_and_saves_exactly_that(visit, atlas, on_screen, tmp_path):
    turn = np.linspace(0, 2 * np.pi, 36)
    line = np.array([880, 470]) + np.stack([210 * np.cos(turn), 160 * np.sin(turn) + 40 * np.sin(3 * turn)], 1)
    visit.page.keyboard.press("l")
    drag(visit, line)
    visit.wait("nucleate.selected !== null")
    rows = np.flatnonzero(Line(line).contains_points(on_screen)).tolist()
    assert 20 < len(rows) < 200
    assert visit.page.evaluate("[...nucleate.selected]") == rows
    assert visit.status == f"{len(rows)} selected"
    with visit.page.expect_download() as download:
        visit.page.locator(".save-cif").click()
    download.value.save_as(tmp_path / "some.zip")
    found = read(tmp_path / "some.zip")
    assert found.built.all()
    assert_same(found, atlas.crystals[rows], SNAPPED)


def test_a_box_within_filters_and_extxyz(visit, atlas, on_screen, tmp_path):
    search(visit, "O")
    visit.page.keyboard.press("Escape")
    visit.page.get_by_role("button", name="Box").click()
    drag(visit, np.array([[700, 200], [750, 300], [1100, 700]]))
    visit.wait("nucleate.selected !== null")
    has = np.array([NUMBERS["O"] in z for z in elements(atlas)]) if visit.state("state.query") else np.ones(360, bool)
    rows = np.flatnonzero(((on_screen > [700, 200]) & (on_screen < [1100, 700])).all(1) & has)
    assert visit.page.evaluate("[...nucleate.selected]") == rows.tolist()
    with visit.page.expect_download() as download:
        visit.page.locator(".save-extxyz").click()
    download.value.save_as(tmp_path / "some.extxyz")
    assert_same(read(tmp_path / "some.extxyz"), atlas.crystals[rows])
    frames = ase.io.read(tmp_path / "some.extxyz", index=":")
    assert [atoms.info["row"] for atoms in frames] == rows.tolist()
    assert [atoms.info["source"] for atoms in frames] == [SOURCES[i] for i in atlas.source[rows]]
    assert [atoms.info["density"] for atoms in frames] == pytest.approx(values(atlas, "density")[rows], rel=1e-5)
    assert all(atoms.pbc.all() for atoms in frames)


def test_one_crystal_is_saved_from_its_panel(visit, atlas, tmp_path):
    visit.select(12)
    with visit.page.expect_download() as download:
        visit.page.locator(".files button", has_text="CIF").click()
    download.value.save_as(tmp_path / "one.cif")
    assert_same(read(tmp_path / "one.cif"), atlas.crystals[[12]], SNAPPED)


def test_the_address_keeps_the_view(visit, atlas):
    visit.page.get_by_label("Colour by").select_option("energy")
    search(visit, "O")
    visit.state("set({ranges: {density: [2, Infinity]}, off: new Set([2]), kinds: {valid: new Set([1])}})")
    visit.state("setLasso([[-0.6, -0.4], [0.7, -0.4], [0.7, 0.5], [-0.6, 0.5]])")
    visit.page.mouse.move(900, 400)
    visit.page.mouse.wheel(0, -240)
    row = visit.page.evaluate("nucleate.selected[3]")
    visit.select(row)
    address = visit.address()
    keep = """({...nucleate.state, off: [...nucleate.state.off], kinds: [...nucleate.state.kinds.valid],
      from: nucleate.state.ranges.density[0]})"""
    before, selected = visit.page.evaluate(keep), visit.page.evaluate("[...nucleate.selected]")
    picture = visit.page.locator(".points").screenshot(mask=[visit.page.locator(".tooltip")])
    visit.open(address)
    after = visit.page.evaluate(keep)
    assert after.pop("camera") == pytest.approx(before.pop("camera"), abs=1e-4)
    assert after == before
    assert visit.page.evaluate("[...nucleate.selected]") == selected
    assert visit.page.locator("#search").input_value() == "O"
    assert visit.page.locator(".details").is_visible()
    assert len(picture) > 0
    assert visit.address() == address


def test_an_address_of_another_map_does_no_harm(visit):
    visit.open(
        "#colour=nothing&view=1,2&range.density=a..b&kinds.mineral=none&lasso=1,2,3&crystal=9999&hide=who&range.x=1..2"
    )
    assert visit.status == "360 crystals"
    assert visit.state("state.crystal") == -1


def test_a_changed_address_changes_the_page(visit):
    visit.page.evaluate("location.hash = 'crystal=8&search=O'")
    visit.wait("nucleate.details.row === 7 && nucleate.state.query === 'O'")
    assert visit.page.locator("#search").input_value() == "O"


def test_keys_move_between_points_and_open_them(visit, on_screen):
    visit.page.locator(".points").focus()
    visit.page.keyboard.press("ArrowRight")
    first = visit.state("map.cursor")
    visit.page.keyboard.press("ArrowRight")
    second = visit.state("map.cursor")
    step = on_screen[second] - on_screen[first]
    assert step[0] > 0
    assert abs(step[1]) <= step[0]
    others = np.delete(on_screen, [first, second], axis=0) - on_screen[first]
    ahead = others[(others[:, 0] > 0) & (np.abs(others[:, 1]) <= others[:, 0])]
    assert (ahead @ [1, 0] + 2 * np.abs(ahead[:, 1])).min() >= step[0] + 2 * abs(step[1]) - 1e-3
    assert "," in visit.page.locator("[aria-live]").last.inner_text()
    visit.page.keyboard.press("Enter")
    visit.wait(f"nucleate.details.row === {second}")
    visit.page.keyboard.press("Escape")
    visit.page.locator(".details").wait_for(state="hidden")
    visit.page.keyboard.press("?")
    assert visit.page.get_by_role("dialog", name="Keys").is_visible()
    visit.page.keyboard.press("Escape")
    visit.page.keyboard.press("t")
    assert visit.page.evaluate("document.documentElement.dataset.theme") == "dark"
    visit.page.keyboard.press("t")
