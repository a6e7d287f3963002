"""Describes a proposed crystal so that it lies as near as possible to the crystal it is to become.

Cell, origin, mirror image and order of like atoms are free: none of them changes the proposal, but each changes how
far every atom has to go. A flow that learns from pairs that are aligned learns corrections, and not relabellings.
"""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np
import torch
from jaxtyping import Float, Integer

from nucleate.models.parts.coupling import match_like_atoms

CELLS = 48
"""Cells of the proposal that are tried, at most."""

ORIGINS = 6
"""Origins that are tried for each cell, at most."""


def aligned(
    numbers: Integer[np.ndarray, " n"],
    frac: Float[np.ndarray, "n 3"],
    lattice: Float[np.ndarray, "3 3"],
    target: Float[np.ndarray, "n 3"],
    target_lattice: Float[np.ndarray, "3 3"],
    target_numbers: Integer[np.ndarray, " n"],
) -> tuple[Float[np.ndarray, "n 3"], Float[np.ndarray, "3 3"]]:
    """Places and cell of a proposal, atom by atom in the order of its target.

    Args:
        numbers: elements of the proposal.
        frac: its fractional coordinates.
        lattice: its cell, row vectors in Å.
        target: fractional coordinates of the crystal it is to become.
        target_lattice: and its cell.
        target_numbers: its elements, the same ones in another order.
    """
    order = np.argsort(target_numbers, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    by_element = np.argsort(numbers, kind="stable")
    numbers, frac = numbers[by_element], frac[by_element]
    goal = target[order]
    bases = _bases(lattice, target_lattice)
    moved = frac @ np.linalg.inv(bases)  # (k, n, 3)
    alike = numbers[:, None] == numbers[None]
    anchor, ends = _anchor(numbers)
    shifts = goal[ends][None] - moved[:, anchor, None]  # (k, o, 3)
    candidates = moved[:, None] + shifts[:, :, None]  # (k, o, n, 3)
    apart = candidates[:, :, :, None] - goal
    cost = (((apart - np.round(apart)) @ target_lattice) ** 2).sum(-1)
    cost = np.where(alike, cost, np.inf)
    # Each way, from every atom to the nearest of its kind: no less than any matching costs, and nearly what it does.
    bound = cost.min(-1).sum(-1) + cost.min(-2).sum(-1)
    best = np.unravel_index(bound.argmin(), bound.shape)
    chosen = torch.from_numpy(cost[best])[None].float()
    matched = match_like_atoms(
        chosen.nan_to_num(posinf=1e6), torch.from_numpy(numbers.astype(np.int64))[None], torch.ones(1, len(numbers)) > 0
    )[0].numpy()
    return candidates[best][matched][place] % 1, bases[best[0]] @ lattice


def _anchor(numbers: Integer[np.ndarray, " n"]) -> tuple[int, Integer[np.ndarray, " o"]]:
    """An atom of the rarest element, and the atoms that it may be brought onto."""
    kinds, counts = np.unique(numbers, return_counts=True)
    ends = np.flatnonzero(numbers == kinds[counts.argmin()])
    return int(ends[0]), ends[:ORIGINS]


def _bases(lattice: Float[np.ndarray, "3 3"], target: Float[np.ndarray, "3 3"]) -> Float[np.ndarray, "k 3 3"]:
    """Changes of basis after which the cell is most like the target's: lengths and angles decide."""
    ours, theirs = lattice @ lattice.T, target @ target.T
    changes = _changes()
    difference = np.abs(changes @ ours @ changes.transpose(0, 2, 1) - theirs).sum((1, 2))
    best = difference.min()
    order = np.argsort(difference, kind="stable")[:CELLS]
    return changes[order[difference[order] <= best + _SLACK * np.trace(theirs)]].astype(float)


_SLACK = 0.05
"""How much less alike another cell may be, as a share of the squared lengths."""


@cache
def _changes() -> Float[np.ndarray, "k 3 3"]:
    """Matrices of -1, 0 and 1 that keep the volume, improper ones included."""
    entries = np.array(list(product((-1, 0, 1), repeat=9)), dtype=np.float64).reshape(-1, 3, 3)
    return entries[np.abs(np.abs(np.linalg.det(entries)) - 1) < 1e-6]
