"""A proposal that is the target in disguise comes back onto it."""

from __future__ import annotations

import numpy as np
import pytest

from nucleate.models.flowllm.alignment import aligned

LATTICES = {
    "cubic": np.eye(3) * 4.0,
    "hexagonal": np.array([[4.0, 0, 0], [-2.0, 12**0.5, 0], [0, 0, 6.5]]),
    "triclinic": np.array([[4.1, 0.2, 0.1], [0.7, 5.0, 0.3], [0.4, 0.9, 6.2]]),
}
NUMBERS = np.array([8, 22, 8, 56, 8, 22])


@pytest.mark.parametrize("name", LATTICES)
@pytest.mark.parametrize("seed", range(5))
def test_disguises_are_seen_through(name, seed):
    rng = np.random.default_rng(seed)
    lattice = LATTICES[name]
    target = rng.random((6, 3))
    change = (
        np.array([[0, 1, 0], [1, 0, 0], [0, 0, -1]]) if name == "cubic" else np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1]])
    )
    if seed % 2:
        change = -change  # the mirror image of the cell
    order = rng.permutation(6)
    disguised = ((target + rng.random(3)) @ np.linalg.inv(change))[order]
    noise = 0.02 * rng.normal(size=(6, 3)) @ np.linalg.inv(change @ lattice)
    places, cell = aligned(NUMBERS[order], disguised + noise, change @ lattice, target, lattice, NUMBERS)
    apart = places - target
    apart = (apart - np.round(apart)) @ lattice
    assert np.abs(cell @ cell.T - lattice @ lattice.T).max() < 1e-9
    assert np.linalg.norm(apart, axis=1).max() < 0.3


def test_elements_stay_with_their_atoms():
    rng = np.random.default_rng(1)
    target, other = rng.random((6, 3)), rng.random((6, 3))
    order = rng.permutation(6)
    places, _ = aligned(NUMBERS[order], other, np.eye(3) * 4, target, np.eye(3) * 4, NUMBERS)

    def distances(frac: np.ndarray, first: int, second: int) -> list[float]:
        of = [frac[number == NUMBERS] for number in (first, second)]
        apart = of[0][:, None] - of[1]
        return np.sort(np.linalg.norm(apart - np.round(apart), axis=-1).ravel()).round(9).tolist()

    for pair in ((8, 22), (8, 56), (22, 56)):
        assert distances(places, *pair) == distances(other[np.argsort(order)], *pair)
