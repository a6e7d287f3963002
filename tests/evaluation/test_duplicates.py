from __future__ import annotations

import numpy as np
import pytest
from pymatgen.analysis.structure_matcher import StructureMatcher

from nucleate import parallel
from nucleate.crystals import Crystals
from nucleate.evaluation import duplicates
from nucleate.evaluation.alike import cells_of
from nucleate.evaluation.duplicates import TOLERANCES, first_alike
from tests.evaluation.conftest import distorted, random_cell, to_crystals, to_structure

CUBE = 4.0 * np.eye(3)


def test_the_same_structure_in_other_words_is_found():
    """Caesium chloride, moved, in a doubled cell, and strained a little; rock salt is something else."""
    caesium = [[0, 0, 0], [0.5, 0.5, 0.5]]
    doubled = [[0, 0, 0], [0, 0, 0.5], [0.5, 0.5, 0.25], [0.5, 0.5, 0.75]]
    batch = Crystals.concat(
        [
            Crystals.build([[11, 17]], [caesium], [CUBE]),
            Crystals.build([[11, 17]], [[[0.2, 0.1, 0.4], [0.7, 0.6, 0.9]]], [1.02 * CUBE]),
            Crystals.failed(["not_finite"]),
            Crystals.build([[11, 17]], [caesium], [2.8 * np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]])]),
            Crystals.build([[11, 11, 17, 17]], [doubled], [CUBE * [1, 1, 2]]),
            Crystals.build([[3, 17]], [caesium], [CUBE]),
            Crystals.failed(["not_finite"]),
        ]
    )
    shares = []
    assert first_alike(batch, on_progress=shares.append).tolist() == [0, 0, 2, 3, 0, 5, 6]
    assert shares == sorted(shares)
    assert first_alike(batch[:1]).tolist() == [0]
    assert first_alike(batch[2:3]).tolist() == [0]
    assert first_alike(Crystals.empty()).shape == (0,)


@pytest.fixture(scope="module")
def crystals() -> Crystals:
    """Crystals of two compositions in one, two or three versions, from nearly equal to hardly alike, mixed."""
    rng = np.random.default_rng(0)
    kinds = [random_cell(rng, numbers) for numbers in ([8, 8, 22], [8, 8, 22, 22, 8, 8], [6, 6]) for _ in range(4)]
    cells = [distorted(kind, rng, rng.uniform(0, 0.15)) for kind in kinds for _ in range(4)]
    return to_crystals([cells[i] for i in rng.permutation(len(cells))])


def test_leaders_are_those_of_pymatgen(crystals, installed, monkeypatch):
    monkeypatch.setattr(duplicates, "CONVENTION", installed)
    matcher = StructureMatcher(ltol=TOLERANCES.length, stol=TOLERANCES.site, angle_tol=TOLERANCES.angle)
    structures = [to_structure(cell) for cell in cells_of(crystals)]
    leaders: list[int] = []
    want = []
    for row, structure in enumerate(structures):
        same = [other for other in leaders if matcher.fit(structure, structures[other])]
        want.append(same[0] if same else row)
        if not same:
            leaders.append(row)
    assert first_alike(crystals).tolist() == want
    assert 12 <= len(leaders) < 40


def test_nothing_depends_on_the_number_of_processes(crystals, monkeypatch):
    monkeypatch.setattr(parallel, "ITEMS_PER_WORKER", 10)
    np.testing.assert_array_equal(first_alike(crystals, jobs=2), first_alike(crystals))


def test_a_flat_cell_is_alike_only_to_itself():
    needle = np.array([[5, 0, 0], [5, 1e-4, 0], [5, 0, 1e-4]])
    flat = Crystals.build([[11, 17]] * 2, [[[0, 0, 0], [0.5, 0.5, 0.5]]] * 2, [needle] * 2)
    assert first_alike(flat).tolist() == [0, 1]
