"""Cells in which rounding errors could make or break a Voronoi cell: against matminer, and against copies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.fingerprints_layered import COPIES, DETERMINED, PARTS, TOLERANCE, Answers, _copy, _matminer
from benchmarks.special_cells import FAMILIES, LEAST_DISTANCE, family, rattled, special_cell, turned
from nucleate.evaluation.cells import Cell
from nucleate.evaluation.structural_validity import structural_validity
from nucleate.evaluation.structure_fingerprint import structure_fingerprints
from tests.evaluation.conftest import to_crystals

CELLS = st.integers(0, 10**6).map(special_cell)


def fingerprints(*cells):
    return structure_fingerprints(to_crystals(list(cells))).values


def test_a_cell_is_made_from_its_index():
    cells = [special_cell(index) for index in range(200)]
    for index, cell in enumerate(cells):
        for one, other in zip(cell, special_cell(index), strict=True):
            np.testing.assert_array_equal(one, other)
    assert {family(index) for index in range(200)} == set(FAMILIES)
    assert structural_validity(to_crystals(cells)).min_distance.min() >= LEAST_DISTANCE - 1e-9
    lengths = np.array([np.linalg.norm(cell.lattice, axis=1) for cell in cells])
    assert (lengths[:, 2] / lengths[:, 0]).max() > 20


@pytest.mark.parametrize("index", [index for index in range(60) if family(index) != "sparse"])
@pytest.mark.filterwarnings("ignore")
def test_fingerprints_are_those_of_matminer(index):
    want, error = _matminer(special_cell(index))
    assert want is not None, error
    np.testing.assert_allclose(fingerprints(special_cell(index))[0, DETERMINED], want[DETERMINED], atol=TOLERANCE)


@pytest.mark.parametrize("index", [24, 29, 49])
@pytest.mark.filterwarnings("ignore")
def test_where_matminer_fails_ours_are_those_of_its_rattled_copies(index):
    """An octahedron, or a cube, has all atoms on one sphere, for which Qhull lists no faces."""
    assert _matminer(special_cell(index))[0] is None
    found = fingerprints(special_cell(index))[0]
    for copy in COPIES[:-1]:
        want = _matminer(_copy(index, copy, 0))[0]
        assert want is not None
        np.testing.assert_allclose(found[DETERMINED], want[DETERMINED], atol=TOLERANCE)


@pytest.mark.filterwarnings("ignore")
def test_where_ours_fails_matminer_and_its_rattled_copies_fail():
    indices = [index for index in range(100) if np.isnan(fingerprints(special_cell(index))).any()]
    assert indices
    for index in indices[:5]:
        assert not any(_matminer(_copy(index, copy, 0))[0] is not None for copy in (0, *COPIES))


@settings(max_examples=80)
@given(CELLS, st.sampled_from([1e-10, 1e-9, 1e-8, 1e-7]), st.integers(0, 2**32 - 1))
def test_rattling_changes_no_coordination(cell, size, seed):
    """Weights are rounded to three decimals, as published, and a step of one moves a probability by 4/π · 1e-3."""
    one, other = fingerprints(cell, rattled(cell, size, np.random.default_rng(seed)))
    np.testing.assert_allclose(one[PARTS["coordination"]], other[PARTS["coordination"]], atol=1.3e-3)


@settings(max_examples=80)
@given(CELLS, st.integers(0, 2**32 - 1))
def test_turning_and_shifting_changes_nothing(cell, seed):
    one, other = fingerprints(cell, turned(cell, np.random.default_rng(seed)))
    np.testing.assert_allclose(one, other, atol=1e-6)


@settings(max_examples=80)
@given(st.floats(2.5, 4.5), st.floats(1, 25), st.sampled_from(["exact", "rounded"]), st.integers(0, 2**32 - 1))
def test_two_hexagonal_layers_always_have_a_fingerprint(a, ratio, thirds, seed):
    lattice = np.array([[a, 0, 0], [-a / 2, a * 0.75**0.5, 0], [0, 0, a * ratio]])
    frac = np.array([[1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75]])
    cell = Cell(np.array([62, 62]), frac.round(8) if thirds == "rounded" else frac, lattice)
    assert np.isfinite(fingerprints(cell, turned(cell, np.random.default_rng(seed)))).all()


def test_answers_are_read_again(tmp_path, monkeypatch):
    asked = []

    def matminer(cell):
        asked.append(cell)
        return (None, "no") if len(asked) == 2 else (np.arange(3.0), "")

    monkeypatch.setattr("benchmarks.fingerprints_layered._matminer", matminer)
    path = tmp_path / "answers.jsonl"
    first = Answers(path, 7)
    want = [first.get(0, 0), first.get(0, 1), first.get(5, 0)]
    again = Answers(path, 7)
    found = [again.get(0, 0), again.get(0, 1), again.get(5, 0)]
    assert len(asked) == 3
    assert found[1] is None
    np.testing.assert_array_equal([want[0], want[2]], [found[0], found[2]])
    Answers(path, 8).get(0, 0)
    assert len(asked) == 4
