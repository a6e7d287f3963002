"""Families that know the sizes of the cells they were trained on."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from nucleate.crystals import Padded
from nucleate.models.generator import Generator


class SizedGenerator(Generator):
    """A family that is told how many atoms a cell has, and draws that from the histogram of its training set.

    Its configuration has a `sampling`, whose `draws` say from how many samples a prediction is chosen.
    """

    size_histogram: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("size_histogram", torch.zeros(1))

    @property
    def max_atoms(self) -> int:
        """Most atoms per cell in the training set."""
        return len(self.size_histogram) - 1

    @property
    def draws(self) -> int:
        """Samples from which a prediction is chosen for CSP, from the configuration."""
        return self.config.sampling.draws

    def fit(self, data: Padded) -> None:
        """Sets the histogram of sizes."""
        self.size_histogram = torch.bincount(data.counts).float()

    def draw_sizes(self, count: int, rng: torch.Generator) -> Int[Tensor, " count"]:
        """Draws numbers of atoms per cell from the histogram of the training set."""
        histogram = self.size_histogram.to(rng.device)
        return torch.multinomial(histogram, count, replacement=True, generator=rng).to(self.size_histogram.device)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        # The histogram's length is the largest cell of the training set, which only the checkpoint knows.
        saved = state_dict.get(prefix + "size_histogram")
        if saved is not None:
            self.size_histogram = torch.zeros_like(saved, device=self.size_histogram.device)
        super()._load_from_state_dict(state_dict, prefix, *args)
