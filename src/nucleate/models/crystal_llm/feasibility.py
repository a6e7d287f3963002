"""Whether a composition fits a space group: whether each element's atoms can be shared out among Wyckoff positions.

A position without free coordinates is one place, which one site can take; others can be taken again and again.
"""

from __future__ import annotations

from functools import cache, lru_cache
from itertools import product
from typing import NamedTuple

import torch
from jaxtyping import Bool
from torch import Tensor

from nucleate.geometry import space_groups

MOST = 64
"""Most atoms of an element."""


class Positions(NamedTuple):
    """The positions of a group by number of atoms in the primitive cell."""

    single: tuple[int, ...]
    """Atoms of positions without free coordinates, each size once."""
    available: tuple[int, ...]
    """How many of them there are, for each of these sizes."""
    reach: int
    """Bit n is set if n atoms can be made by positions with free coordinates."""


@cache
def positions(group: int) -> Positions:
    """What a group offers."""
    table = space_groups.wyckoff()
    there = table.multiplicity[group] > 0
    free = table.free[group].any(-1)
    single = table.multiplicity[group][there & ~free].tolist()
    sizes = tuple(sorted(set(single)))
    reach = 1
    for many in set(table.multiplicity[group][there & free].tolist()):
        for _ in range(MOST // many):
            reach |= reach << many
    return Positions(sizes, tuple(single.count(size) for size in sizes), reach & ((1 << (MOST + 1)) - 1))


def fits(group: int, available: tuple[int, ...], counts: tuple[int, ...]) -> bool:
    """Whether elements of so many atoms can be placed together.

    Args:
        group: number.
        available: positions without free coordinates that nothing has taken, in the order of `Positions.single`.
        counts: atoms of each element that are still to be placed.
    """
    return _fits(group, available, tuple(sorted(count for count in counts if count)))


@lru_cache(maxsize=1 << 18)
def _fits(group: int, available: tuple[int, ...], counts: tuple[int, ...]) -> bool:
    if not counts:
        return True
    single, _, reach = positions(group)
    count, rest = counts[0], counts[1:]
    choices = [range(min(many, count // size) + 1) for size, many in zip(single, available, strict=True)]
    for taken in product(*choices):
        left = count - sum(n * size for n, size in zip(taken, single, strict=True))
        if left >= 0 and reach >> left & 1:
            remaining = tuple(many - n for many, n in zip(available, taken, strict=True))
            if _fits(group, remaining, rest):
                return True
    return False


@lru_cache(maxsize=4096)
def fitting_groups(counts: tuple[int, ...]) -> Bool[Tensor, " g"]:
    """Which groups a composition fits, by number; group 0 never.

    Args:
        counts: atoms of each element in the primitive cell, in increasing order.
    """
    found = [False] + [_fits(group, positions(group).available, counts) for group in range(1, space_groups.GROUPS + 1)]
    return torch.tensor(found)
