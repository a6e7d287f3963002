"""The graph that CHGNet reads, for many crystals at once: bonds up to 6 Å, and angles between those below 3 Å."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from nucleate.crystals import Crystals
from nucleate.geometry.neighbours import Neighbours, neighbours, ragged

BOND_CUTOFF = 6.0
ANGLE_CUTOFF = 3.0
"""In Å."""


class BondGraph(NamedTuple):
    """U bonds of a batch, each in both directions, and T angles. Single precision, as the network has.

    Attributes:
        centre: atom where each direction starts, (2 U,): first the U forward ones, then the same bonds backward.
        neighbour: atom where it ends.
        length: of the bonds in Å, (U,).
        corner: atom at the corner of each angle, (T,).
        left: bond along its first leg, in 0 … U - 1.
        right: bond along its second leg.
        left_direction: unit vector from the corner along the first leg, (T, 3).
        right_direction: along the second.
    """

    centre: Int[Tensor, " d"]
    neighbour: Int[Tensor, " d"]
    length: Float[Tensor, " u"]
    corner: Int[Tensor, " t"]
    left: Int[Tensor, " t"]
    right: Int[Tensor, " t"]
    left_direction: Float[Tensor, "t 3"]
    right_direction: Float[Tensor, "t 3"]


def bond_graph(crystals: Crystals) -> BondGraph:
    """Finds bonds and angles."""
    found = neighbours(crystals.frac, crystals.lattice, crystals.counts, BOND_CUTOFF)
    one_way = _forward(found)
    source, target = found.source[one_way], found.target[one_way]
    length = found.distance[one_way]
    direction = (found.vector[one_way] / length[:, None]).to(torch.float32)

    short = torch.nonzero(length < ANGLE_CUTOFF)[:, 0]
    legs = torch.cat([source[short], target[short]])
    order = legs.argsort(stable=True)
    corner = legs[order]
    bond = short.repeat(2)[order]
    leg_direction = torch.cat([direction[short], -direction[short]])[order]
    first, second = _pairs(corner, len(crystals.numbers))
    return BondGraph(
        torch.cat([source, target]),
        torch.cat([target, source]),
        length.to(torch.float32),
        corner[first],
        bond[first],
        bond[second],
        leg_direction[first],
        leg_direction[second],
    )


def _forward(found: Neighbours) -> Int[Tensor, " u"]:
    """One of the two directions of each bond: to the later atom, or to an image of itself on one side of the origin."""
    side = (found.offset.sign() * torch.tensor([4, 2, 1])).sum(1)
    first = (found.source < found.target) | ((found.source == found.target) & (side > 0))
    return torch.nonzero(first)[:, 0]


def _pairs(corner: Int[Tensor, " n"], atoms: int) -> tuple[Int[Tensor, " t"], Int[Tensor, " t"]]:
    """All pairs of different legs at the same corner, both ways round; legs are sorted by corner."""
    legs = torch.bincount(corner, minlength=atoms)
    starts = legs.cumsum(0) - legs
    partners = legs[corner]
    first, place = ragged(partners)
    second = starts[corner[first]] + place
    different = first != second
    return first[different], second[different]
