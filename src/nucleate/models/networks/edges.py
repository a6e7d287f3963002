"""What passes along edges in dense neighbour slots, with gradients that gather as well, where PyTorch's would scatter.

Every edge stands in a slot at both of its ends, and `Slots.back` leads from one to the other and back. So the sum over
all edges that an atom sends is the sum over its own slots of what stands at the other ends.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from nucleate.geometry.slots import Slots
from nucleate.models.networks.bases import legendre


def at_other_end(edges: Float[Tensor, "a k d"], slots: Slots) -> Float[Tensor, "a k d"]:
    """For each slot what stands in the slot of the same edge at its other end."""
    return _Swap.apply(edges, slots.back)


def of_neighbours(atoms: Float[Tensor, "a d"], slots: Slots) -> Float[Tensor, "a k d"]:
    """For each slot the state of the neighbour."""
    return _Gather.apply(atoms, slots.neighbour, slots.back)


def angular(slots: Slots, degrees: int) -> Float[Tensor, "a k k l"]:
    """Spherical harmonics of the angle between each two edges of an atom, 0 for an edge with itself."""
    unit = slots.vector / slots.distance.clamp(min=1e-3).unsqueeze(-1)
    return legendre((unit @ unit.mT).clamp(-1, 1), degrees) * _two(slots.filled).unsqueeze(-1)


def _two(filled: Bool[Tensor, "a k"]) -> Bool[Tensor, "a k k"]:
    """Where there are two edges."""
    itself = torch.eye(filled.shape[1], dtype=torch.bool, device=filled.device)
    return filled[:, :, None] & filled[:, None] & ~itself


def _swapped(edges: Tensor, back: Int[Tensor, "a k"]) -> Tensor:
    return edges.flatten(0, 1).index_select(0, back.flatten()).view_as(edges)


class _Swap(torch.autograd.Function):
    """Exchanges the two ends of each edge; so does its gradient."""

    @staticmethod
    def forward(ctx: Any, edges: Tensor, back: Tensor) -> Tensor:
        ctx.save_for_backward(back)
        return _swapped(edges, back)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (back,) = ctx.saved_tensors
        return _swapped(grads[0].contiguous(), back), None


class _Gather(torch.autograd.Function):
    """Rows of atoms for their neighbours; the gradient of an atom is the sum over the edges that it sends."""

    @staticmethod
    def forward(ctx: Any, atoms: Tensor, neighbour: Tensor, back: Tensor) -> Tensor:
        ctx.save_for_backward(back)
        return atoms.index_select(0, neighbour.flatten()).view(*neighbour.shape, -1)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (back,) = ctx.saved_tensors
        return _swapped(grads[0].contiguous(), back).sum(1), None, None
