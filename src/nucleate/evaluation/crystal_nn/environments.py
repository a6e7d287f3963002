"""From faces of a Voronoi cell to the probability of each coordination number. A kernel module."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from nucleate.evaluation.compiled import compiled

LARGEST = 24
"""Largest coordination number that is looked at."""

STRETCH = (0.5, 1.0)
"""In Å, beyond the sum of the radii: where a bond begins to weaken, and where it is gone."""

ELECTRONEGATIVITY_WEIGHT = 3.0
ELECTRONEGATIVITY_RANGE = 3.3
"""The largest difference between two elements, as CrystalNN takes it."""

DECIMALS = 1000.0
"""Weights are compared after rounding to three decimals."""


@compiled
def environments(
    starts: Int[np.ndarray, " s+1"],
    vectors: Float[np.ndarray, "p 3"],
    atoms: Int[np.ndarray, " p"],
    distances: Float[np.ndarray, " p"],
    angles: Float[np.ndarray, " p"],
    areas: Float[np.ndarray, " p"],
    sites: Int[np.ndarray, " s"],
    radii: Float[np.ndarray, " n"],
    electronegativities: Float[np.ndarray, " n"],
) -> tuple[Float[np.ndarray, "s 25 3"], Float[np.ndarray, "s 25"], Float[np.ndarray, "s 25"]]:
    """Ranks the neighbours of each site, and tells how probable each coordination number is.

    Args:
        starts: where the neighbours of each site start, and where the last end.
        vectors: neighbours seen from their site, in Å.
        atoms: the atom that each neighbour is an image of.
        distances: in Å.
        angles: solid angles of the faces, in steradian, 0 where there is none.
        areas: of the faces, in Å².
        sites: atoms in the centre.
        radii: covalent radii of all atoms in Å.
        electronegativities: of all atoms, after Pauling; 0 where there is none.

    Returns:
        For each site its neighbours by falling weight, in Å; their weights, at most 1, and 0 where there are no more;
        and the probability of each coordination number from 0 on.
    """
    neighbours = np.zeros((len(sites), LARGEST + 1, 3))
    weights = np.zeros((len(sites), LARGEST + 1))
    probabilities = np.zeros((len(sites), LARGEST + 1))
    for s in range(len(sites)):
        raw = np.zeros(starts[s + 1] - starts[s])
        own = float(electronegativities[sites[s]])
        largest = 0.0
        for k in range(len(raw)):
            p = starts[s] + k
            if areas[p] > 0:
                # The second factor is CrystalNN's correction for porous structures, whose open cells have large faces.
                raw[k] = angles[p] * (angles[p] / areas[p])
                raw[k] *= _chemical_weight(own, float(electronegativities[atoms[p]]))
                largest = max(largest, raw[k])
        for k in range(len(raw)):
            p = starts[s] + k
            if raw[k] > 0:
                raw[k] *= _distance_weight(float(distances[p] - radii[sites[s]] - radii[atoms[p]])) / largest
        order = np.argsort(-raw)[: LARGEST + 1]
        for rank in range(len(order)):
            if raw[order[rank]] > 0:
                neighbours[s, rank] = vectors[starts[s] + order[rank]]
                weights[s, rank] = raw[order[rank]]
        _read_probabilities(weights[s], probabilities[s])
    return neighbours, weights, probabilities


@compiled
def _chemical_weight(one: float, other: float) -> float:
    """Favours bonds between elements of different electronegativity."""
    if one == 0 or other == 0:
        return 1.0
    return 1 + ELECTRONEGATIVITY_WEIGHT * np.sqrt(abs(one - other) / ELECTRONEGATIVITY_RANGE)


@compiled
def _distance_weight(stretch: float) -> float:
    """Falls from 1 to 0 along half a cosine."""
    if stretch <= STRETCH[0]:
        return 1.0
    if stretch >= STRETCH[1]:
        return 0.0
    return 0.5 * (1 + np.cos(np.pi * (stretch - STRETCH[0]) / (STRETCH[1] - STRETCH[0])))


@compiled
def _read_probabilities(weights: Float[np.ndarray, "25"], probabilities: Float[np.ndarray, "25"]) -> None:
    """The coordination number n has the area of a quarter circle between the weights of neighbours n and n + 1.

    Neighbours with the same rounded weight are coordinated together, so that the numbers between have probability 0.
    """
    above = np.pi / 4
    for cn in range(LARGEST + 1):
        below = _area_below(np.rint(weights[cn] * DECIMALS) / DECIMALS)
        probabilities[cn] = (above - below) / (np.pi / 4)
        above = below


@compiled
def _area_below(x: float) -> float:
    """Area under a quarter of the unit circle from 0 to x."""
    if x >= 1:
        return np.pi / 4
    root = np.sqrt(1 - x**2)
    return 0.5 * (x * root + np.arctan(x / root))
