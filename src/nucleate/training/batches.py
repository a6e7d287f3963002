"""Batches as indices into data that is already on the device: crystals of similar size, nearly no padding."""

from __future__ import annotations

import torch
from jaxtyping import Int
from torch import Tensor


def epoch_batches(counts: Int[Tensor, " c"], batch: int, rng: torch.Generator) -> list[Int[Tensor, " b"]]:
    """Cuts one epoch into batches of equal length, in random order.

    The crystals are sorted by size with ties in random order and cut at a random phase, so that a batch spans one or
    two neighbouring sizes; the few left over at the two ends wait for another epoch.

    Args:
        counts: atoms per crystal, on the CPU.
        batch: crystals per batch; all of them if there are fewer.
        rng: random state, on the CPU.
    """
    total = len(counts)
    batch = min(batch, total)
    order = torch.argsort(counts + torch.rand(total, generator=rng))
    whole = total // batch
    phase = int(torch.randint(total - whole * batch + 1, (), generator=rng))
    chunks = order[phase : phase + whole * batch].view(whole, batch)
    return [chunks[i] for i in torch.randperm(whole, generator=rng).tolist()]
