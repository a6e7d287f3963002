"""Optimisers by name. The loop sees one or two of them behind the same face."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from nucleate.training.config import TrainingConfig
from nucleate.training.muon import Muon


class Optimizers:
    """All optimisers of a model, stepped together."""

    def __init__(self, parts: Iterable[torch.optim.Optimizer]) -> None:
        self.parts = list(parts)

    def step(self, learning_rate: float) -> None:
        """Updates the weights at this learning rate and forgets the gradients."""
        for part in self.parts:
            for group in part.param_groups:
                group["lr"] = learning_rate
            part.step()
            part.zero_grad(set_to_none=True)

    def state_dict(self) -> list[dict[str, Any]]:
        """States of all parts."""
        return [part.state_dict() for part in self.parts]

    def load_state_dict(self, states: list[dict[str, Any]]) -> None:
        """Takes back what `state_dict` gave."""
        for part, state in zip(self.parts, states, strict=True):
            part.load_state_dict(state)


def build_optimizers(model: nn.Module, config: TrainingConfig) -> Optimizers:
    """AdamW for everything, or Muon for the matrices between hidden states and AdamW for the rest.

    Muon's update is scaled to the root mean square of AdamW's, so that one learning rate serves both. Frozen weights
    are left alone.
    """
    hidden, rest = [], []
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        inside = config.optimizer == "muon" and parameter.ndim == 2 and ".blocks." in f".{name}"
        (hidden if inside else rest).append(parameter)
    rate, decay = config.learning_rate, config.weight_decay
    parts: list[torch.optim.Optimizer] = []
    parts.append(torch.optim.AdamW(rest, lr=rate, betas=(0.9, 0.98), weight_decay=decay, fused=True))
    if hidden:
        parts.append(Muon(hidden, lr=rate, weight_decay=decay, momentum=0.95))
    return Optimizers(parts)
