from __future__ import annotations

import numpy as np

from nucleate.evaluation.cells import from_parameters, lattice_points, lengths_and_angles
from nucleate.evaluation.reduction import Convention, basis_triples, niggli_lattice
from nucleate.evaluation.screening import MAX_RADIUS, bases_near

LENGTH, ANGLE = 0.2, 5.0


def random_lattices(rng: np.random.Generator, count: int) -> np.ndarray:
    """Niggli cells of volume 1, some of them near to each other."""
    lengths, angles = rng.uniform(0.5, 1.5, (count, 3)), rng.uniform(60, 120, (count, 3))
    lengths[count // 2 :] = lengths[: count - count // 2] * rng.uniform(0.9, 1.1, (count - count // 2, 3))
    angles[count // 2 :] = angles[: count - count // 2] + rng.uniform(-4, 4, (count - count // 2, 3))
    raw = from_parameters(lengths, angles)
    raw /= np.cbrt(np.abs(np.linalg.det(raw)))[:, None, None]
    solid = [lattice for lattice in raw if np.isfinite(lattice).all()]
    return np.array([niggli_lattice(10 * lattice, Convention.PUBLISHED) / 10 for lattice in solid])


def test_it_finds_what_the_matcher_finds():
    lattices = random_lattices(np.random.default_rng(0), 24)
    lengths, angles = lengths_and_angles(lattices)
    outcomes = []
    for lattice in lattices:
        found = bases_near(lattice, lengths, angles, LENGTH, ANGLE)
        for row in range(len(lattices)):
            points = lattice_points(lattice, float(lengths[row].max()) * (1 + LENGTH))
            want = len(basis_triples(*points, lengths[row], angles[row], LENGTH, ANGLE)) > 0
            assert found[row] == want
        outcomes.append(found)
    assert np.diag(outcomes).all()
    assert 0.02 < np.mean(outcomes) < 0.3


def test_tolerances_that_are_met_exactly():
    """A cube and a box that is longer by just less, and just more, than the tolerance."""
    cube, right = np.eye(3), np.full((2, 3), 90.0)
    boxes = np.array([[1, 1, 1.2 * (1 - 1e-6)], [1, 1, 1.2 * (1 + 1e-6)]])
    assert bases_near(cube, boxes, right, LENGTH, ANGLE).tolist() == [True, False]
    skewed = np.array([[90, 90, 95 - 1e-6], [90, 90, 95 + 1e-6]])
    assert bases_near(cube, np.ones((2, 3)), skewed, LENGTH, ANGLE).tolist() == [True, False]


def test_what_is_too_long_is_not_excluded():
    """Only a cell of ordinary shape can be told to differ."""
    thin = np.diag([1e-4, 1e-4, 1e8])
    lengths = np.array([[1.0, 1, 1], [0.1, 0.1, MAX_RADIUS]])
    right = np.full((2, 3), 90.0)
    assert bases_near(np.eye(3), lengths, right, LENGTH, ANGLE).tolist() == [True, True]
    assert bases_near(np.diag([0.5, 0.5, 4]), lengths, right, LENGTH, ANGLE).tolist() == [False, True]
    assert bases_near(thin, lengths, right, LENGTH, ANGLE).tolist() == [True, True]
    assert bases_near(np.eye(3), lengths[:0], right[:0], LENGTH, ANGLE).shape == (0,)
