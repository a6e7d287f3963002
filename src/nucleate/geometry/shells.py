"""Neighbours by distance: a histogram over the periodic images of each pair of atoms."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def shells(
    delta: Float[Tensor, "b n n 3"], metric: Float[Tensor, "b 3 3"], bins: int, reach: float, cells: int = 1
) -> Float[Tensor, "b n n r"]:
    """Counts the images of each second atom around each first by distance.

    Each image is shared between the two nearest bins by linear weights, so that the counts are continuous in the
    positions. Filling bins is some thirty times as fast as a sum of Gaussians over images and says the same.

    Args:
        delta: shortest fractional displacements; those of an atom to itself are 0.
        metric: scalar products of the lattice vectors, in the square of any unit. It need not be that of a cell: a
            squared length below 0 counts as 0, and NaN as out of reach.
        bins: centred at 0, …, `reach`, evenly.
        reach: largest distance that is counted, in the same unit.
        cells: images in this many cells in each direction are looked at.
    """
    steps = torch.arange(-cells, cells + 1, dtype=delta.dtype, device=delta.device)
    shifts = torch.cartesian_prod(steps, steps, steps)
    covariant = torch.einsum("bijx,bxy->bijy", delta, metric)
    squared = (covariant * delta).sum(-1, keepdim=True) + 2 * covariant @ shifts.T
    squared = squared + ((shifts @ metric) * shifts).sum(-1)[:, None, None]
    place = squared.nan_to_num(nan=torch.inf).clamp(min=0).sqrt() * ((bins - 1) / reach)
    lower = place.floor()
    inside = lower < bins - 1
    index = torch.where(inside, lower, 0.0).long()
    share = place - lower
    counts = delta.new_zeros(*delta.shape[:3], bins)
    counts.scatter_add_(-1, index, torch.where(inside, 1 - share, 0.0))
    return counts.scatter_add_(-1, index + inside.long(), torch.where(inside, share, 0.0))
