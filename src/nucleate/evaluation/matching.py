"""Whether two crystals are the same, and how far apart their atoms are: pymatgen's StructureMatcher on arrays.

`get_rms_dist` of pymatgen takes about 9 ms a pair, nearly all of it in small objects. Here the same algorithm runs on
stacks of arrays, in the same order, with the same tolerances, so that decisions are the same; tests compare them.

1. Both crystals become primitive Niggli cells (`reduction`) and are scaled to a common volume.
2. Every basis of the prediction's lattice whose lengths and angles are near the reference's is tried, with every
   translation that puts an atom of the rarest element on the reference's.
3. Of those in which each atom has a partner within reach, atoms are assigned so that the squared distances add up to
   the least; the mean displacement is taken out; the root mean square of the rest, divided by (V/N)^(1/3), is the RMS.

The comparison is not symmetric: bases are sought for the first crystal, so the prediction comes first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from nucleate.evaluation.cells import (
    IMAGES,
    Cell,
    FlatCellError,
    dual,
    from_parameters,
    inverse_unimodular,
    lattice_points,
    lengths_and_angles,
    lll_transforms,
)
from nucleate.evaluation.reduction import basis_triples

PERFECT = 1e-5
"""The search ends at the first placement whose RMS is below this, as pymatgen's does."""

BLOCK = 1 << 16
"""Numbers that are worked on together: enough to keep NumPy busy, few enough to stay in the cache."""

SLACK = 1e-3
"""Squared lengths of a Niggli cell are as small as they can be within this share of V^(2/3): its reduction compares
them within 1e-5 V^(1/3) Å, which is far less for V above 0.001 Å³."""

IMPOSSIBLE = 1e20
"""Squared distance of atoms that must not be partners."""


class Tolerances(NamedTuple):
    """How far two crystals may differ.

    Attributes:
        length: lattice vectors may differ by a factor of up to 1 + this.
        site: largest RMS, and half the reach within which an atom needs a partner, in units of (V/N)^(1/3).
        angle: between lattice vectors, in degrees.
    """

    length: float = 0.3
    site: float = 0.5
    angle: float = 10.0


TOLERANCES = Tolerances()
"""Those of all published CSP numbers."""


class Match(NamedTuple):
    """How far apart the atoms of two matching crystals are, in units of (V/N)^(1/3)."""

    rms: float
    max_distance: float


@dataclass(frozen=True)
class _Bases:
    """K bases for the two crystals.

    Attributes:
        lattice: average of the two crystals' lattice vectors in Å, (K, 3, 3).
        frac: the prediction's fractional coordinates, (K, N, 3).
        back: takes fractional coordinates of the reference to this basis, (K, 3, 3).
    """

    lattice: Float[np.ndarray, "k 3 3"]
    frac: Float[np.ndarray, "k n 3"]
    back: Float[np.ndarray, "k 3 3"]

    def take(self, index: np.ndarray) -> _Bases:
        return _Bases(self.lattice[index], self.frac[index], self.back[index])

    def reduced(self) -> _Bases:
        """The same in bases that are short and nearly orthogonal, in which 27 images hold the nearest one."""
        transform = lll_transforms(self.lattice)
        back = inverse_unimodular(transform)
        return _Bases(transform @ self.lattice, self.frac @ back, self.back @ back)

    @cached_property
    def spacing(self) -> Float[np.ndarray, "k 3"]:
        """Distances between lattice planes in Å."""
        normals = dual(self.lattice)
        return self.volume[:, None] / np.sqrt((normals * normals).sum(-1))

    @cached_property
    def metric(self) -> Float[np.ndarray, "k 3 3"]:
        """Scalar products of the lattice vectors, in Å²."""
        return self.lattice @ self.lattice.swapaxes(-1, -2)

    @cached_property
    def volume(self) -> Float[np.ndarray, " k"]:
        """In Å³."""
        return np.abs(np.linalg.det(self.lattice))

    @cached_property
    def free_length(self) -> Float[np.ndarray, " k"]:
        """(V/N)^(1/3) in Å."""
        return np.cbrt(self.volume / self.frac.shape[1])

    def reach(self, site: float) -> Float[np.ndarray, "k 3"]:
        """Largest difference of fractional coordinates of partners: twice the site tolerance."""
        return 2 * site * self.free_length[:, None] / self.spacing


def match(prediction: Cell, reference: Cell, tolerances: Tolerances = TOLERANCES) -> Match | None:
    """Compares two reduced cells as pymatgen's `get_rms_dist` does; None if they do not match.

    Args:
        prediction: as made by `reduction.reduced_cell`.
        reference: likewise.
        tolerances: the defaults are those of the published CSP metrics.
    """
    best = None
    for distances in _placed(prediction, reference, tolerances):
        rms = np.sqrt((distances * distances).mean(1))
        perfect = np.flatnonzero(rms < PERFECT)
        k = perfect[0] if len(perfect) else rms.argmin()
        if best is None or rms[k] < best.rms:
            best = Match(float(rms[k]), float(distances[k].max()))
        if len(perfect):
            break
    return best if best is not None and best.rms < tolerances.site else None


def fits(prediction: Cell, reference: Cell, tolerances: Tolerances) -> bool:
    """Compares two reduced cells as pymatgen's `fit` does: by the largest distance of two partners, not by the RMS.

    The partners are those of the smallest RMS, as in `match`. Any placement that brings all of them within the site
    tolerance is enough.

    Args:
        prediction: as made by `reduction.reduced_cell`.
        reference: likewise.
        tolerances: those of uniqueness and novelty are `duplicates.TOLERANCES`.
    """
    placed = _placed(prediction, reference, tolerances)
    return any(bool((distances.max(1) < tolerances.site).any()) for distances in placed)


def match_pair(cells: tuple[Cell | None, Cell | None]) -> Match | None:
    """Compares a prediction with a reference crystal; None also if one of them could not be reduced."""
    prediction, reference = cells
    return None if prediction is None or reference is None else match(prediction, reference)


def _placed(prediction: Cell, reference: Cell, tolerances: Tolerances) -> Iterator[Float[np.ndarray, "k n"]]:
    """Yields distances of partners, in units of (V/N)^(1/3), for all placements in which there may be partners."""
    if not np.array_equal(np.sort(prediction.numbers), np.sort(reference.numbers)):
        return
    ratio = (reference.volume / prediction.volume) ** (1 / 6)
    prediction = prediction._replace(lattice=prediction.lattice * ratio)
    reference = reference._replace(lattice=reference.lattice / ratio)
    same = reference.numbers[:, None] == prediction.numbers

    lengths = np.sqrt((reference.lattice**2).sum(1))
    if not lengths_allow(prediction.lattice, lengths[None], tolerances.length)[0]:
        return
    try:
        bases = _bases(prediction, reference, tolerances)
    except FlatCellError:
        return
    which, shift = _placements(bases, reference.frac, same, tolerances.site)
    if not len(which):
        return
    used, which = np.unique(which, return_inverse=True)
    bases = bases.take(used).reduced()
    step = max(1, BLOCK // int(same.sum()))
    for start in range(0, len(which), step):
        block = slice(start, start + step)
        yield _distances(bases, which[block], shift[block], reference.frac, same, tolerances.site)


def lengths_allow(
    lattice: Float[np.ndarray, "3 3"], lengths: Float[np.ndarray, "k 3"], tolerance: float
) -> Bool[np.ndarray, " k"]:
    """Whether a lattice may have bases of nearly these lengths: a quick test, which most lattices fail.

    The rows of a Niggli cell are as short as they can be. So if the lattice has a basis whose lengths are at most some
    multiple of others, then its own lengths, in increasing order, are at most that multiple of the others in increasing
    order.

    Args:
        lattice: row vectors of a Niggli cell in Å, reduced to within `SLACK`.
        lengths: of other cells, in Å.
        tolerance: lengths of the basis may be longer by a factor of up to 1 + this.
    """
    squares = np.sort((lattice**2).sum(1))
    slack = SLACK * abs(np.linalg.det(lattice)) ** (2 / 3)
    return (squares <= ((1 + tolerance) * np.sort(lengths, axis=1)) ** 2 + slack).all(axis=1)


def _bases(prediction: Cell, reference: Cell, tolerances: Tolerances) -> _Bases:
    """Finds the bases of the prediction's lattice that are near the reference's."""
    lengths, angles = lengths_and_angles(reference.lattice)
    whole, vectors, distances = lattice_points(prediction.lattice, float(lengths.max()) * (1 + tolerances.length))
    triples = basis_triples(whole, vectors, distances, lengths, angles, tolerances.length, tolerances.angle)
    own, own_lengths = vectors[triples], distances[triples]
    cosines = (own[:, [1, 2, 0]] * own[:, [2, 0, 1]]).sum(-1) / (own_lengths[:, [1, 2, 0]] * own_lengths[:, [2, 0, 1]])
    own_angles = np.rad2deg(np.arccos(np.clip(cosines, -1, 1)))
    average = from_parameters((own_lengths + lengths) / 2, (own_angles + angles) / 2)
    to_basis = inverse_unimodular(whole[triples].astype(np.float64))
    return _Bases(average, prediction.frac @ to_basis, np.broadcast_to(np.eye(3), average.shape))


def _placements(
    bases: _Bases, theirs: Float[np.ndarray, "n 3"], same: Bool[np.ndarray, "n n"], site: float
) -> tuple[Int[np.ndarray, " k"], Float[np.ndarray, "k 3"]]:
    """Finds the bases and translations in which every atom of the reference has a partner within reach.

    Args:
        bases: bases of the prediction.
        theirs: fractional coordinates of the reference.
        same: whether an atom of the reference (row) and one of the prediction (column) are the same element.
        site: site tolerance.

    Returns:
        The number of the basis, and the translation of the reference in it.
    """
    ours = bases.frac - np.floor(bases.frac)
    reach = bases.reach(site).T[:, :, None, None]
    copies = same.sum(1)
    anchor = int(copies.argmin())
    shifts = ours[:, same[anchor]] - theirs[anchor]
    which, translation = np.divmod(np.arange(shifts.shape[0] * shifts.shape[1]), shifts.shape[1])
    # Element by element, the rarest first, which tells soonest; the anchor has its partner already.
    kinds = same.argmax(1)
    rest = np.lexsort((kinds, copies))
    rest = rest[rest != anchor]
    while len(rest) and len(which):
        partners = np.flatnonzero(same[rest[0]])
        take = min(int((kinds[rest] == kinds[rest[0]]).sum()), max(1, BLOCK // (len(which) * len(partners))))
        near = np.ones((len(which), take, len(partners)), dtype=bool)
        for axis in range(3):
            moved = theirs[rest[:take], axis] + shifts[which, translation, axis, None]
            delta = moved[:, :, None] - ours[:, partners, axis][which][:, None]
            delta -= np.round(delta)
            near &= np.abs(delta, out=delta) <= reach[axis][which]
        passed = near.any(axis=2).all(axis=-1)
        which, translation, rest = which[passed], translation[passed], rest[take:]
    return which, shifts[which, translation]


def _distances(
    bases: _Bases,
    which: Int[np.ndarray, " k"],
    shift: Float[np.ndarray, "k 3"],
    theirs: Float[np.ndarray, "n 3"],
    same: Bool[np.ndarray, "n n"],
    site: float,
) -> Float[np.ndarray, "k n"]:
    """Distances of partners in each placement, after the best translation, in units of (V/N)^(1/3).

    Infinite where an atom has no partner left.
    """
    rows, columns = np.nonzero(same)
    moved = (theirs + shift[:, None]) @ bases.back[which]
    delta = bases.frac[which[:, None], columns] - moved[:, rows]
    delta -= np.round(delta)
    reach = bases.reach(site)[which, None]
    x, y, z = (np.abs(delta[:, :, axis]) <= reach[:, :, axis] for axis in range(3))
    near = x & y & z
    lattice = bases.lattice[which]
    vectors = delta @ lattice
    squares = (vectors * vectors).sum(2)

    # Another image can only be nearer to an atom that is farther away than half the distance of lattice planes.
    k, pair = np.nonzero(near & (squares > (bases.spacing.min(1) / 2)[which, None] ** 2))
    ours, other = bases.frac[which[k], columns[pair]], moved[k, rows[pair]]
    wrapped = ours - np.floor(ours) - other + np.floor(other)
    image = _nearest_image(wrapped, bases.metric, which[k])
    vectors[k, pair] = ((wrapped + image)[:, None] @ lattice[k])[:, 0]
    squares[k, pair] = (vectors[k, pair] ** 2).sum(1)

    cost = np.full((len(which), *same.shape), IMPOSSIBLE)
    cost[:, rows, columns] = np.where(near, squares, IMPOSSIBLE)
    partner = _assign(cost)
    number = np.zeros(same.shape, dtype=np.int64)
    number[rows, columns] = np.arange(len(rows))
    chosen = number[np.arange(len(same)), partner]
    everyone = np.arange(len(which))[:, None]
    vectors = vectors[everyone, chosen]
    vectors -= vectors.mean(1, keepdims=True)
    distances = np.sqrt((vectors * vectors).sum(2)) / bases.free_length[which, None]
    alone = cost[everyone, np.arange(len(same)), partner] == IMPOSSIBLE
    distances[alone.any(1)] = np.inf
    return distances


def _nearest_image(
    delta: Float[np.ndarray, "p 3"], metric: Float[np.ndarray, "k 3 3"], which: Int[np.ndarray, " p"]
) -> Float[np.ndarray, "p 3"]:
    """The whole numbers n, of -1, 0 and 1, that make δ + n shortest: of |δ|² + 2 δ·n + |n|² the last two terms."""
    along = (delta[:, None] @ metric[which])[:, 0]
    squares = ((IMAGES @ metric) * IMAGES).sum(2)[which]
    squares += (2 * along) @ IMAGES.T
    return IMAGES[squares.argmin(1)]


def _assign(cost: Float[np.ndarray, "k n n"]) -> Int[np.ndarray, "k n"]:
    """The column for each row, one to one, that makes the sum of costs least."""
    from scipy.optimize import linear_sum_assignment

    # Where the cheapest columns of all rows differ, nothing is cheaper.
    partner = cost.argmin(2)
    contested = (np.sort(partner, 1) != np.arange(cost.shape[1])).any(1)
    for k in np.flatnonzero(contested):
        partner[k] = linear_sum_assignment(cost[k])[1]
    return partner
