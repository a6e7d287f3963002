from __future__ import annotations

import numpy as np
import pytest

from nucleate.crystals import Crystals
from nucleate.evaluation import alike
from nucleate.evaluation.alike import Group, cells_of, grouped, reduced_cells
from nucleate.evaluation.cells import Cell
from nucleate.evaluation.duplicates import CONVENTION, TOLERANCES
from nucleate.evaluation.matching import fits
from nucleate.evaluation.reduction import reduced_cell
from tests.evaluation.conftest import distorted, random_cell, to_crystals


@pytest.fixture(scope="module")
def cells() -> list[Cell]:
    """Eight crystals, each in five versions."""
    rng = np.random.default_rng(0)
    kinds = [random_cell(rng, [8, 8, 22]) for _ in range(8)]
    return [reduced_cell(distorted(kind, rng, 0.06), CONVENTION) for kind in kinds for _ in range(5)]


@pytest.mark.parametrize("screened", [0, 10**6], ids=["screened", "not screened"])
def test_it_says_what_comparing_each_pair_says(cells, monkeypatch, screened):
    monkeypatch.setattr(alike, "SCREENED", screened)
    group = Group(cells, TOLERANCES)
    members = np.arange(len(cells))[::-2]
    counts = set()
    for cell in cells[::7]:
        every = [number for number in members.tolist() if fits(cell, cells[number], TOLERANCES)]
        assert group.first_alike(cell, members) == every[0]
        assert group.any_alike(cell)
        counts.add(len(every))
    assert len(counts) > 1
    stranger = reduced_cell(random_cell(np.random.default_rng(1), [8, 8, 22]), CONVENTION)
    assert group.first_alike(stranger, members) is None
    assert not group.any_alike(stranger)
    assert group.first_alike(cells[0], members[:0]) is None


def test_an_empty_group():
    cell = random_cell(np.random.default_rng(0), [8])
    empty = Group([], TOLERANCES)
    assert empty.first_alike(cell, np.arange(0)) is None
    assert not empty.any_alike(cell)


def test_cells_of_crystals():
    rng = np.random.default_rng(2)
    made = [random_cell(rng, [8] * n) for n in (1, 4, 2)]
    found = cells_of(Crystals.concat([to_crystals(made), Crystals.failed(["x"])]))
    assert [len(cell.numbers) for cell in found] == [1, 4, 2, 0]
    for one, other in zip(found, made, strict=False):
        np.testing.assert_array_equal(one.lattice, other.lattice)
        np.testing.assert_allclose(one.frac, other.frac)


def test_groups_have_one_composition_and_size():
    rng = np.random.default_rng(3)
    flat = random_cell(rng, [8, 8])._replace(lattice=np.ones((3, 3)))
    made = [random_cell(rng, numbers) for numbers in ([8, 8], [8], [8, 8], [7])]
    cells = reduced_cells(to_crystals([*made, flat]), CONVENTION)
    assert cells[-1] is None
    assert grouped([5, 5, 5, 6, 5], cells) == {(5, 2): [0, 2], (5, 1): [1], (6, 1): [3]}
