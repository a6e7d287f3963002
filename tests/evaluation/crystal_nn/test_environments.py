from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from nucleate.evaluation.crystal_nn.environments import environments


def of_faces(angles, areas, distances=None, numbers=None):
    """The environment of one site, whose neighbours lie along x one after the other."""
    size = len(angles)
    numbers = np.arange(1, size + 1) if numbers is None else np.array(numbers)
    radii, electronegativities = np.full(100, 1.0), np.zeros(100)
    electronegativities[8], electronegativities[11], electronegativities[17] = 3.44, 0.93, 3.16
    vectors = np.zeros((size, 3))
    vectors[:, 0] = np.arange(1, size + 1)
    distances = np.ones(size) if distances is None else np.array(distances, dtype=float)
    own = np.concatenate([[11], numbers])
    found = environments(
        np.array([0, size]),
        vectors,
        np.arange(1, size + 1),
        distances,
        np.array(angles, dtype=float),
        np.array(areas, dtype=float),
        np.array([0]),
        radii[own],
        electronegativities[own],
    )
    return [part[0] for part in found]


def test_equal_faces_are_equal_neighbours():
    neighbours, weights, probabilities = of_faces([2.0] * 6, [3.0] * 6)
    np.testing.assert_array_equal(np.sort(neighbours[:6, 0]), np.arange(1, 7))
    np.testing.assert_allclose(weights, [1.0] * 6 + [0.0] * 19)
    np.testing.assert_allclose(probabilities, np.arange(25) == 6)


def test_probabilities_are_areas_of_a_quarter_circle():
    _, weights, probabilities = of_faces([1.0, 0.8, 0.8, 0.3], [1.0, 1.0, 1.0, 1.0], numbers=[2, 2, 2, 2])
    np.testing.assert_allclose(weights[:5], [1, 0.64, 0.64, 0.09, 0])
    edges = {1: (1.0, 0.64), 3: (0.64, 0.09), 4: (0.09, 0.0)}
    for cn, (high, low) in edges.items():
        want = quad(lambda x: np.sqrt(1 - x**2), low, high)[0] / (np.pi / 4)
        assert probabilities[cn] == pytest.approx(want, abs=1e-9)
    assert probabilities.sum() == pytest.approx(1)
    assert np.flatnonzero(probabilities).tolist() == [1, 3, 4]


def test_weights_are_compared_to_three_decimals():
    _, weights, probabilities = of_faces([1.0, 0.7071, 0.7070, 0.02], [1.0] * 4, numbers=[2] * 4)
    assert weights[1] > weights[2]
    assert probabilities[2] == 0  # 0.49999 and 0.49985 are both 0.500
    assert probabilities[3] > 0
    assert probabilities[4] == 0  # 0.0004 is none


def test_stretched_bonds_weaken_along_a_cosine():
    distances = [2.5, 2.6, 2.75, 2.999, 3.0, 9.0]
    _, weights, probabilities = of_faces([1.0] * 6, [1.0] * 6, distances, numbers=[2] * 6)
    want = [(1 + np.cos(np.pi * (d - 2.5) / 0.5)) / 2 for d in distances[:4]]
    np.testing.assert_allclose(weights[:5], [*want, 0])
    assert probabilities.sum() == pytest.approx(1)


def test_a_site_without_bonds_has_coordination_number_0():
    _, weights, probabilities = of_faces([1.0] * 4, [1.0] * 4, [8.0] * 4)
    assert not weights.any()
    np.testing.assert_array_equal(probabilities, np.arange(25) == 0)


def test_if_no_bond_is_short_0_is_probable():
    _, _, probabilities = of_faces([1.0] * 4, [1.0] * 4, [2.75] * 4)
    want = quad(lambda x: np.sqrt(1 - x**2), 0.5, 1)[0] / (np.pi / 4)
    assert probabilities[0] == pytest.approx(want)
    assert probabilities[4] == pytest.approx(1 - want)


def test_difference_of_electronegativity_counts():
    # From sodium to oxygen, chlorine, sodium, and an element without electronegativity.
    neighbours, weights, _ = of_faces([1.0] * 4, [1.0] * 4, numbers=[11, 17, 2, 8])
    factors = np.array([1 + 3 * np.sqrt((x - 0.93) / 3.3) for x in (3.44, 3.16)] + [1, 1])
    np.testing.assert_allclose(weights[:4], factors / factors[0])
    assert neighbours[:2, 0].tolist() == [4, 2]


def test_large_faces_far_away_weigh_less():
    _, weights, _ = of_faces([1.0, 1.0], [1.0, 4.0], numbers=[2, 2])
    np.testing.assert_allclose(weights[:2], [1, 0.25])


def test_numbers_beyond_24_are_left_out():
    angles = np.linspace(1, 0.5, 40)
    _, weights, probabilities = of_faces(angles, np.ones(40), numbers=[2] * 40)
    np.testing.assert_allclose(weights, angles[:25] ** 2)
    want = quad(lambda x: np.sqrt(1 - x**2), round(angles[24] ** 2, 3), 1)[0] / (np.pi / 4)
    assert probabilities.sum() == pytest.approx(want, abs=1e-9)


def test_a_site_without_faces_has_no_neighbours():
    _, weights, probabilities = of_faces([], [])
    assert not weights.any()
    assert probabilities[0] == 1
