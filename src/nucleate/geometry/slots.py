"""The nearest neighbours of every atom in dense slots, the same number for each, with every edge in both directions."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from nucleate.geometry.images import edges_within

_TIE = 1e-3
"""Å. Neighbours whose distances differ by less are equally near: all of them are kept, or none."""


class Slots(NamedTuple):
    """Neighbours of the A = B·N places of a block, K slots each, the nearest first.

    Attributes:
        neighbour: the place of the neighbour; the atom's own place where the slot is empty.
        back: the slot, counted through all A·K, of the same edge at the other end; itself where empty.
        vector: from the atom to the neighbour's image, Å; 0 where empty.
        distance: its length; 0 where empty.
        filled: whether there is a neighbour.
    """

    neighbour: Int[Tensor, "a k"]
    back: Int[Tensor, "a k"]
    vector: Float[Tensor, "a k 3"]
    distance: Float[Tensor, "a k"]
    filled: Bool[Tensor, "a k"]


def neighbour_slots(
    frac: Float[Tensor, "b n 3"],
    lattice: Float[Tensor, "b 3 3"],
    mask: Bool[Tensor, "b n"],
    radius: float,
    most: int,
) -> Slots:
    """Finds for every atom the neighbours within a radius that are among its nearest, and it among theirs.

    Of neighbours that are equally near, as symmetry makes them, all are kept or, if there are too many, none, so that
    neither the order of atoms nor the choice of cell matters.

    Args:
        frac: fractional coordinates, wrapped or not.
        lattice: row vectors in Å. A cell that is flat or not finite has no neighbours.
        mask: which places hold an atom.
        radius: in Å.
        most: neighbours for each atom at most.
    """
    places = mask.shape[1]
    pair, vector, distance = edges_within(frac, lattice, mask, radius)
    first, second = torch.triu_indices(places, places, device=frac.device)
    pairs = len(first)
    crystal, pair = pair // pairs * places, pair % pairs
    start = torch.cat([crystal + first[pair], crystal + second[pair]])
    end = start.roll(len(pair))
    vector = torch.cat([vector, -vector])
    limit = _first_left_out(start, torch.cat([distance, distance]), mask.numel(), most)
    keep = distance < torch.minimum(limit[start], limit[end])[: len(pair)] - _TIE
    keep = torch.cat([keep, keep])
    start, end, vector = start[keep], end[keep], vector[keep]

    slot, width = _places_in_groups(start, vector.norm(dim=-1), mask.numel())
    at = start * width + slot
    empty = torch.arange(mask.numel(), device=frac.device)
    neighbour = empty[:, None].repeat(1, width).flatten()
    neighbour[at] = end
    back = torch.arange(mask.numel() * width, device=frac.device)
    back[at] = at.roll(len(at) // 2)
    vectors = vector.new_zeros(len(back), 3)
    vectors[at] = vector
    filled = torch.zeros_like(back, dtype=torch.bool)
    filled[at] = True
    shape = (mask.numel(), width)
    return Slots(
        neighbour.view(shape),
        back.view(shape),
        vectors.view(*shape, 3),
        vectors.norm(dim=-1).view(shape),
        filled.view(shape),
    )


def _first_left_out(
    start: Int[Tensor, " e"], distance: Float[Tensor, " e"], atoms: int, most: int
) -> Float[Tensor, " a"]:
    """Distance of each atom's neighbour after the first `most`, infinite if there are no more."""
    place, _ = _places_in_groups(start, distance, atoms)
    limit = torch.full((atoms,), torch.inf, dtype=distance.dtype, device=distance.device)
    found = place == most
    limit[start[found]] = distance[found]
    return limit


def _places_in_groups(group: Int[Tensor, " e"], key: Float[Tensor, " e"], groups: int) -> tuple[Int[Tensor, " e"], int]:
    """Place of each entry in its group in order of its key, and the size of the largest group, at least 1."""
    order = key.argsort()
    order = order[group[order].argsort(stable=True)]
    sizes = torch.bincount(group, minlength=groups)
    place = torch.empty_like(group)
    place[order] = torch.arange(len(group), device=group.device) - (sizes.cumsum(0) - sizes)[group[order]]
    return place, max(1, int(sizes.max()))
