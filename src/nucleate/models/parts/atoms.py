"""What is described, counted and averaged over the atoms of crystals."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from nucleate.elements import MAX_NUMBER

CLASSES = MAX_NUMBER + 1
"""Length of a one-hot description of an element; class 0 is none, as where a block is padded."""


def one_hot(numbers: Int[Tensor, "b n"]) -> Float[Tensor, "b n z"]:
    """Describes types; `z` is `CLASSES`."""
    return F.one_hot(numbers, CLASSES).float()


def numbers_of(present: Bool[Tensor, " z"]) -> frozenset[int]:
    """Atomic numbers of the elements that are marked as present; `z` is `CLASSES`."""
    return frozenset(present.nonzero()[:, 0].tolist()) - {0}


def element_counts(numbers: Int[Tensor, "b n"], mask: Bool[Tensor, "b n"]) -> Float[Tensor, "b z"]:
    """Atoms of each element in each crystal."""
    counts = torch.zeros(len(numbers), CLASSES, device=numbers.device)
    return counts.scatter_add_(1, numbers, mask.to(counts.dtype))


def mean_over_crystals(values: Float[Tensor, "b n"], mask: Bool[Tensor, "b n"]) -> Float[Tensor, ""]:
    """Mean over the atoms of each crystal, then over crystals, so that each crystal counts the same."""
    present = mask.to(values.dtype)
    return ((values * present).sum(1) / present.sum(1)).mean()
