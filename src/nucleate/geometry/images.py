"""Sums over all periodic images within a radius, for every pair of atoms of a dense block.

Complete for any choice of cell: the images that are looked at are those that the spacings of the lattice planes allow.
So what is built of these sums depends on the crystal only, not on the cell that describes it.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from nucleate.geometry.lattice import plane_spacings

MOST_CELLS = 8
"""Images are sought in at most this many cells in each direction, so that a nearly flat cell ends too."""

_FLAT = 1000
"""A cell whose planes are so many times closer than the radius is flat."""

_SOFTENING = 0.3
"""Å. Directions are d/√(d² + s²), which passes through 0 where two atoms meet."""


class Edges(NamedTuple):
    """Displacements between atoms that are less than a radius apart, images included, each once in one direction.

    Attributes:
        pair: crystal · P + place among the P = N (N + 1) / 2 pairs of `torch.triu_indices`, shape (e,).
        vector: from the first atom of the pair to the image of the second in Å, shape (e, 3).
        distance: its length, shape (e,).
    """

    pair: Int[Tensor, " e"]
    vector: Float[Tensor, "e 3"]
    distance: Float[Tensor, " e"]


def edges_within(
    frac: Float[Tensor, "b n 3"], lattice: Float[Tensor, "b 3 3"], mask: Bool[Tensor, "b n"], radius: float
) -> Edges:
    """Finds all pairs of atoms and images within a radius of each other, each once; an atom pairs with its own images.

    Args:
        frac: fractional coordinates, wrapped or not.
        lattice: row vectors in Å. A cell that is flat or not finite has no edges.
        mask: which places hold an atom.
        radius: in Å.
    """
    first, second = torch.triu_indices(mask.shape[1], mask.shape[1], device=frac.device)
    # Displacements are rounded to [-1/2, 1/2], so that an image n planes away is at least n - 1/2 spacings away.
    reach = (radius / plane_spacings(lattice) + 0.5).floor()
    solid = (reach.isfinite() & (reach <= _FLAT)).all(-1)
    reach = torch.where(solid[:, None], reach, 0).clamp(max=MOST_CELLS)
    steps = [torch.arange(-n, n + 1, device=frac.device, dtype=frac.dtype) for n in reach.amax(0).tolist()]
    shifts = torch.cartesian_prod(*steps)
    delta = frac[:, second] - frac[:, first]
    apart = (delta - delta.round()) @ lattice  # b p 3
    cells = shifts @ lattice  # b m 3
    squared = torch.baddbmm(cells.square().sum(-1)[:, None], apart, cells.mT, alpha=2)
    squared += apart.square().sum(-1, keepdim=True)
    near = squared < torch.where(mask[:, first] & mask[:, second] & solid[:, None], radius**2, -1.0)[:, :, None]
    near[:, first == second, : len(shifts) // 2 + 1] = False  # itself, and the opposites of its images
    place = near.flatten().nonzero()[:, 0]
    pair = place // len(shifts)
    image = (pair // len(first)) * len(shifts) + place % len(shifts)
    vector = apart.flatten(0, 1).index_select(0, pair) + cells.flatten(0, 1).index_select(0, image)
    return Edges(pair, vector, vector.norm(dim=-1))


class Shells(NamedTuple):
    """For each ordered pair of atoms, images of the second around the first by distance.

    Attributes:
        counts: how many, (b, n, n, r).
        directions: sum of the directions to them, (b, n, n, 3, r).
    """

    counts: Float[Tensor, "b n n r"]
    directions: Float[Tensor, "b n n 3 r"]


def shells_of_images(
    frac: Float[Tensor, "b n 3"],
    lattice: Float[Tensor, "b 3 3"],
    mask: Bool[Tensor, "b n"],
    bins: int,
    radius: float,
) -> Shells:
    """Histograms of distances and of directions, continuous in the positions.

    Each image is shared between the two nearest bins by linear weights. Bins are centred at 0, …, `radius`, evenly; the
    one at `radius` is left out, so that an image that leaves fades.

    Args:
        frac: fractional coordinates, wrapped or not.
        lattice: row vectors in Å.
        mask: which places hold an atom.
        bins: number of bins.
        radius: in Å.
    """
    batch, atoms = mask.shape
    pair, vector, distance = edges_within(frac, lattice, mask, radius)
    place = distance * (bins / radius)
    lower = place.floor()
    share = (place - lower)[:, None]
    soft = vector / (distance.square() + _SOFTENING**2).sqrt()[:, None]
    values = torch.cat([torch.ones_like(share), soft], 1)
    pairs = atoms * (atoms + 1) // 2
    first, second = torch.triu_indices(atoms, atoms, device=frac.device)
    own = (first == second).index_select(0, pair % pairs)
    values = torch.where(own[:, None], values.new_tensor([2.0, 0, 0, 0]), values)  # an own image and its opposite
    # Two bins more than asked for take what fades out.
    sums = frac.new_zeros(batch * pairs * (bins + 2), 4)
    row = pair * (bins + 2) + lower.long()
    sums.index_add_(0, row, values * (1 - share))
    sums.index_add_(0, row + 1, values * share)
    sums = sums.view(batch, pairs, bins + 2, 4)[:, :, :bins].transpose(2, 3).contiguous()
    both_ways, sign = _square(atoms, frac.device)
    full = sums.index_select(1, both_ways).view(batch, atoms, atoms, 4, bins)
    return Shells(full[..., 0, :], full[..., 1:, :] * sign.to(frac.dtype)[:, :, None, None])


def _square(atoms: int, device: torch.device) -> tuple[Int[Tensor, " nn"], Int[Tensor, "n n"]]:
    """For each ordered pair its place among the unordered ones, and −1 where it is the other way round."""
    first, second = torch.triu_indices(atoms, atoms, device=device)
    place = torch.zeros(atoms, atoms, dtype=torch.int64, device=device)
    place[first, second] = place[second, first] = torch.arange(len(first), device=device)
    return place.flatten(), 2 * torch.ones_like(place).triu() - 1
