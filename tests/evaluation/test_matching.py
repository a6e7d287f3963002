from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from pymatgen.analysis.structure_matcher import StructureMatcher

from nucleate.evaluation.cells import Cell
from nucleate.evaluation.matching import TOLERANCES, Tolerances, fits, lengths_allow, match, match_pair
from nucleate.evaluation.reduction import reduced_cell
from tests.evaluation.conftest import distorted, random_cell, to_structure

COMPOSITIONS = [
    *([6], [11, 17], [8, 8, 22], [3, 3, 3, 3], [8, 8, 8, 22, 56]),
    *([8, 8, 8, 8, 14, 14], [1, 1, 8, 8, 26, 26, 7, 7]),
]


STRICT = Tolerances(length=0.2, site=0.3, angle=5.0)


def ours(first: Cell, second: Cell, convention, tolerances=TOLERANCES):
    return match(reduced_cell(first, convention), reduced_cell(second, convention), tolerances)


def theirs(first: Cell, second: Cell, tolerances=TOLERANCES):
    matcher = StructureMatcher(ltol=tolerances.length, stol=tolerances.site, angle_tol=tolerances.angle)
    return matcher.get_rms_dist(to_structure(first), to_structure(second))


def agree(found, want) -> bool:
    return found is None if want is None else found is not None and np.allclose(found, want, rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("numbers", COMPOSITIONS, ids=str)
@pytest.mark.parametrize("sigma", [0.0, 0.05, 0.15, 0.25])
def test_it_says_what_pymatgen_says(installed, numbers, sigma):
    rng = np.random.default_rng(len(numbers))
    cell = random_cell(rng, numbers)
    other = distorted(cell, rng, sigma)
    for first, second in ((cell, other), (other, cell)):
        assert agree(ours(first, second, installed), theirs(first, second))


@pytest.mark.parametrize("seed", range(10))
def test_crystals_that_have_only_their_composition_in_common(installed, seed):
    rng = np.random.default_rng(seed)
    first, second = random_cell(rng, [8, 8, 22]), random_cell(rng, [22, 8, 8])
    assert agree(ours(first, second, installed), theirs(first, second))


def test_other_tolerances(installed):
    rng = np.random.default_rng(1)
    cell = random_cell(rng, [8, 8, 22, 38])
    decisions = set()
    for sigma in np.linspace(0.02, 0.4, 12):
        other = distorted(cell, rng, sigma)
        found = ours(other, cell, installed, STRICT)
        assert agree(found, theirs(other, cell, STRICT))
        decisions.add(found is None)
    assert decisions == {True, False}


def test_the_same_crystal_has_no_distance():
    rng = np.random.default_rng(2)
    cell = random_cell(rng, [8, 8, 22])
    rms, max_distance = match(reduced_cell(cell), reduced_cell(distorted(cell, rng, 0.0)))
    assert rms == pytest.approx(0, abs=1e-6)
    assert max_distance == pytest.approx(0, abs=1e-6)


def test_distance_of_one_displaced_atom():
    cubic = Cell(np.array([11, 17]), np.array([[0, 0, 0], [0.5, 0.5, 0.5]]), np.eye(3) * 4.0)
    moved = cubic._replace(frac=np.array([[0, 0, 0], [0.5, 0.5, 0.6]]))
    # 0.4 Å are shared by two atoms; the unit is the cube root of 32 Å³.
    want = 0.2 / 32 ** (1 / 3)
    assert match(cubic, moved) == pytest.approx((want, want))


def test_other_elements_or_numbers_of_atoms_never_match():
    rng = np.random.default_rng(3)
    cell = random_cell(rng, [8, 8, 22])
    assert match(cell, cell._replace(numbers=np.array([8, 8, 40]))) is None
    assert match(cell, random_cell(rng, [8, 8, 22, 8, 8, 22])) is None
    assert match_pair((cell, None)) is None
    assert match_pair((None, cell)) is None
    assert match_pair((cell, cell)) is not None


@pytest.mark.parametrize("numbers", COMPOSITIONS, ids=str)
def test_fit_goes_by_the_largest_distance(installed, numbers):
    """Both decisions of pymatgen, of which that by the RMS is the more lenient."""
    rng = np.random.default_rng(len(numbers))
    cell = random_cell(rng, numbers)
    matcher = StructureMatcher()
    for sigma in np.linspace(0.02, 0.3, 8):
        other = distorted(cell, rng, sigma)
        for first, second in ((cell, other), (other, cell)):
            found = fits(reduced_cell(first, installed), reduced_cell(second, installed), STRICT)
            assert found == matcher.fit(to_structure(first), to_structure(second))
            assert not found or ours(first, second, installed, STRICT) is not None


def test_fit_is_stricter_than_the_rms():
    """One atom of eight is out of place by more than the tolerance, the others are not."""
    frac = np.array([[x, y, z] for x in (0, 0.5) for y in (0, 0.5) for z in (0, 0.5)]) + 0.1
    cell = Cell(np.array([3, 6, 7, 8, 9, 11, 12, 13]), frac, 4.0 * np.eye(3))
    moved = frac.copy()
    moved[0, 0] += 0.2
    other = cell._replace(frac=moved)
    found = match(cell, other, STRICT)
    assert found is not None
    assert found.rms < STRICT.site < found.max_distance
    assert not fits(cell, other, STRICT)


def test_lengths_exclude_no_lattice_that_fits(installed):
    rng = np.random.default_rng(5)
    outcomes = set()
    for _ in range(60):
        first, second = (reduced_cell(random_cell(rng, [6]), installed) for _ in range(2))
        second = second._replace(lattice=second.lattice * (first.volume / second.volume) ** (1 / 3))
        lengths = np.linalg.norm(second.lattice, axis=1)
        allowed = bool(lengths_allow(first.lattice, lengths[None], STRICT.length)[0])
        assert allowed or theirs(first, second, STRICT) is None
        outcomes.add(allowed)
    assert outcomes == {True, False}


@pytest.mark.parametrize("edges", [(0.01, 0.01, 4e5), (0.003, 100, 100), (0.05, 30, 30), (20, 20, 0.05)], ids=str)
def test_a_flat_cell_takes_no_memory(edges):
    """pymatgen takes 17 GB for one such pair; here one that cannot be looked through is not alike."""
    flat = Cell(np.array([11, 17]), np.array([[0, 0, 0], [0.5, 0.5, 0.5]]), np.diag(edges).astype(float))
    cube = flat._replace(lattice=4.0 * np.eye(3))
    tracemalloc.start()
    try:
        for first, second in ((flat, cube), (cube, flat)):
            assert not fits(first, second, STRICT)
            assert match(first, second) is None
        fits(flat, flat._replace(frac=flat.frac + 0.1), STRICT)
        assert tracemalloc.get_traced_memory()[1] < 1 << 30
    finally:
        tracemalloc.stop()
