"""Lattices as three row vectors in Å: parameters, volume, plane spacings, and the Niggli-reduced cell."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from nucleate.geometry import torus

SINGULAR = 1e-12
"""A cell is flat if its volume is at most this share of the volume of a box with the same three lengths."""

MAX_STEPS = 100
"""Bound on the steps of a reduction, which takes about ten, or some dozens in a very skewed cell."""


def metric(lattice: Float[Tensor, "c 3 3"]) -> Float[Tensor, "c 3 3"]:
    """Scalar products of the lattice vectors, in Å²."""
    return lattice @ lattice.mT


def volume(lattice: Float[Tensor, "c 3 3"]) -> Float[Tensor, " c"]:
    """Volume of the cell in Å³, whatever its handedness."""
    a, b, c = lattice.unbind(1)
    return (a * torch.linalg.cross(b, c)).sum(-1).abs()


def plane_spacings(lattice: Float[Tensor, "c 3 3"]) -> Float[Tensor, "c 3"]:
    """Distance in Å between neighbouring (100), (010) and (001) planes; NaN if two lattice vectors are parallel."""
    areas = torch.linalg.cross(lattice[:, [1, 2, 0]], lattice[:, [2, 0, 1]]).norm(dim=-1)
    return volume(lattice)[:, None] / areas


def parameters(lattice: Float[Tensor, "c 3 3"]) -> tuple[Float[Tensor, "c 3"], Float[Tensor, "c 3"]]:
    """Returns the lengths a, b, c in Å and the angles α, β, γ in degrees."""
    left, right = lattice[:, [1, 2, 0]], lattice[:, [2, 0, 1]]
    # The arctangent is accurate, and has a gradient, where the arccosine of a rounded cosine is and has neither.
    angles = torch.atan2(torch.linalg.cross(left, right).norm(dim=-1), (left * right).sum(-1))
    return lattice.norm(dim=-1), torch.rad2deg(angles)


def matrix(lengths: Float[Tensor, "c 3"], angles: Float[Tensor, "c 3"]) -> Float[Tensor, "c 3 3"]:
    """Builds the row vectors, with c along z and a in the xz plane, which is the orientation that pymatgen uses.

    Args:
        lengths: a, b, c in Å.
        angles: α, β, γ in degrees.

    Returns:
        Row vectors in Å; NaN where a length is not positive, or where no solid corner has the three angles.
    """
    a, b, c = lengths.unbind(-1)
    cos_alpha, cos_beta, cos_gamma = torch.deg2rad(angles).cos().unbind(-1)
    sin_alpha, sin_beta, _ = torch.deg2rad(angles).sin().unbind(-1)
    cos_star = (cos_alpha * cos_beta - cos_gamma) / (sin_alpha * sin_beta)  # of the angle γ* of the reciprocal lattice
    possible = (cos_star.abs() < 1) & ((lengths > 0) & (angles > 0) & (angles < 180)).all(-1)
    sin_star = torch.where(possible, 1 - cos_star**2, torch.nan).sqrt()
    zero = torch.zeros_like(a)
    rows = [
        torch.stack([a * sin_beta, zero, a * cos_beta], -1),
        torch.stack([-b * sin_alpha * cos_star, b * sin_alpha * sin_star, b * cos_alpha], -1),
        torch.stack([zero, zero, c], -1),
    ]
    return torch.where(possible[:, None, None], torch.stack(rows, 1), torch.nan)


def niggli(
    lattice: Float[Tensor, "c 3 3"], tolerance: float = 1e-5
) -> tuple[Float[Tensor, "c 3 3"], Int[Tensor, "c 3 3"]]:
    """Finds the Niggli-reduced cells: the unique cells with the shortest edges (Křivý and Gruber 1976).

    The steps and the tolerance are those of Grosse-Kunstleve, Sauter and Adams (2004), Acta Cryst. A60, 1-6, taken by
    all cells at once. Two products of vectors (in Å²) count as equal within `tolerance · volume^(1/3)`.

    Args:
        lattice: row vectors in Å.
        tolerance: relative tolerance of the comparisons.

    Returns:
        The reduced row vectors, as handed as the lattice, and the integer transform with determinant +1, so that
        `reduced = transform @ lattice`. A cell that is flat or not finite has none: NaN, and the identity.
    """
    vectors = lattice.detach().to(torch.float64, copy=True)
    volumes = volume(vectors)
    solid = volumes > SINGULAR * vectors.norm(dim=-1).prod(-1)  # False for NaN
    epsilon = tolerance * volumes ** (1 / 3)
    transform = torch.eye(3, dtype=torch.float64, device=lattice.device).repeat(len(lattice), 1, 1)
    for next_step in (_pair_step, _niggli_step):
        active = solid.nonzero()[:, 0]
        for _ in range(MAX_STEPS):
            if not len(active):
                break
            step, changed = next_step(metric(vectors[active]), epsilon[active])
            transform[active] = step @ transform[active]
            # Not `transform @ lattice`: in a very skewed cell its rounding errors let the steps go in circles.
            vectors[active] = step @ vectors[active]
            active = active[changed]
    reduced = (transform @ lattice.to(torch.float64)).to(lattice.dtype)
    return torch.where(solid[:, None, None], reduced, torch.nan), transform.to(torch.int64)


def _pair_step(
    products: Float[Tensor, "k 3 3"], epsilon: Float[Tensor, " k"]
) -> tuple[Float[Tensor, "k 3 3"], Bool[Tensor, " k"]]:
    """Shortens one vector of each cell by a multiple of another, where it gains most, and says whether it gained.

    The steps of the paper subtract one vector at a time: without this, a very skewed cell would take thousands.
    """
    squares = products.diagonal(dim1=1, dim2=2)
    times = torch.round(products / squares[:, None])  # of the second vector, to be subtracted from the first
    times.diagonal(dim1=1, dim2=2).zero_()
    gain = times * (2 * products - times * squares[:, None])
    threshold = epsilon[:, None] + 1e-9 * squares  # above the rounding errors of a long vector
    best, pair = (gain - threshold[:, :, None]).flatten(1).max(1)
    cell = torch.arange(len(products), device=products.device)
    step = torch.eye(3, dtype=products.dtype, device=products.device).repeat(len(products), 1, 1)
    step[cell, pair // 3, pair % 3] -= torch.where(best > 0, times.flatten(1)[cell, pair], 0)
    return step, best > 0


def _niggli_step(
    products: Float[Tensor, "k 3 3"], epsilon: Float[Tensor, " k"]
) -> tuple[Float[Tensor, "k 3 3"], Bool[Tensor, " k"]]:
    """The first of the steps A1 to A8 that applies to each cell, as a matrix, and whether there was one."""
    A, B, C = products.diagonal(dim1=1, dim2=2).unbind(-1)
    angular = 2 * torch.stack([products[:, 1, 2], products[:, 0, 2], products[:, 0, 1]], -1)
    xi, eta, zeta = angular.unbind(-1)
    signs = _niggli_signs(torch.where(angular.abs() <= epsilon[:, None], 0, angular.sign()))
    corner = A + B + xi + eta + zeta
    zero = torch.zeros_like(A)

    def less(x: Tensor, y: Tensor) -> Tensor:
        return x < y - epsilon

    def same(x: Tensor, y: Tensor) -> Tensor:
        return (x - y).abs() <= epsilon

    def too_long(x: Tensor, square: Tensor, other: Tensor, last: Tensor) -> Tensor:
        return less(square, x.abs()) | (same(x, square) & less(2 * other, last)) | (same(-x, square) & less(last, zero))

    applies = torch.stack(
        [
            less(B, A) | (same(A, B) & less(eta.abs(), xi.abs())),  # A1: exchange a and b
            less(C, B) | (same(B, C) & less(zeta.abs(), eta.abs())),  # A2: exchange b and c
            (signs < 0).any(-1),  # A3, A4: all angles acute, or none
            too_long(xi, B, eta, zeta),  # A5: shorten c by b
            too_long(eta, A, xi, zeta),  # A6: shorten c by a
            too_long(zeta, A, xi, eta),  # A7: shorten b by a
            less(corner, zero) | (same(corner, zero) & less(zero, 2 * (A + eta) + zeta)),  # A8: shorten c by a + b
            torch.ones_like(A, dtype=torch.bool),  # reduced
        ],
        -1,
    )
    steps = torch.eye(3, dtype=A.dtype, device=A.device).repeat(len(A), applies.shape[1], 1, 1)
    steps[:, 0] = -steps[:, 0, [1, 0, 2]]
    steps[:, 1] = -steps[:, 1, [0, 2, 1]]
    steps[:, 2] = torch.diag_embed(signs)
    steps[:, 3, 2, 1] = -xi.sign()
    steps[:, 4, 2, 0] = -eta.sign()
    steps[:, 5, 1, 0] = -zeta.sign()
    steps[:, 6, 2, :2] = 1
    first = applies.to(torch.uint8).argmax(-1)
    return steps[torch.arange(len(A), device=A.device), first], first < applies.shape[1] - 1


def _niggli_signs(angular: Float[Tensor, "k 3"]) -> Float[Tensor, "k 3"]:
    """Signs (+1 or -1, product +1) for a, b, c that make all of b·c, a·c, a·b positive, or else none of them."""
    acute = (angular.prod(-1) > 0)[:, None]
    signs = torch.where(torch.where(acute, angular < 0, angular > 0), -1.0, 1.0).to(angular.dtype)
    # An odd number of reversals would change the hand: then one product is 0, and its vector is reversed as well.
    spare = torch.nn.functional.one_hot((angular == 0).to(torch.uint8).argmax(-1), 3).to(torch.bool)
    return torch.where((signs.prod(-1) < 0)[:, None] & spare, -signs, signs)


def inverse_transform(transform: Int[Tensor, "c 3 3"]) -> Int[Tensor, "c 3 3"]:
    """Inverts integer matrices of determinant +1 exactly."""
    a, b, c = transform.unbind(1)
    return torch.stack([torch.linalg.cross(b, c), torch.linalg.cross(c, a), torch.linalg.cross(a, b)], -1)


def niggli_frac(
    frac: Float[Tensor, "a 3"], owner: Int[Tensor, " a"], transform: Int[Tensor, "c 3 3"]
) -> Float[Tensor, "a 3"]:
    """Maps fractional coordinates into the cells that a `transform` of determinant +1 made, wrapped to [0, 1).

    Args:
        frac: fractional coordinates in the old cells.
        owner: the crystal that each atom belongs to.
        transform: as returned by `niggli`.
    """
    back = inverse_transform(transform).to(frac.dtype)[owner]
    return torus.wrap((frac[:, None] @ back)[:, 0])
