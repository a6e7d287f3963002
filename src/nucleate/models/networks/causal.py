"""What the language family asks of a causal language model, be it ours or one with billions of weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from jaxtyping import Bool, Float, Int
from torch import Tensor, nn


class CausalNetwork(nn.Module, ABC):
    """Reads tokens and says what comes next."""

    @abstractmethod
    def forward(self, tokens: Int[Tensor, "b t"], mask: Bool[Tensor, "b t"]) -> Float[Tensor, "b t v"]:
        """Logits of what follows each token, knowing those before it. `mask` says which places hold a token."""

    @abstractmethod
    def start(self, tokens: Int[Tensor, "b t"], mask: Bool[Tensor, "b t"]) -> tuple[Float[Tensor, "b v"], Any]:
        """Reads prompts that are padded on the left.

        Args:
            tokens: the prompts.
            mask: which places hold a token.

        Returns:
            Logits of the first token to be written, and the memory to go on with.
        """

    @abstractmethod
    def step(self, tokens: Int[Tensor, " b"], memory: Any) -> tuple[Float[Tensor, "b v"], Any]:
        """Takes one more token of each row; returns the logits of the next, and the memory."""

    @abstractmethod
    def keep(self, memory: Any, rows: Int[Tensor, " k"]) -> Any:
        """The memory of some rows, to go on with these alone."""
