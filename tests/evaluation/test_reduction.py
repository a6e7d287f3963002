from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice

from nucleate.evaluation.cells import Cell
from nucleate.evaluation.reduction import Convention, niggli_lattice, reduced_cell, reduced_or_none
from tests import strategies
from tests.evaluation.conftest import distorted, random_cell, to_structure

CORNERS = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
ROCK_SALT = Cell(np.array([11] * 4 + [17] * 4), np.concatenate([CORNERS, (CORNERS + 0.5) % 1]), np.eye(3) * 5.64)


@settings(max_examples=60)
@given(strategies.cells)
def test_niggli_vectors_are_those_of_pymatgen(installed, cell):
    want = Lattice(cell.numpy()).get_niggli_reduced_lattice().matrix
    np.testing.assert_allclose(niggli_lattice(cell.numpy(), installed), want, atol=1e-6)


@pytest.mark.parametrize("convention", Convention)
@given(cell=strategies.cells)
def test_niggli_vectors_are_another_basis_of_the_lattice(convention, cell):
    change = niggli_lattice(cell.numpy(), convention) @ np.linalg.inv(cell.numpy())
    np.testing.assert_allclose(change, np.round(change), atol=1e-5)
    assert abs(np.linalg.det(np.round(change))) == pytest.approx(1)


def same_crystal(cell: Cell, structure) -> bool:
    delta = cell.frac - structure.frac_coords
    return (
        cell.numbers.tolist() == list(structure.atomic_numbers)
        and np.allclose(cell.lattice, structure.lattice.matrix, atol=1e-6)
        and np.allclose(delta - np.round(delta), 0, atol=1e-6)
    )


@pytest.mark.parametrize("seed", range(8))
def test_reduced_cell_is_that_of_pymatgen_site_by_site(installed, seed):
    rng = np.random.default_rng(seed)
    cell = random_cell(rng, [3, 3, 8, 8, 26, 26])
    supercell = to_structure(cell) * [[1, 1, 0], [0, 2, 0], [0, 0, 1]]
    rattled = distorted(cell_of(supercell), rng, 0.005)
    for given_cell in (cell, cell_of(supercell), rattled):
        want = StructureMatcher._get_reduced_structure(to_structure(given_cell))
        assert same_crystal(reduced_cell(given_cell, installed), want)
    assert len(reduced_cell(rattled).numbers) == 6


def cell_of(structure) -> Cell:
    return Cell(np.array(structure.atomic_numbers), structure.frac_coords, structure.lattice.matrix)


def test_a_conventional_cell_becomes_primitive():
    reduced = reduced_cell(ROCK_SALT)
    assert sorted(reduced.numbers) == [11, 17]
    assert reduced.volume == pytest.approx(ROCK_SALT.volume / 4)
    np.testing.assert_allclose(np.linalg.norm(reduced.lattice, axis=1), 5.64 / np.sqrt(2))


def test_a_cell_is_not_folded_where_elements_differ():
    ordered = ROCK_SALT._replace(numbers=np.array([11, 19, 19, 19, 17, 17, 17, 17]))
    assert len(reduced_cell(ordered).numbers) == 8


@pytest.mark.parametrize("lattice", [np.zeros((3, 3)), np.full((3, 3), np.nan), np.ones((3, 3))])
def test_a_flat_cell_has_no_reduced_one(lattice):
    flat = ROCK_SALT._replace(lattice=lattice)
    assert reduced_or_none(flat) is None
    with pytest.raises(ValueError):
        reduced_cell(flat)


def test_a_cell_that_is_nearly_a_line_has_none_either():
    needle = ROCK_SALT._replace(lattice=np.array([[5, 0, 0], [5, 1e-4, 0], [5, 0, 1e-4]]))
    assert reduced_or_none(needle) is None
