from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.analysis.local_env import LocalStructOrderParams, cn_opt_params

from nucleate.evaluation.crystal_nn.motifs import KINDS, LABELS, NUMBERS, PARAMETERS
from nucleate.evaluation.crystal_nn.order_parameters import fingerprints

MOTIFS = [(label, int(cn)) for label, cn in zip(LABELS, NUMBERS, strict=True) if cn > 1 and not label.startswith("wt")]
BODY_CENTRED = "body-centered cubic CN_8"


def ours(label: str, neighbours: np.ndarray, weights: np.ndarray | None = None) -> float:
    """One order parameter of neighbours that are given by falling weight."""
    size = len(neighbours)
    places, weight, probability = np.zeros((1, 25, 3)), np.zeros((1, 25)), np.zeros((1, 25))
    places[0, :size] = neighbours
    weight[0, :size] = np.linspace(1, 0.5, size) if weights is None else weights
    probability[0, size] = 1
    return fingerprints(places, weight, probability, NUMBERS, KINDS, PARAMETERS)[0, LABELS.index(label)]


class Site:
    def __init__(self, coords):
        self.coords = np.array(coords, dtype=float)


@cache
def theirs_for(label: str) -> Any:
    name, cn = label.rsplit(" CN_", 1)
    motif: list[Any] = cn_opt_params.get(int(cn), {}).get(name, [name])
    return LocalStructOrderParams(motif[:1], parameters=[dict(motif[1]) if motif[1:] else None])


def theirs(label: str, neighbours: np.ndarray) -> float:
    sites = [Site(np.zeros(3)), *map(Site, neighbours)]
    return theirs_for(label).get_order_parameters(sites, 0, indices_neighs=list(range(1, len(sites))))[0] or 0.0


def directions(rng, size):
    points = rng.normal(size=(size, 3))
    return points / np.linalg.norm(points, axis=1)[:, None] * rng.uniform(1.5, 3, (size, 1))


def ring(size, polar=90.0, start=0.0):
    """Directions at one polar angle in degrees."""
    azimuth = np.radians(start) + 2 * np.pi * np.arange(size) / size
    theta = np.radians(polar)
    return np.stack([np.sin(theta) * np.cos(azimuth), np.sin(theta) * np.sin(azimuth), np.cos(theta) + 0 * azimuth], 1)


NORTH, SOUTH = [[0.0, 0, 1]], [[0.0, 0, -1]]
CORNERS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=float)
TETRAHEDRON = CORNERS[CORNERS.prod(1) > 0]
EDGES = np.array([[0, 1, 1], [0, 1, -1], [0, -1, 1], [0, -1, -1]], dtype=float)

# How well an ideal motif scores; 1 but for those whose formula has no such maximum.
IDEAL = {
    "L-shaped CN_2": ([[1, 0, 0], [0, 1, 0]], 1),
    "linear CN_2": ([[1, 0, 0], [-1, 0, 0]], 1),
    "trigonal planar CN_3": (ring(3), 1),
    "trigonal non-coplanar CN_3": (TETRAHEDRON[:3], 1),
    "T-shaped CN_3": ([[1, 0, 0], [-1, 0, 0], [0, 1, 0]], 1),
    "square co-planar CN_4": (ring(4), 1),
    "tetrahedral CN_4": (TETRAHEDRON, 1),
    "see-saw-like CN_4": (np.vstack([ring(3)[:2], NORTH, SOUTH]), 1),
    "rectangular see-saw-like CN_4": (np.vstack([ring(4)[:2], NORTH, SOUTH]), 1),
    "trigonal pyramidal CN_4": (np.vstack([ring(3), NORTH]), 1),
    "pentagonal planar CN_5": (ring(5), None),
    "square pyramidal CN_5": (np.vstack([ring(4), NORTH]), 1),
    "trigonal bipyramidal CN_5": (np.vstack([ring(3), NORTH, SOUTH]), 1),
    "hexagonal planar CN_6": (ring(6), None),
    "octahedral CN_6": (np.vstack([ring(4), NORTH, SOUTH]), 1),
    "pentagonal pyramidal CN_6": (np.vstack([ring(5), NORTH]), 1),
    "hexagonal pyramidal CN_7": (np.vstack([ring(6), NORTH]), 1),
    "pentagonal bipyramidal CN_7": (np.vstack([ring(5), NORTH, SOUTH]), 1),
    "body-centered cubic CN_8": (CORNERS, None),
    "hexagonal bipyramidal CN_8": (np.vstack([ring(6), NORTH, SOUTH]), 1),
    "cuboctahedral CN_12": (np.vstack([np.roll(EDGES, k, axis=1) for k in range(3)]), None),
}


@pytest.mark.parametrize(("label", "cn"), MOTIFS)
def test_values_are_those_of_pymatgen(label, cn):
    rng = np.random.default_rng(NUMBERS[LABELS.index(label)])
    for _ in range(10):
        neighbours = directions(rng, cn)
        assert ours(label, neighbours) == pytest.approx(theirs(label, neighbours), abs=1e-10)


@pytest.mark.parametrize("label", IDEAL)
def test_ideal_motifs(label):
    neighbours, want = np.array(IDEAL[label][0], dtype=float), IDEAL[label][1]
    turned = neighbours @ np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    score = ours(label, turned)
    rattled = turned + np.random.default_rng(1).normal(0, 0.1, turned.shape)
    if want is not None:
        assert score == pytest.approx(want, abs=1e-9)
    assert score > ours(label, rattled)
    assert score > 0.9


def test_steinhardt_of_known_arrangements():
    # Steinhardt, Nelson and Ronchetti (1983), Phys. Rev. B 28, 784: twelve neighbours in a face-centred crystal.
    cuboctahedron = np.array(IDEAL["cuboctahedral CN_12"][0])
    assert ours("q4 CN_12", cuboctahedron) == pytest.approx(0.190940653956, abs=1e-9)
    assert ours("q6 CN_12", cuboctahedron) == pytest.approx(0.574524259714, abs=1e-9)
    assert ours("q2 CN_12", cuboctahedron) == pytest.approx(0, abs=1e-7)


def test_two_neighbours_in_line_have_no_meridian():
    rng = np.random.default_rng(5)
    for label, cn in MOTIFS:
        if cn > 2 and label != BODY_CENTRED:
            neighbours = directions(rng, cn)
            neighbours[1] = -1.25 * neighbours[0]
            assert ours(label, neighbours) == pytest.approx(theirs(label, neighbours), abs=1e-10)


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_values_depend_on_neither_axes_nor_order(seed):
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    for label, cn in MOTIFS:
        neighbours = directions(rng, cn)
        equal = np.ones(cn)
        moved = rng.permutation(neighbours) @ turn
        assert ours(label, moved, equal) == pytest.approx(ours(label, neighbours, equal), abs=1e-9)


def test_equal_weights_count_in_both_orders():
    neighbours = directions(np.random.default_rng(2), 8)
    both = theirs(BODY_CENTRED, neighbours), theirs(BODY_CENTRED, neighbours[::-1])
    assert abs(both[0] - both[1]) > 1e-3
    assert ours(BODY_CENTRED, neighbours, np.ones(8)) == pytest.approx(np.mean(both), abs=1e-10)
    # Two pairs of equals: the mean over the four orders.
    weights = np.array([1, 0.9, 0.8, 0.8, 0.7, 0.6, 0.5, 0.5])
    orders = [[0, 1, *pair, 4, 5, *last] for pair in ([2, 3], [3, 2]) for last in ([6, 7], [7, 6])]
    mean = np.mean([theirs(BODY_CENTRED, neighbours[order]) for order in orders])
    assert ours(BODY_CENTRED, neighbours, weights) == pytest.approx(mean, abs=1e-10)


def test_a_right_angle_is_on_neither_side():
    neighbours = directions(np.random.default_rng(8), 8)
    neighbours[0], neighbours[1] = [2.0, 0, 0], [0.0, 2, 0]
    sides = [theirs(BODY_CENTRED, neighbours + np.eye(8, 3, -1) * tilt) for tilt in (1e-9, -1e-9)]
    assert abs(sides[0] - sides[1]) > 1e-3
    assert ours(BODY_CENTRED, neighbours) == pytest.approx(np.mean(sides), abs=1e-8)


def test_probabilities_multiply():
    neighbours = np.zeros((1, 25, 3))
    neighbours[0, :6] = np.vstack([ring(4), NORTH, SOUTH])
    weights, probabilities = np.zeros((1, 25)), np.zeros((1, 25))
    weights[0, :6], probabilities[0, 6], probabilities[0, 0] = 1, 0.75, 0.25
    row = fingerprints(neighbours, weights, probabilities, NUMBERS, KINDS, PARAMETERS)[0]
    found = dict(zip(LABELS, row, strict=True))
    assert found["wt CN_6"] == 0.75
    assert found["octahedral CN_6"] == pytest.approx(0.75)
    assert not row[NUMBERS != 6].any()
