"""Order parameters of a site: how close its neighbours come to a motif. A kernel module.

Most motifs are judged after Peters (2009, J. Chem. Phys. 131, 244103) as Zimmermann and Jain (2020, RSC Adv. 10, 6063)
do: each neighbour j in turn is put at the North pole, each other neighbour k on the prime meridian, and the rest are
scored by their polar angle θ from j and their azimuth φ from k. `motifs` lists the angles and widths. Angles between
neighbours are computed once for a site; in the loop over three neighbours, powers of cos φ (Chebyshev polynomials) are
all that is left of the trigonometry.

One of them, `_body_centred`, takes the neighbours in their order, and a sign from which side of 90° an angle is. Where
symmetry makes neighbours equivalent and angles right, pymatgen's values hang on rounding errors there. Here two
neighbours of the same weight count in both orders, half each, and a right angle is on neither side.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from nucleate.evaluation.compiled import compiled
from nucleate.evaluation.crystal_nn.motifs import Kind

LARGEST = 12
"""Largest coordination number that has motifs other than itself."""

ON_AXIS = 1e-12
"""A neighbour whose direction is this close to the polar axis has no azimuth."""

NO_AZIMUTH = 2.0
"""Stands for its cosine."""

SAME_ANGLE = 1e-12
"""In radians. Angles that differ by less count as the same, and so do weights that differ by less than the next;
rounding errors of either stay below 1e-14."""

SAME_WEIGHT = 1e-13

SOUTH_OF_CUBE = 2.5261129449194057
SOUTH_OF_CUBOCTAHEDRON = 2.792526803190927
"""Polar angle in radians from which on a neighbour sits at the South pole."""

EQUATORIAL = (1.3089969389957472, 1.8325957145940461)
"""Polar angles in radians, 75° and 105°, between which a neighbour belongs to the equator."""


@compiled
def fingerprints(
    neighbours: Float[np.ndarray, "s r 3"],
    weights: Float[np.ndarray, "s r"],
    probabilities: Float[np.ndarray, "s r"],
    numbers: Int[np.ndarray, " f"],
    kinds: Int[np.ndarray, " f"],
    parameters: Float[np.ndarray, "f 7"],
) -> Float[np.ndarray, "s f"]:
    """Computes the order parameters of each site, times the probabilities of their coordination numbers.

    Args:
        neighbours: of each site by falling weight, seen from there.
        weights: their weights; 0 where there are no more.
        probabilities: of the coordination numbers from 0 on.
        numbers: for each column its coordination number, ascending.
        kinds: the formula, a `Kind`.
        parameters: of the formula.
    """
    values = np.zeros((len(neighbours), len(numbers)))
    for s in range(len(neighbours)):
        size = 0
        while size < LARGEST and weights[s, size] > 0:
            size += 1
        units = np.empty((size, 3))
        for rank in range(size):
            units[rank] = neighbours[s, rank] / np.sqrt(_dot(neighbours[s, rank], neighbours[s, rank]))
        polar = polar_angles(units)
        azimuth = azimuth_cosines(units)
        for f in range(len(numbers)):
            cn = numbers[f]
            if probabilities[s, cn] > 0:
                near, around = polar[:cn, :cn], azimuth[:cn, :cn, :cn]
                value = _order_parameter(kinds[f], parameters[f], near, around, weights[s])
                values[s, f] = probabilities[s, cn] * value
    return values


@compiled
def polar_angles(units: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n n"]:
    """Angles in radians between neighbours."""
    angles = np.zeros((len(units), len(units)))
    for j in range(len(units)):
        for k in range(j):
            angles[j, k] = angles[k, j] = np.arccos(max(-1.0, min(_dot(units[j], units[k]), 1.0)))
    return angles


@compiled
def azimuth_cosines(units: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n n n"]:
    """Cosine of the azimuth of m (third axis) from k (second) around j (first).

    It is `NO_AZIMUTH` if k or m is on the axis; so is that of k from itself, which tells whether k has one.
    """
    size = len(units)
    cosines = np.full((size, size, size), NO_AZIMUTH)
    aside = np.empty((size, 3))
    lengths = np.empty(size)
    for j in range(size):
        for k in range(size):
            aside[k] = units[k] - _dot(units[k], units[j]) / _dot(units[j], units[j]) * units[j]
            lengths[k] = np.sqrt(_dot(aside[k], aside[k])) if k != j else 0.0
        for k in range(size):
            for m in range(k + 1):
                if lengths[k] >= ON_AXIS and lengths[m] >= ON_AXIS:
                    cosine = _dot(aside[k], aside[m]) / (lengths[k] * lengths[m])
                    cosines[j, k, m] = cosines[j, m, k] = max(-1.0, min(cosine, 1.0))
    return cosines


@compiled
def _order_parameter(
    kind: int,
    parameters: Float[np.ndarray, "7"],
    polar: Float[np.ndarray, "n n"],
    azimuth: Float[np.ndarray, "n n n"],
    weights: Float[np.ndarray, " r"],
) -> float:
    if kind == Kind.CERTAIN:
        return 1.0
    if kind == Kind.BENT:
        return _gaussian(parameters[1] * (polar[0, 1] / np.pi - parameters[0]))
    if kind == Kind.POLAR:
        return _polar(parameters, polar, azimuth)
    if kind == Kind.BODY_CENTRED:
        return _body_centred(polar, azimuth, weights)
    if kind == Kind.CUBOCTAHEDRAL:
        return _cuboctahedral(polar, azimuth)
    return _steinhardt(parameters[0], polar)


@compiled
def _polar(
    parameters: Float[np.ndarray, "7"], polar: Float[np.ndarray, "n n"], azimuth: Float[np.ndarray, "n n n"]
) -> float:
    """The best mean score over all choices of a North pole j and a prime meridian k.

    Each neighbour on the ring scores a Gaussian of its polar angle times cos²(fold/2 · φ), one at the South pole a
    Gaussian of its angle from there.
    """
    low, high, ring_width, fold, south, south_width, widest = parameters
    least = np.cos(widest) + SAME_ANGLE if widest < np.pi else -NO_AZIMUTH
    size = len(polar)
    best = 0.0
    on_ring = np.empty(size)
    at_south = np.empty(size)
    is_south = np.empty(size, np.bool_)
    for j in range(size):
        for m in range(size):
            angle = polar[j, m] / np.pi
            on_ring[m] = _gaussian(ring_width * (angle - (low if angle <= 0.5 * (low + high) else high)))
            at_south[m] = _gaussian(south_width * (angle - 1))
            is_south[m] = polar[j, m] >= south - SAME_ANGLE
        for k in range(size):
            if k == j:
                continue
            score, terms = (0.0, 0) if is_south[k] else (on_ring[k], 1)
            for m in range(size):
                if m in (j, k):
                    continue
                if is_south[m]:
                    if azimuth[j, k, k] != NO_AZIMUTH:
                        score += at_south[m]
                        terms += 1
                elif not is_south[k] and least < azimuth[j, k, m] < NO_AZIMUTH:
                    score += 0.5 * (1 + _chebyshev(fold, azimuth[j, k, m])) * on_ring[m]
                    terms += 1
            if terms > 0:
                best = max(best, score / terms)
    return best


@compiled
def _body_centred(
    polar: Float[np.ndarray, "n n"], azimuth: Float[np.ndarray, "n n n"], weights: Float[np.ndarray, " r"]
) -> float:
    """Peters' order parameter for the eight neighbours in a body-centred cubic crystal.

    It takes each pair once, the neighbour with the larger weight at the North pole, and the two ways differ.
    """
    size = len(polar)
    score = 0.0
    for j in range(size):
        for k in range(j + 1, size):
            if weights[j] - weights[k] > SAME_WEIGHT:
                score += body_centred_pair(k, polar[j], azimuth[j])
            else:
                score += 0.5 * (body_centred_pair(k, polar[j], azimuth[j]) + body_centred_pair(j, polar[k], azimuth[k]))
    return score / (0.5 * size * (6 + (size - 2) * (size - 3)))


@compiled
def body_centred_pair(k: int, polar: Float[np.ndarray, " n"], azimuth: Float[np.ndarray, "n n"]) -> float:
    """Score of neighbour k and the rest, for one North pole."""
    if abs(polar[k] - np.pi / 2) <= SAME_ANGLE:
        return 0.0
    if polar[k] >= SOUTH_OF_CUBE:
        return 6 * _gaussian(15 * (polar[k] / np.pi - 1))
    score = 0.0
    for m in range(len(polar)):
        if m != k and azimuth[k, m] != NO_AZIMUTH:
            latitude = (polar[m] - np.pi / 2) / np.arcsin(1 / 3)
            score += _chebyshev(3, azimuth[k, m]) * latitude * _gaussian(latitude) / np.exp(-0.5)
    return score if polar[k] > np.pi / 2 else -score


@compiled
def _cuboctahedral(polar: Float[np.ndarray, "n n"], azimuth: Float[np.ndarray, "n n n"]) -> float:
    """The best mean score over all North poles j and prime meridians k, for the twelve corners of a cuboctahedron.

    Seen from a corner there are four others at 60°, two at 90°, four at 120° and one at 180°. The prime meridian goes
    through one at 90° (`EQUATORIAL`), or else through the South pole.
    """
    size = len(polar)
    best = 0.0
    for j in range(size):
        for k in range(size):
            score = terms = 0.0
            if polar[j, k] >= SOUTH_OF_CUBOCTAHEDRON:
                score, terms = 1.8 * _gaussian(28.75 * (polar[j, k] / np.pi - 1)), 1.8
            elif EQUATORIAL[0] < polar[j, k] < EQUATORIAL[1]:
                for m in range(size):
                    cosine, angle = azimuth[j, k, m], polar[j, m]
                    if m == k or cosine == NO_AZIMUTH or angle >= SOUTH_OF_CUBOCTAHEDRON:
                        continue
                    terms += 1
                    if EQUATORIAL[0] < angle < EQUATORIAL[1]:
                        score += cosine**2 * _gaussian(25.5 * (angle / np.pi - 1 / 2))
                    else:
                        ideal = 1 / 3 if angle < EQUATORIAL[0] else 2 / 3
                        # sin φ = (2/3)^½ there; the width, which is that of the paper, lets nearly every φ pass.
                        aside = 0.0556 * (np.sqrt(1 - cosine**2) - 0.81649658)
                        score += _gaussian(aside) * _gaussian(31.25 * (angle / np.pi - ideal))
            if terms > 0:
                best = max(best, score / terms)
    return best


@compiled
def _steinhardt(degree: float, polar: Float[np.ndarray, "n n"]) -> float:
    """q_l; the sum over spherical harmonics is one over Legendre polynomials, by their addition theorem."""
    score = 0.0
    for j in range(len(polar)):
        for k in range(len(polar)):
            cosine = np.cos(polar[j, k])
            before, here = 1.0, cosine
            for n in range(2, int(degree) + 1):
                before, here = here, ((2 * n - 1) * cosine * here - (n - 1) * before) / n
            score += here
    return np.sqrt(max(score, 0.0)) / len(polar)


@compiled
def _gaussian(x: float) -> float:
    return np.exp(-0.5 * x**2)


@compiled
def _chebyshev(fold: float, cosine: float) -> float:
    """cos(fold · φ) from cos φ."""
    before, here = 1.0, cosine
    for _ in range(int(fold) - 1):
        before, here = here, 2 * cosine * here - before
    return here


@compiled
def _dot(a: Float[np.ndarray, "3"], b: Float[np.ndarray, "3"]) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
