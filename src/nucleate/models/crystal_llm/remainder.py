"""What remains to be written after each token of a document: sums that a network need not do in its head.

A site brings as many atoms as its letter says in its space group, and an element's turn ends when its sites add up to
its count. That is arithmetic with a table of 230 groups, and the smaller a network, the more of its mistakes are made
there.

Axes: B documents, T tokens.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Int
from torch import Tensor

from nucleate.elements import MAX_NUMBER
from nucleate.geometry import space_groups
from nucleate.models.crystal_llm import vocabulary as words

SIZES = (words.MAX_COUNT + 1, MAX_NUMBER + 2)
"""Values that each of the two numbers can have."""


def remaining(tokens: Int[Tensor, "b t"]) -> Int[Tensor, "b t 2"]:
    """Atoms that are left, and the element whose turn is next.

    As long as the formula is not complete, these are the atoms that belong to none of its elements yet, and no element
    (0). From then on, the atoms of the present element that have no site yet, and the element after it in the formula,
    or none but a number of its own where there is none after it.

    Args:
        tokens: documents from their beginning, padded on either side. Any order of any tokens has an answer.

    Returns:
        Each from what stands there and before; the values are below `SIZES`.
    """
    is_count, count = _of(words.COUNTS, tokens)
    is_element, element = _of(words.ELEMENTS, tokens)
    is_letter, letter = _of(words.LETTERS, tokens)
    first = is_count & (is_count.cumsum(1) == 1)
    size = (count * first).cumsum(1)
    counted = (count * (is_count & ~first)).cumsum(1)
    settled = (size > 0) & (counted >= size)

    named = (is_element & ~settled).cumsum(1)
    turn = (is_element & settled).cumsum(1)
    elements = _listed(element, named, is_element & ~settled)
    # The last count is the one that settles the formula, so what was settled before it tells.
    open_before = ~F.pad(settled, (1, 0))[:, :-1]
    counts = _listed(count, named, is_count & ~first & open_before)

    groups = _of(words.GROUPS, tokens)[1].cummax(1).values
    many = space_groups.wyckoff().multiplicity.to(tokens.device)[groups, letter] * is_letter
    due = counts.cumsum(1).gather(1, turn.clamp(max=counts.shape[1] - 1))
    left = torch.where(settled, due - many.cumsum(1), size - counted).clamp(0, words.MAX_COUNT)
    after = elements.gather(1, (turn + 1).clamp(max=elements.shape[1] - 1))
    nobody = torch.where(turn >= named, MAX_NUMBER + 1, after)
    return torch.stack([left, torch.where(settled, nobody, 0)], -1)


def _of(kind: words.Range, tokens: Int[Tensor, "b t"]) -> tuple[Tensor, Tensor]:
    """Which tokens are of a kind, and their values; 0 for the others."""
    there = (tokens >= kind.start) & (tokens < kind.stop)
    return there, (tokens - kind.start) * there


def _listed(values: Int[Tensor, "b t"], places: Int[Tensor, "b t"], which: Tensor) -> Int[Tensor, "b m"]:
    """Some of the values by their places, zeros elsewhere; nothing is at place 0."""
    table = values.new_zeros(len(values), values.shape[1] + 2)
    return table.scatter_add_(1, places * which, values * which)
