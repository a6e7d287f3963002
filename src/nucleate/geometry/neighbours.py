"""A periodic neighbour list for many crystals at once, in plain tensor operations."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from nucleate.geometry.lattice import inverse_transform, niggli, plane_spacings

CANDIDATES = 1 << 20
"""Pairs of an atom and an image that are looked at together, which keeps the working memory near 150 MB."""


class Neighbours(NamedTuple):
    """Directed edges, sorted by crystal, then source, then target. Both directions of each edge are there.

    Attributes:
        source: atom at the start, an index into all atoms of the batch, shape (p,).
        target: atom at the end.
        offset: lattice vectors to add to the target's coordinates to reach the image that is meant, shape (p, 3).
        vector: from source to that image in Å, shape (p, 3); differentiable in coordinates and lattices.
        distance: its length in Å, shape (p,).
    """

    source: Int[Tensor, " p"]
    target: Int[Tensor, " p"]
    offset: Int[Tensor, "p 3"]
    vector: Float[Tensor, "p 3"]
    distance: Float[Tensor, " p"]


def neighbours(
    frac: Float[Tensor, "a 3"], lattice: Float[Tensor, "c 3 3"], counts: Int[Tensor, " c"], cutoff: float
) -> Neighbours:
    """Finds all pairs of atoms, images included, that are at most `cutoff` apart.

    An atom is a neighbour of its own images, not of itself. The search goes through the images of the Niggli-reduced
    cell that the spacings of its lattice planes allow, so that it is complete, and quick, for the most skewed cell.

    Args:
        frac: fractional coordinates of all crystals, one after the other, wrapped or not.
        lattice: row vectors in Å.
        counts: atoms per crystal.
        cutoff: largest distance in Å.

    Returns:
        The edges of all crystals. One whose cell is flat or not finite has none.
    """
    reduced, transform = niggli(lattice.detach().to(torch.float64))
    back = inverse_transform(transform).to(torch.float64)
    owner = torch.repeat_interleave(counts)
    coordinates = (frac.detach().to(torch.float64)[:, None] @ back[owner])[:, 0]
    # Displacements are rounded to [-1/2, 1/2], so that an image n planes away is at least n - 1/2 spacings away.
    reach = (cutoff / plane_spacings(reduced) + 0.5).floor().nan_to_num(-1).to(torch.int64)
    solid = (reach >= 0).all(-1)
    reach, sizes = reach * solid[:, None], counts * solid
    starts = counts.cumsum(0) - counts

    load = sizes**2 * (2 * reach + 1).prod(-1)
    _, chunks = torch.unique_consecutive(load.cumsum(0) // CANDIDATES, return_counts=True)
    found = [
        _search(coordinates, reduced[rows], starts[rows], sizes[rows], reach[rows], cutoff)
        for rows in torch.arange(len(counts), device=counts.device).split(chunks.tolist())
    ]
    nothing = torch.zeros((0, 5), dtype=torch.int64, device=frac.device)
    source, target, offset = torch.cat([nothing, *found]).split([1, 1, 3], dim=1)
    source, target = source[:, 0], target[:, 0]
    offset = (offset[:, None].to(torch.float64) @ transform.to(torch.float64)[owner[source]])[:, 0].round()
    vector = ((frac[target] - frac[source] + offset.to(frac.dtype))[:, None] @ lattice[owner[source]])[:, 0]
    return Neighbours(source, target, offset.to(torch.int64), vector, vector.norm(dim=-1))


def _search(
    frac: Float[Tensor, "a 3"],
    lattice: Float[Tensor, "k 3 3"],
    starts: Int[Tensor, " k"],
    sizes: Int[Tensor, " k"],
    reach: Int[Tensor, "k 3"],
    cutoff: float,
) -> Int[Tensor, "p 5"]:
    """Tries all pairs of atoms with all images within `reach`; returns rows of source, target, offset."""
    widths = 2 * reach + 1
    images = widths.prod(-1)
    crystal, place = ragged(images)
    shift = (
        torch.stack([place // (widths[crystal, 1] * widths[crystal, 2]), place // widths[crystal, 2], place], -1)
        % widths[crystal]
        - reach[crystal]
    )
    shift_vector = (shift.to(frac.dtype)[:, None] @ lattice[crystal])[:, 0]

    crystal, place = ragged(sizes**2)
    source = starts[crystal] + place // sizes[crystal]
    target = starts[crystal] + place % sizes[crystal]
    delta = frac[target] - frac[source]
    turns = delta.round()
    pair_vector = ((delta - turns)[:, None] @ lattice[crystal])[:, 0]

    pair, place = ragged(images[crystal])
    image = (images.cumsum(0) - images)[crystal][pair] + place
    near = (pair_vector[pair] + shift_vector[image]).square().sum(-1) <= cutoff**2
    itself = (source == target)[pair] & (shift == 0).all(-1)[image]
    pair, image = pair[near & ~itself], image[near & ~itself]
    offset = shift[image] - turns.to(torch.int64)[pair]
    return torch.cat([source[pair, None], target[pair, None], offset], 1)


def ragged(sizes: Int[Tensor, " k"]) -> tuple[Int[Tensor, " p"], Int[Tensor, " p"]]:
    """Counts off rows of different lengths: for each entry its row, and its place in it."""
    row = torch.repeat_interleave(sizes)
    return row, torch.arange(len(row), device=sizes.device) - (sizes.cumsum(0) - sizes)[row]
