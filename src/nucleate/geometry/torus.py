"""The flat torus of fractional coordinates: wrapping, shortest displacements, and the removal of drift."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def wrap(frac: Float[Tensor, "*dims"]) -> Float[Tensor, "*dims"]:
    """Wraps to [0, 1). NaN stays NaN."""
    wrapped = frac - torch.floor(frac)
    # A tiny negative number rounds up to exactly 1, which is the same point as 0.
    return torch.where(wrapped >= 1, torch.zeros_like(wrapped), wrapped)


def log_map(start: Float[Tensor, "*#dims"], end: Float[Tensor, "*#dims"]) -> Float[Tensor, "..."]:
    """Shortest displacement from `start` to `end` along each axis, in [-1/2, 1/2] (Miller et al. 2024, eq. 12)."""
    delta = end - start
    return delta - torch.round(delta)


def mean_free(vectors: Float[Tensor, "b n 3"], mask: Bool[Tensor, "b n"]) -> Float[Tensor, "b n 3"]:
    """Subtracts from the vectors of each crystal their mean, so that nothing drifts; padding becomes 0."""
    weights = mask.unsqueeze(-1).to(vectors.dtype)
    mean = (vectors * weights).sum(1, keepdim=True) / weights.sum(1, keepdim=True).clamp(min=1)
    return (vectors - mean) * weights
