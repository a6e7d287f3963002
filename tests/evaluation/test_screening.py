from __future__ import annotations

import numpy as np
import pytest

from nucleate.evaluation.cells import Cell, from_parameters
from nucleate.evaluation.duplicates import CONVENTION, TOLERANCES
from nucleate.evaluation.matching import _placed
from nucleate.evaluation.reduction import reduced_cell
from nucleate.evaluation.screening import MAX_RADIUS, Members, placeable
from tests.evaluation.conftest import distorted, random_cell


def scaled(cell: Cell) -> Cell:
    return cell._replace(lattice=cell.lattice / np.cbrt(cell.volume))


@pytest.mark.parametrize("numbers", [[6], [8, 8, 22], [8, 8, 8, 22, 56]], ids=str)
def test_it_lets_pass_what_the_matcher_would_place(numbers):
    rng = np.random.default_rng(0)
    kinds = [random_cell(rng, numbers) for _ in range(6)]
    cells = [reduced_cell(distorted(kind, rng, sigma), CONVENTION) for kind in kinds for sigma in (0.05, 0.15, 0.3)]
    members = Members.of(cells)
    outcomes = []
    for cell in cells:
        found = placeable(scaled(cell), members, TOLERANCES)
        want = [any(True for _ in _placed(cell, other, TOLERANCES)) for other in cells]
        assert found.tolist() == want
        outcomes.append(found)
    assert np.diag(outcomes).all()
    assert 0.05 < np.mean(outcomes) < 0.7


def of_shapes(lengths, angles=(90, 90, 90)) -> Cell:
    """One atom in a cell of these parameters, scaled to a volume of 1."""
    lattice = from_parameters(np.array([lengths], dtype=float), np.array([angles], dtype=float))[0]
    return scaled(Cell(np.array([6]), np.zeros((1, 3)), lattice))


def passes(cell: Cell, *others: Cell) -> list[bool]:
    return placeable(cell, Members.of(others), TOLERANCES).tolist()


@pytest.mark.parametrize(("sign", "want"), [(-1, True), (1, False)], ids=["just less", "just more"])
def test_tolerances_that_are_met_nearly(sign, want):
    """A box and a skewed cell differ from a cube by a factor of 1.2 and by 5 degrees."""
    cube = of_shapes((1, 1, 1))
    factor = 1.2 * (1 + sign * 1e-6)
    assert passes(cube, of_shapes((1 / factor, 1, factor))) == [want]
    assert passes(cube, of_shapes((1, 1, 1), (90, 90, 95 + sign * 1e-4))) == [want]


def test_what_is_too_long_is_not_excluded():
    """Only a cell of ordinary shape can be told to differ."""
    cube, long = of_shapes((1, 1, 1)), of_shapes((0.1, 0.1, 100))
    assert long.lattice.max() > MAX_RADIUS
    assert passes(cube, cube, long) == [True, True]
    assert passes(of_shapes((0.5, 0.5, 4)), cube, long) == [False, True]
    assert passes(of_shapes((1e-4, 1e-4, 1e8)), cube, long) == [True, True]
    assert passes(cube, long) == [True]


def test_atoms_need_partners_of_their_element():
    """Caesium chloride with its atoms exchanged is the same; with one out of place it is not."""
    frac = np.array([[0.1, 0, 0], [0.6, 0.5, 0.5]])
    cell = Cell(np.array([11, 17]), frac, np.eye(3))
    exchanged = cell._replace(numbers=np.array([17, 11]))
    moved = cell._replace(frac=frac + np.array([[0, 0, 0], [0, 0, 0.5]]))
    assert passes(cell, cell, exchanged, moved) == [True, True, False]
