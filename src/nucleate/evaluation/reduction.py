"""Reduced cells as pymatgen's StructureMatcher makes them: first the Niggli cell, then the primitive one.

The matcher averages the parameters of two cells, so that which of several equivalent cells is taken moves an RMS by up
to 1e-4 and, rarely, a decision. Two releases of pymatgen changed that choice; `Convention` says which one is meant.
The algorithm is that of Grosse-Kunstleve, Sauter and Adams (2004), Acta Cryst. A60, 1-6; the search for a smaller cell
goes through the Hermite normal forms of its index.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache, reduce
from itertools import product
from math import acos, cos, degrees, gcd, radians, sqrt

import numpy as np
from jaxtyping import Float, Int

from nucleate.elements import SYMBOLS
from nucleate.evaluation.cells import Cell, FlatCellError, cross, lattice_points, lll_transforms

NIGGLI_TOLERANCE = 1e-5
MAX_STEPS = 100
SAME_ABSOLUTE, SAME_RELATIVE = 1e-8, 1e-5
"""Within these the components of two lattices are the same; then the old lattice is kept."""

SITE_TOLERANCE = 0.25
"""Sites that a translation brings within this distance (Å, along each axis) of each other are the same site."""

MAX_PAIRS = 1 << 24
"""Pairs of lattice points that are looked through at most when a basis is sought; some hundreds are usual."""

MAX_BASES = 1 << 14
"""Bases of nearly the same shape that a lattice may have; some dozens are usual, thousands if it is very long."""

BLOCK = 1 << 14
"""Pairs of sites that are looked at together."""


class Convention(StrEnum):
    """Which release of pymatgen picks the Niggli cell."""

    PUBLISHED = "pymatgen 2023.10.11"
    """The release behind the published numbers: steps A2 to A4 see the cell from before A1, and the first basis that
    has the Niggli parameters is taken, whatever its handedness."""
    CURRENT = "pymatgen 2026.10"
    """A2 to A4 see the cell after A1 (materialsproject/pymatgen#3657), and a basis of the same handedness is preferred
    (#4457)."""


def reduced_cell(cell: Cell, convention: Convention = Convention.PUBLISHED) -> Cell:
    """Returns the primitive cell of the Niggli cell, with sites that coincide averaged.

    Raises:
        ValueError: the cell has no Niggli cell (it is flat, or not finite).
    """
    return _primitive(_niggli_cell(cell, convention), convention)


def reduced_or_none(cell: Cell, convention: Convention = Convention.PUBLISHED) -> Cell | None:
    """The reduced cell, or None if there is none."""
    try:
        return reduced_cell(cell, convention)
    except (ValueError, ArithmeticError):
        return None


def _niggli_cell(cell: Cell, convention: Convention) -> Cell:
    lattice = niggli_lattice(cell.lattice, convention)
    if (np.abs(lattice - cell.lattice) <= SAME_ABSOLUTE + SAME_RELATIVE * np.abs(cell.lattice)).all():
        return cell
    frac = cell.frac @ cell.lattice @ np.linalg.inv(lattice)
    return Cell(cell.numbers, np.mod(frac, 1), lattice)


def niggli_lattice(lattice: Float[np.ndarray, "3 3"], convention: Convention) -> Float[np.ndarray, "3 3"]:
    """Finds lattice vectors that make the Niggli cell.

    Raises:
        ValueError: there are none (the cell is flat, or not finite).
    """
    volume = abs(np.linalg.det(lattice)) if np.isfinite(lattice).all() else 0.0
    if volume == 0:
        raise ValueError("the cell is flat or not finite")
    epsilon = float(NIGGLI_TOLERANCE * volume ** (1 / 3))
    transform = lll_transforms(lattice[None])[0]
    rows = transform @ lattice
    lengths, angles = _niggli_parameters(rows @ rows.T, epsilon, refresh=convention is Convention.CURRENT)
    points = lattice_points(lattice, float(lengths.max()) * (1 + epsilon), transform)
    basis = _first_basis(*points, lengths, angles, epsilon, proper_first=convention is Convention.CURRENT)
    return basis if np.linalg.det(basis) > 0 else -basis


def _niggli_parameters(
    metric: Float[np.ndarray, "3 3"], e: float, *, refresh: bool
) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3"]]:
    """Lengths and angles of the Niggli cell, by the steps A1 to A8 of the paper.

    Args:
        metric: scalar products of the lattice vectors, in Å².
        e: tolerance of the comparisons.
        refresh: whether steps A2 to A4 see what A1 did.
    """
    A, B, C = metric.diagonal().tolist()
    xi, eta, zeta = 2 * float(metric[1, 2]), 2 * float(metric[0, 2]), 2 * float(metric[0, 1])
    for _ in range(MAX_STEPS):
        seen = B, xi, eta, zeta
        if B + e < A or (abs(A - B) < e and abs(xi) > abs(eta) + e):
            A, B, xi, eta = B, A, eta, xi
            if refresh:
                seen = B, xi, eta, zeta
        if C + e < seen[0] or (abs(seen[0] - C) < e and abs(seen[2]) > abs(zeta) + e):
            B, C, eta, zeta = C, B, zeta, eta
            continue
        i, j, k = _niggli_signs(*seen[1:], e)
        xi, eta, zeta = xi * j * k, eta * i * k, zeta * i * j
        if abs(xi) > B + e or (abs(xi - B) < e and zeta - e > 2 * eta) or (abs(xi + B) < e and -e > zeta):
            sign = 1 if xi > 0 else -1
            C, xi, eta = C + B - abs(xi), xi - sign * 2 * B, eta - sign * zeta
        elif abs(eta) > A + e or (abs(A - eta) < e and zeta - e > 2 * xi) or (abs(A + eta) < e and -e > zeta):
            sign = 1 if eta > 0 else -1
            C, xi, eta = C + A - abs(eta), xi - sign * zeta, eta - sign * 2 * A
        elif abs(zeta) > A + e or (abs(A - zeta) < e and eta - e > 2 * xi) or (abs(A + zeta) < e and -e > eta):
            sign = 1 if zeta > 0 else -1
            B, xi, zeta = B + A - abs(zeta), xi - sign * eta, zeta - sign * 2 * A
        elif -e > xi + eta + zeta + A + B or abs(xi + eta + zeta + A + B) < e < zeta + (A + eta) * 2:
            C, xi, eta = A + B + C + xi + eta + zeta, xi + 2 * B + zeta, eta + 2 * A + zeta
        else:
            break
    a, b, c = sqrt(A), sqrt(B), sqrt(C)
    angles = [degrees(acos(xi / 2 / b / c)), degrees(acos(eta / 2 / a / c)), degrees(acos(zeta / 2 / a / b))]
    return np.array([a, b, c]), np.array(angles)


def _niggli_signs(xi: float, eta: float, zeta: float, e: float) -> tuple[int, int, int]:
    """Steps A3 and A4: which vectors to reverse so that all three products are positive, or none is."""
    signs = [0 if abs(x) < e else (1 if x > 0 else -1) for x in (xi, eta, zeta)]
    wrong = -1 if signs[0] * signs[1] * signs[2] == 1 else 1
    reverse = [-1 if sign == wrong else 1 for sign in signs]
    if reverse[0] * reverse[1] * reverse[2] == -1:
        # The hand is kept by reversing as well a vector across from a right angle.
        for axis in (2, 1, 0):
            if signs[axis] == 0:
                reverse[axis] = -1
                break
    return reverse[0], reverse[1], reverse[2]


def _first_basis(
    whole: Int[np.ndarray, "p 3"],
    vectors: Float[np.ndarray, "p 3"],
    distances: Float[np.ndarray, " p"],
    lengths: Float[np.ndarray, "3"],
    angles: Float[np.ndarray, "3"],
    tolerance: float,
    *,
    proper_first: bool,
) -> Float[np.ndarray, "3 3"]:
    """The first three of the lattice points with these lengths (relative tolerance) and angles (to 1°).

    Raises:
        ValueError: there are none.
    """
    triples = basis_triples(whole, vectors, distances, lengths, angles, tolerance, 1.0)
    if not len(triples):
        raise ValueError("the Niggli cell was not found")
    first = 0
    if proper_first:
        proper = np.linalg.det(whole[triples].astype(np.float64)) > 0
        first = int(proper.argmax())
    return vectors[triples[first]]


def basis_triples(
    whole: Int[np.ndarray, "p 3"],
    vectors: Float[np.ndarray, "p 3"],
    distances: Float[np.ndarray, " p"],
    lengths: Float[np.ndarray, "3"],
    angles: Float[np.ndarray, "3"],
    length_tolerance: float,
    angle_tolerance: float,
) -> Int[np.ndarray, "k 3"]:
    """Finds all triples of lattice points that make a basis of the lattice, with nearly the given lengths and angles.

    Args:
        whole: integer coordinates of the points.
        vectors: Cartesian coordinates in Å.
        distances: from the origin in Å.
        lengths: wanted, in Å.
        angles: wanted, in degrees.
        length_tolerance: lengths may differ by a factor of up to 1 + this.
        angle_tolerance: in degrees.

    Returns:
        Triples of places in the list of points, in lexicographic order.

    Raises:
        FlatCellError: so many points have nearly the right lengths that the cell must be flat.
    """
    ratio = distances[:, None] / lengths
    a, b, c = (np.flatnonzero(x) for x in ((ratio < 1 + length_tolerance) & (ratio > 1 / (1 + length_tolerance))).T)
    unit = vectors / distances[:, None].clip(min=1e-300)
    # Cosines fall as angles grow, so that the bounds change places.
    low = [cos(radians(angle + angle_tolerance)) if angle + angle_tolerance < 180 else -2 for angle in angles.tolist()]
    high = [cos(radians(angle - angle_tolerance)) if angle > angle_tolerance else 2 for angle in angles.tolist()]

    def allowed(x: np.ndarray, y: np.ndarray, which: int) -> np.ndarray:
        cosines = unit[x] @ unit[y].T
        return (cosines >= low[which]) & (cosines <= high[which])

    if len(b) * len(c) > MAX_PAIRS:
        raise FlatCellError("the cell is too flat to look through pairs of lattice vectors")
    j, k = np.nonzero(allowed(b, c, 0))
    if len(a) * len(j) > MAX_PAIRS:
        raise FlatCellError("the cell is too flat to look through triples of lattice vectors")
    normals = cross(whole[b[j]], whole[c[k]])
    fits = allowed(a, b, 2)[:, j] & allowed(a, c, 1)[:, k] & (np.abs(whole[a] @ normals.T) == 1)
    i, pair = np.nonzero(fits)
    if len(i) > MAX_BASES:
        raise FlatCellError("the cell is so flat that it has thousands of bases of nearly the same shape")
    return np.stack([a[i], b[j[pair]], c[k[pair]]], 1)


def _primitive(cell: Cell, convention: Convention) -> Cell:
    """Looks for a smaller cell, smallest index first, until there is none."""
    groups = [np.flatnonzero(cell.numbers == z) for z in sorted(set(cell.numbers.tolist()), key=SYMBOLS.__getitem__)]
    units = reduce(gcd, map(len, groups))
    if units == 1:
        return cell
    lengths = np.sqrt((cell.lattice**2).sum(1))
    tolerance = SITE_TOLERANCE / lengths
    translations = _translations([cell.frac[group] for group in groups], 2 * tolerance)
    for index, forms, inverses in _hermite_forms(units):
        misfit = np.abs(_centred(inverses[:, :, None, :] - translations))
        fits = (misfit < tolerance).all(-1).any(-1).all(-1)
        for form, inverse in zip(forms[fits], inverses[fits], strict=True):
            smaller = _fold(cell, groups, index, form, inverse @ cell.lattice)
            if smaller is not None:
                return _niggli_cell(_primitive(smaller, convention), convention)
    return cell


def _translations(groups: list[np.ndarray], tolerance: Float[np.ndarray, "3"]) -> Float[np.ndarray, "t 3"]:
    """Translations that take every site near a site of the same element; candidates are those of the rarest element."""
    rarest = min(groups, key=len)
    vectors = rarest - rarest[0]
    for group in sorted(groups, key=len):
        site = 0
        # Most candidates fail at one of the first sites; only the translation by nothing never does.
        while site < len(group) and len(vectors) > 1:
            take = max(1, BLOCK // (len(vectors) * len(group)))
            between = group - group[site : site + take, None]
            misfit = np.abs(_centred(between[:, None] - vectors[:, None]))
            vectors = vectors[(misfit < tolerance).all(-1).any(-1).all(0)]
            site += take
    return vectors


@cache
def _hermite_forms(units: int) -> list[tuple[int, np.ndarray, np.ndarray]]:
    """The distinct supercells whose index divides `units`: index, matrices and their inverses, by diagonal."""
    forms = []
    for index in _divisors(units)[1:]:
        for a in _divisors(index):
            for e in _divisors(index // a):
                off = product(range(a), range(a), range(e))
                block = np.array([[[a, b, c], [0, e, f], [0, 0, index // a // e]] for b, c, f in off], dtype=np.float64)
                forms.append((index, block, np.linalg.inv(block)))
    return forms


def _divisors(n: int) -> list[int]:
    return [d for d in range(1, n + 1) if n % d == 0]


def _fold(cell: Cell, groups: list[np.ndarray], index: int, form: np.ndarray, lattice: np.ndarray) -> Cell | None:
    """Folds a cell into one of `index` times less volume; None if not every site meets `index` - 1 others."""
    near = SITE_TOLERANCE / np.sqrt((lattice**2).sum(1))
    apart = 2 * SITE_TOLERANCE / np.sqrt((cell.lattice**2).sum(1))
    numbers, coordinates = [], []
    for group in groups:
        old, new = cell.frac[group], cell.frac[group] @ form
        # Sites that are neighbours in the cell itself must not be taken for images of each other.
        distinct = (np.abs(_centred(old - old[:, None])) > apart).any(-1) | np.eye(len(group), dtype=bool)
        same = (np.abs(_centred(new - new[:, None])) < near).all(-1) & distinct
        if (same.sum(0) != index).any() or any(not same[row][:, row].all() for row in same):
            return None
        new, done = new % 1, np.zeros(len(group), dtype=bool)
        for site, row in enumerate(same):
            if not done[site]:
                done |= row
                coordinates.append(_running_mean(new[row]))
                numbers.append(cell.numbers[group[0]])
    return Cell(np.array(numbers), np.array(coordinates), lattice)


def _running_mean(points: Float[np.ndarray, "k 3"]) -> Float[np.ndarray, "3"]:
    """Mean of points on the torus that lie close together."""
    mean = points[0].copy()
    for count, point in enumerate(points[1:], 2):
        mean += _centred(point - mean) / count
    return mean


def _centred(delta: np.ndarray) -> np.ndarray:
    return delta - np.round(delta)
