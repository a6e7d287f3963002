"""Exact shortest distances between atoms that repeat in three dimensions.

The nearest image is sought in a basis v₁, v₂, v₃ that makes no acute angles, neither among the three vectors nor with
v₀ = -(v₁ + v₂ + v₃): an obtuse superbase (Selling 1874). There the 27 images around a rounded displacement are enough.

Proof. Write a displacement as Σ yᵢvᵢ with y₀ = 0. As the four vectors add up to 0, its squared length is the sum of
pᵢⱼ(yᵢ - yⱼ)² over the pairs of the four, with pᵢⱼ = -vᵢ·vⱼ ≥ 0. Take a shortest image and sort its four y. Bringing
the y above and below a gap closer by 1 (moving the side without y₀) gives another image, whose squared length
differs by the sum of pᵢⱼ(1 - 2(yᵢ - yⱼ)) over the pairs across the gap. A gap of more than 1/2 would make that
negative, but nothing is shorter than the shortest: so none of the three gaps exceeds 1/2, and all |yᵢ| ≤ 3/2. Where
|yᵢ| = 3/2 all gaps are 1/2, and closing the one next to yᵢ costs nothing and leaves all |yᵢ| ≤ 1. So some shortest
image has all |yᵢ| < 3/2; it is less than 2, hence by whole numbers of at most 1, away from coordinates that are
rounded to [-1/2, 1/2]. ∎
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from nucleate.geometry.lattice import inverse_transform, metric, niggli

TOLERANCE = 1e-10
"""Tolerance of the reduction: far above rounding errors, far below a difference that anyone could see in a distance."""

PAIRS = 1 << 18
"""Pairs of atoms that are looked at together, which keeps the working memory near 200 MB."""

# One of each two opposite neighbours of the origin.
_IMAGES = (
    *((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    *((0, 1, 1), (1, 0, 1), (1, 1, 0), (0, 1, -1), (1, 0, -1), (1, -1, 0)),
    *((1, 1, 1), (-1, 1, 1), (1, -1, 1), (1, 1, -1)),
)

# With y the middle vector of a cyclic order x, y, z of a, b, c: rows that make the basis x, y - x, z - y.
_CHAINS = (
    ((0, 0, 1), (1, 0, -1), (-1, 1, 0)),
    ((1, 0, 0), (-1, 1, 0), (0, -1, 1)),
    ((0, 1, 0), (0, -1, 1), (1, 0, -1)),
)


def distances(
    frac: Float[Tensor, "b n 3"], lattice: Float[Tensor, "b 3 3"], mask: Bool[Tensor, "b n"]
) -> Float[Tensor, "b n n"]:
    """Distance in Å of each atom to the nearest image of each other atom, exact in any cell, however skewed.

    Args:
        frac: fractional coordinates, wrapped or not.
        lattice: row vectors in Å.
        mask: which atoms exist; the others are padding.

    Returns:
        Distances; on the diagonal that to the nearest own image; infinity for padding. NaN for a cell that is flat or
        not finite.
    """
    atoms = frac.shape[1]
    first, second = torch.triu_indices(atoms, atoms, 1, device=frac.device)
    reduced, transform = niggli(lattice, TOLERANCE)
    apart = _pair_distances(frac, *_obtuse(reduced, transform))
    full = torch.diag_embed(reduced.norm(dim=-1).amin(-1, keepdim=True).repeat(1, atoms))
    full[:, first, second] = apart
    full[:, second, first] = apart
    return full.masked_fill(~(mask[:, :, None] & mask[:, None, :]), torch.inf)


def shortest_displacements(
    start: Float[Tensor, "b n_or_1 m_or_1 3"],
    end: Float[Tensor, "b one_or_n one_or_m 3"],
    lattice: Float[Tensor, "b 3 3"],
) -> Float[Tensor, "b n m 3"]:
    """Cartesian displacement in Å from each start to the nearest image of each end, exact in any cell.

    Args:
        start: fractional coordinates, wrapped or not.
        end: fractional coordinates that broadcast against those.
        lattice: row vectors in Å.

    Returns:
        NaN for a cell that is flat or not finite.
    """
    basis, inverse = _obtuse(*niggli(lattice, TOLERANCE))
    delta = (end - start) @ inverse[:, None]
    return _shortest(delta.flatten(1, 2), basis).view(delta.shape)


def _obtuse(
    reduced: Float[Tensor, "b 3 3"], transform: Int[Tensor, "b 3 3"]
) -> tuple[Float[Tensor, "b 3 3"], Float[Tensor, "b 3 3"]]:
    """Turns Niggli cells into obtuse superbases, with the matrices that take fractional coordinates there.

    A Niggli cell without acute angles is one already. In one with acute angles, let y be the vector across from the
    smallest of the three scalar products, x·z. Then x, y - x, z - y and -z have no positive products, because each of
    the three is at most half the square of either of its vectors.
    """
    a, b, c = reduced.unbind(1)
    products = torch.stack([(b * c).sum(-1), (a * c).sum(-1), (a * b).sum(-1)], -1)
    chains = torch.tensor(_CHAINS, dtype=reduced.dtype, device=reduced.device)[products.argmin(-1)]
    acute = (products > 0).all(-1)[:, None, None]
    change = torch.where(acute, chains, torch.eye(3, dtype=reduced.dtype, device=reduced.device))
    inverse = inverse_transform(transform).to(change.dtype) @ inverse_transform(change.to(torch.int64)).to(change.dtype)
    return change @ reduced, inverse


def _pair_distances(
    frac: Float[Tensor, "b n 3"], basis: Float[Tensor, "b 3 3"], inverse: Float[Tensor, "b 3 3"]
) -> Float[Tensor, "b p"]:
    """Shortest distances of all pairs of atoms i < j, in the order of `torch.triu_indices`."""
    atoms = frac.shape[1]
    first, second = torch.triu_indices(atoms, atoms, 1, device=frac.device)
    step = max(1, PAIRS // max(1, len(first)))
    parts = [torch.zeros((0, len(first)), dtype=frac.dtype, device=frac.device)]
    for x, cell, back in zip(frac.split(step), basis.split(step), inverse.split(step), strict=True):
        delta = (x[:, second] - x[:, first]) @ back
        parts.append(_shortest(delta, cell).norm(dim=-1))
    return torch.cat(parts)


def _shortest(delta: Float[Tensor, "b p 3"], basis: Float[Tensor, "b 3 3"]) -> Float[Tensor, "b p 3"]:
    """Shortest Cartesian image, in Å, of displacements given in an obtuse superbase."""
    delta = delta - torch.round(delta)
    with torch.no_grad():
        images = torch.tensor(_IMAGES, dtype=delta.dtype, device=delta.device)
        products = metric(basis)
        # |δ ± n|² - |δ|² = |n|² ± 2 n·δ, of which the smaller; one row for each n.
        along = images @ products @ delta.mT
        change = (images @ products * images).sum(-1, keepdim=True) - 2 * along.abs()
        least, index = change.min(1)
        sign = -along.gather(1, index[:, None])[:, 0].sign()
        shift = torch.where(least < 0, sign, 0)[..., None] * images[index]
    return (delta + shift) @ basis
