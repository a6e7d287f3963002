"""An exponential moving average of a model's weights, which is what is validated and shipped."""

from __future__ import annotations

import copy
from typing import Generic, TypeVar

import torch
from torch import nn

M = TypeVar("M", bound=nn.Module)


class Ema(Generic[M]):
    """Keeps a copy of `model` whose parameters trail behind: e ← d·e + (1 − d)·w after each step.

    Early on the decay is (1 + step) / (10 + step) if that is smaller, so that the random start is soon forgotten.
    Weights that the copy shares with the model, because they are frozen, stay as they are. Without decay there is
    nothing to average, and no copy.
    """

    def __init__(self, model: M, decay: float) -> None:
        self.model: M = copy.deepcopy(model).requires_grad_(False) if decay else model
        self.decay = decay

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Moves towards `model` after optimisation step number `step`."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for average, weight in zip(self.model.parameters(), model.parameters(), strict=True):
            if average is not weight:
                average.lerp_(weight, 1 - decay)
