"""Small-matrix geometry for the structure matcher: float64 NumPy arrays of one cell, or of a stack of cells.

`nucleate.geometry` does the same on tensors, exactly. The matcher needs the steps, tolerances and order of pymatgen,
because its decisions depend on them. Nothing here imports torch, so that a worker process is ready at once.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

IMAGES = np.array(list(product((-1, 0, 1), repeat=3)), dtype=np.float64)
"""The 27 cells around a cell, in lexicographic order."""

IDENTITY = np.eye(3)

LLL_DELTA = 0.75

MAX_POINTS = 1 << 22
"""Lattice points that are looked through at most; a few hundred are usual."""

COMMON_POINTS = 1 << 11
"""Grids with fewer points are kept for the next crystal."""


class FlatCellError(ValueError):
    """A cell is too flat to look through its lattice points, of which there would be millions."""


class Cell(NamedTuple):
    """One crystal as plain arrays.

    Attributes:
        numbers: atomic numbers, (n,).
        frac: fractional coordinates, (n, 3).
        lattice: row vectors in Å, (3, 3).
    """

    numbers: np.ndarray
    frac: np.ndarray
    lattice: np.ndarray

    @property
    def volume(self) -> float:
        """In Å³."""
        return float(abs(np.linalg.det(self.lattice)))


def lengths_and_angles(
    lattice: Float[np.ndarray, "*k 3 3"],
) -> tuple[Float[np.ndarray, "*k 3"], Float[np.ndarray, "*k 3"]]:
    """Lengths in Å and angles in degrees."""
    lengths = np.sqrt((lattice * lattice).sum(-1))
    following, last = lattice[..., [1, 2, 0], :], lattice[..., [2, 0, 1], :]
    cosines = (following * last).sum(-1) / (lengths[..., [1, 2, 0]] * lengths[..., [2, 0, 1]])
    return lengths, np.rad2deg(np.arccos(np.clip(cosines, -1, 1)))


def from_parameters(lengths: Float[np.ndarray, "k 3"], angles: Float[np.ndarray, "k 3"]) -> Float[np.ndarray, "k 3 3"]:
    """Row vectors in Å, c along z and a in the xz plane, of lengths in Å and angles in degrees."""
    radians = np.radians(angles).T
    (cos_a, cos_b, cos_g), (sin_a, sin_b, _) = np.cos(radians), np.sin(radians)
    star = np.arccos(((cos_a * cos_b - cos_g) / (sin_a * sin_b)).clip(-1, 1))
    a, b, c = lengths.T
    lattice = np.zeros((len(lengths), 3, 3))
    lattice[:, 0, 0], lattice[:, 0, 2] = a * sin_b, a * cos_b
    lattice[:, 1, 0], lattice[:, 1, 1] = -b * sin_a * np.cos(star), b * sin_a * np.sin(star)
    lattice[:, 1, 2], lattice[:, 2, 2] = b * cos_a, c
    return lattice


def lattice_points(
    lattice: Float[np.ndarray, "3 3"], radius: float, transform: Float[np.ndarray, "3 3"] = IDENTITY
) -> tuple[Int[np.ndarray, "p 3"], Float[np.ndarray, "p 3"], Float[np.ndarray, " p"]]:
    """Finds the lattice points within `radius` of the origin, in the order in which pymatgen lists them.

    That order decides which of several bases is "the first": octant after octant (negative coordinates first), each in
    decreasing order of the integers.

    Args:
        lattice: row vectors in Å.
        radius: in Å.
        transform: to a basis that is not skewed, in which fewer points have to be looked through.

    Returns:
        Integer coordinates, Cartesian coordinates in Å, and distances in Å.

    Raises:
        FlatCellError: millions of points would have to be looked through.
    """
    edge = radius if radius >= 1 else 1 + 1e-8
    reach = np.ceil((edge + 0.15) * np.sqrt((np.linalg.inv(transform @ lattice) ** 2).sum(0)))
    points = np.prod(2 * reach + 1)
    if not points <= MAX_POINTS:
        raise FlatCellError("the cell is too flat to look through its lattice points")
    whole = (_common_grid if points < COMMON_POINTS else _grid)(*reach.astype(np.int64).tolist()) @ transform
    cart = whole @ lattice
    square = (cart * cart).sum(1)
    near = square < radius * radius + 1e-8 if radius >= 1 else square <= radius * radius
    whole, cart, square = whole[near], cart[near], square[near]
    octant = np.floor((cart + (edge + 2e-8)) / edge) @ np.array([9, 3, 1])
    order = np.lexsort((*-whole.T[::-1], octant))
    return whole[order].astype(np.int64), cart[order], np.sqrt(square[order])


def _grid(a: int, b: int, c: int) -> Float[np.ndarray, "p 3"]:
    """All whole numbers up to these, positive and negative."""
    axes = [np.arange(-n, n + 1, dtype=np.float64) for n in (a, b, c)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3)


_common_grid = lru_cache(maxsize=1024)(_grid)


def cross(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Cross product along the last axis; an order of magnitude quicker than NumPy's on small arrays."""
    a, b = x[..., [1, 2, 0]] * y[..., [2, 0, 1]], x[..., [2, 0, 1]] * y[..., [1, 2, 0]]
    return a - b


def inverse_unimodular(transform: Float[np.ndarray, "k 3 3"]) -> Float[np.ndarray, "k 3 3"]:
    """Inverts integer matrices of determinant ±1, without rounding."""
    columns = dual(transform).swapaxes(-1, -2)
    determinant = (transform[:, 0] * columns[:, :, 0]).sum(-1)
    return columns * determinant[:, None, None]


def dual(lattice: Float[np.ndarray, "k 3 3"]) -> Float[np.ndarray, "k 3 3"]:
    """Rows b×c, c×a, a×b: normals of the lattice planes, as long as the faces of the cell are large."""
    return cross(lattice[:, [1, 2, 0]], lattice[:, [2, 0, 1]])


def lll_transforms(lattices: Float[np.ndarray, "k 3 3"]) -> Float[np.ndarray, "k 3 3"]:
    """Integer transforms to bases that are reduced after Lenstra, Lenstra and Lovász with δ = 0.75."""
    transforms = np.broadcast_to(np.eye(3), lattices.shape).copy()
    metrics = lattices @ lattices.swapaxes(-1, -2)
    aa, ab, ac, _, bb, bc, _, _, cc = metrics.reshape(-1, 9).T
    b_share, c_share = ab / aa, ac / aa
    b_rest = bb - b_share * ab  # squared length of b's part orthogonal to a
    bc_share = (bc - c_share * ab) / b_rest
    c_rest = cc - c_share * ac - bc_share**2 * b_rest
    reduced = (np.round([b_share, c_share, bc_share]) == 0).all(0)
    reduced &= (b_rest >= (LLL_DELTA - b_share**2) * aa) & (c_rest >= (LLL_DELTA - bc_share**2) * b_rest)
    for k in np.flatnonzero(~reduced):
        transforms[k] = _lll_transform(metrics[k].tolist())
    return transforms


def _lll_transform(g: list[list[float]]) -> list[list[int]]:
    """The algorithm on the scalar products of three vectors; Python's floats are quicker here than arrays of three.

    `g` is worked on in place.
    """
    transform = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]

    def shorten(k: int, i: int, share: float) -> None:
        if turns := round(share):
            transform[k] = [x - turns * y for x, y in zip(transform[k], transform[i], strict=True)]
            g[k][k] += turns * (turns * g[i][i] - 2 * g[k][i])
            for j in {0, 1, 2} - {k}:
                g[k][j] = g[j][k] = g[k][j] - turns * g[i][j]

    def exchange(k: int) -> None:
        transform[k - 1], transform[k] = transform[k], transform[k - 1]
        g[k - 1], g[k] = g[k], g[k - 1]
        for row in g:
            row[k - 1], row[k] = row[k], row[k - 1]

    k = 1
    while k < 3:
        if k == 1:
            shorten(1, 0, g[0][1] / g[0][0])
            share = g[0][1] / g[0][0]
            before, here = g[0][0], g[1][1]
        else:
            before = g[1][1] - g[0][1] ** 2 / g[0][0]
            shorten(2, 1, (g[1][2] - g[0][2] * g[0][1] / g[0][0]) / before)
            shorten(2, 0, g[0][2] / g[0][0])
            share = (g[1][2] - g[0][2] * g[0][1] / g[0][0]) / before
            here = g[2][2] - g[0][2] ** 2 / g[0][0]
        if here - share**2 * before >= (LLL_DELTA - share**2) * before:
            k += 1
        else:
            exchange(k)
            k = 1
    return transform
