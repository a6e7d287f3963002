from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from nucleate.crystals import Crystals
from nucleate.drawing.scene import bond_limits, build_scene, upright, why_not_drawn
from nucleate.elements import NUMBERS, parse_formula
from tests.strategies import cells


def bonded_symbols(formula: str) -> set[frozenset[int]]:
    return {frozenset(pair) for pair in bond_limits(np.array(parse_formula(formula)))}


def pair(first: str, second: str) -> frozenset[int]:
    return frozenset((NUMBERS[first], NUMBERS[second]))


def test_rock_salt_is_a_grid_of_27_balls_and_54_bonds(rock_salt):
    scene = build_scene(rock_salt)
    assert sorted(scene.numbers) == [11] * 14 + [17] * 13
    assert len(scene.bonds) == 54
    lengths = np.linalg.norm(scene.positions[scene.bonds[:, 0]] - scene.positions[scene.bonds[:, 1]], axis=1)
    assert lengths == pytest.approx(5.64 / 2)
    assert (scene.numbers[scene.bonds].sum(1) == 11 + 17).all()


def test_silicon_has_four_bonds_for_each_atom_inside_its_cell():
    sites = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    scene = build_scene(Crystals.build([[14] * 8], [[*sites, *(sites + 0.25)]], [5.431 * np.eye(3)]))
    assert len(scene.numbers) == 8 + 6 + 4  # corners, faces, inside
    assert len(scene.bonds) == 4 * 4


def test_what_is_drawn_is_centred(rock_salt):
    scene = build_scene(rock_salt)
    assert scene.positions.mean(0) == pytest.approx([0, 0, 0])
    assert scene.edges.mean((0, 1)) == pytest.approx([0, 0, 0])


def test_atoms_near_a_face_are_repeated_on_the_other_and_atoms_inside_are_not():
    def count(x: float) -> int:
        return len(build_scene(Crystals.build([[8]], [[[x, 0.5, 0.5]]], [3 * np.eye(3)])).numbers)

    assert [count(x) for x in (0, 0.01, 0.5, 0.97, 0.99)] == [2, 2, 1, 1, 2]


def test_an_atom_has_no_bond_to_one_that_coincides():
    scene = build_scene(Crystals.build([[8, 8]], [[[0.5, 0.5, 0.5], [0.5, 0.5, 0.5]]], [9 * np.eye(3)]))
    assert len(scene.numbers) == 2
    assert scene.bonds.shape == (0, 2)


def test_cations_are_bonded_to_anions_and_not_to_each_other():
    assert bonded_symbols("SrTiO3") == {pair("Sr", "O"), pair("Ti", "O"), pair("O", "O")}
    assert bonded_symbols("LiFePO4") == {pair("Li", "O"), pair("Fe", "O"), pair("P", "O"), pair("O", "O")}
    assert bonded_symbols("NiAl") == {pair("Ni", "Al"), pair("Ni", "Ni"), pair("Al", "Al")}
    assert bond_limits(np.array(parse_formula("TiO2")))[8, 22] == pytest.approx(1.2 * (0.66 + 1.60))


@given(cells)
def test_turning_upright_is_a_rotation_that_puts_c_up(cell):
    lattice = cell.numpy()
    turned = upright(lattice)
    assert turned @ turned.T == pytest.approx(lattice @ lattice.T, rel=1e-9, abs=1e-6)
    assert np.linalg.det(turned) == pytest.approx(np.linalg.det(lattice), rel=1e-6)
    assert turned[2, :2] == pytest.approx([0, 0], abs=1e-6 * np.abs(lattice).max())
    assert turned[0, 1] == pytest.approx(0, abs=1e-6 * np.abs(lattice).max())
    assert turned[0, 0] > 0


def test_the_edges_are_four_times_the_three_lattice_vectors():
    lattice = np.array([[3.0, 0, 0], [-1.5, 4, 0], [0.5, 1, 6]])
    edges = build_scene(Crystals.build([[8]], [[[0.5] * 3]], [lattice])).edges
    lengths = np.linalg.norm(edges[:, 1] - edges[:, 0], axis=1)
    assert sorted(lengths) == pytest.approx(sorted([*np.linalg.norm(lattice, axis=1)] * 4))


@pytest.mark.parametrize(
    ("numbers", "frac", "lattice", "reason"),
    [
        ([], [], np.eye(3), "no atoms"),
        ([8], [[0, 0, 0]], np.full((3, 3), np.nan), "not finite"),
        ([8], [[0, 0, np.nan]], np.eye(3), "not finite"),
        ([8], [[0, 0, 0]], np.ones((3, 3)), "zero volume"),
        ([8], [[0, 0, 0]], np.zeros((3, 3)), "zero volume"),
        ([8], [[0, 0, 0]], -np.eye(3), ""),
    ],
)
def test_why_a_crystal_has_no_picture(numbers, frac, lattice, reason):
    assert why_not_drawn(Crystals.build([numbers], [frac], [lattice])) == reason


def test_the_reason_of_a_failed_crystal_comes_first():
    assert why_not_drawn(Crystals.failed(["unknown_element"])) == "unknown element"
