"""Which of several draws for one composition is the most typical: the one that is most like the others.

A draw is described by its radial distribution function, resolved by pairs of elements, in units of the mean distance
(V/N)^(1/3), so that neither the choice of cell nor the order of atoms matters. The draw with the smallest sum of
distances to the others (the medoid) stands near the densest part of what the model would make. No reference, energy or
label takes part.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from nucleate.crystals import Crystals, Padded
from nucleate.geometry import lattice as cells
from nucleate.geometry import torus
from nucleate.geometry.shells import shells

BINS = 24
REACH = 2.3
"""Largest distance that is looked at, in units of (V/N)^(1/3): about the third shell of neighbours."""

CRYSTALS_PER_CHUNK = 128


def typical_first(crystals: Crystals, draws: int) -> Int[np.ndarray, "g d"]:
    """Orders the draws of each composition from the most to the least typical.

    Args:
        crystals: `draws` rows in a row for each composition. Draws that were not built come last.
        draws: for each composition.

    Returns:
        Row numbers, one line a composition.
    """
    groups = len(crystals) // draws
    rows = np.arange(groups * draws).reshape(groups, draws)
    if draws == 1:
        return rows
    distance = np.full((groups, draws), np.inf)
    for chunk in _chunks(groups, max(1, CRYSTALS_PER_CHUNK // draws)):
        distance[chunk] = _distance_to_others(crystals[rows[chunk].ravel()], draws)
    return np.take_along_axis(rows, np.argsort(distance, axis=1, kind="stable"), axis=1)


def _chunks(total: int, length: int) -> Iterator[slice]:
    return (slice(start, min(start + length, total)) for start in range(0, total, length))


def _distance_to_others(crystals: Crystals, draws: int) -> Float[np.ndarray, "g d"]:
    """Mean distance of each draw to those of its composition that were built; infinite for one that was not."""
    built = torch.from_numpy(crystals.built).view(-1, draws)
    if not bool(built.any()):
        return np.full(built.shape, np.inf)
    block = crystals.to(dtype=torch.float32).padded()
    described = radial_distribution(block).nan_to_num().view(len(built), draws, -1)
    between = torch.cdist(described, described, p=1.0)
    others = built[:, None] & ~torch.eye(draws, dtype=torch.bool)
    mean = (between * others).sum(2) / others.sum(2).clamp(min=1)
    return torch.where(built, mean, torch.inf).numpy()


def radial_distribution(block: Padded) -> Float[Tensor, "b f"]:
    """Neighbours per atom by distance and by pair of elements, smoothed over neighbouring bins.

    Elements are numbered within each crystal, so that rows of one composition can be compared, and only these.
    """
    numbers, frac, lattice, mask = block[:4]
    count = mask.sum(1).clamp(min=1)
    unit = (cells.volume(lattice) / count) ** (1 / 3)
    metric = cells.metric(lattice / unit[:, None, None])
    counts = shells(torus.log_map(frac[:, :, None], frac[:, None]), metric, BINS, REACH, cells=2)
    kind = _rank_of_element(numbers, mask)
    kinds = int(kind.max()) + 1
    membership = F.one_hot(kind, kinds).to(counts.dtype) * mask.unsqueeze(-1)
    by_pair = torch.einsum("bijr,bis,bjt->bstr", counts, membership, membership)
    return _smooth(_smooth(by_pair)).flatten(1) / count[:, None]


def _rank_of_element(numbers: Int[Tensor, "b n"], mask: Tensor) -> Int[Tensor, "b n"]:
    """Numbers the elements of each crystal 0, 1, 2, … by atomic number; padding gets 0."""
    earlier = (numbers[:, :, None] == numbers[:, None]).tril(-1).any(2)
    first = mask & ~earlier
    smaller = (numbers[:, None] < numbers[:, :, None]) & first[:, None]
    return smaller.sum(2) * mask


def _smooth(values: Float[Tensor, "b s t r"]) -> Float[Tensor, "b s t r"]:
    left, right = F.pad(values, (1, 0))[..., :-1], F.pad(values, (0, 1))[..., 1:]
    return (left + 2 * values + right) / 4
