"""Layers that networks share: perceptrons, a scaled activation, and residual pairs of layers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import cast

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

GAIN = 1 / 0.6
"""SiLU times this keeps the variance of a standard normal input (Gasteiger et al. 2021)."""

HALF = 0.5**0.5
"""The sum of two things times this keeps their variance."""

Scaled = tuple[Tensor, float]
"""Values and a factor that they are still to be multiplied by."""


def scaled(x: Scaled) -> Tensor:
    """Multiplies by the factor."""
    values, factor = x
    return values * factor


def mean_of(one: Scaled, other: Scaled) -> Scaled:
    """Sum over √2."""
    return torch.add(one[0], other[0], alpha=other[1] / one[1]), one[1] * HALF


def perceptron(inputs: int, width: int, outputs: int) -> nn.Sequential:
    """Two hidden layers with SiLU."""
    return nn.Sequential(
        nn.Linear(inputs, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, outputs)
    )


class ResidualPerceptron(nn.Module):
    """x + two layers of the normalised x, twice as wide inside.

    Args:
        width: of x.
        conditioned: whether a condition, as wide as x, goes through a layer of its own and is added after the norm.
    """

    def __init__(self, width: int, *, conditioned: bool = False) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.given = nn.Linear(width, width) if conditioned else None
        self.up = nn.Linear(width, 2 * width)
        self.down = nn.Linear(2 * width, width)

    def forward(
        self, x: Float[Tensor, "*dims d"], given: Float[Tensor, "*dims d"] | None = None
    ) -> Float[Tensor, "*dims d"]:
        """Applies the block; `given` is the condition of one that takes it."""
        hidden = self.norm(x)
        if self.given is not None:
            hidden = hidden + self.given(given)
        return x + self.down(F.silu(self.up(hidden)))


class Layer(nn.Module, ABC):
    """A layer that leaves factors for the next one.

    A pass over all edges costs an eighth of a matrix product. So factors wait until they can go into the weights of a
    layer or into a sum, where they cost nothing.
    """

    @abstractmethod
    def unscaled(self, x: Scaled) -> Scaled:
        """Applies the layer."""

    def forward(self, x: Float[Tensor, "*dims i"]) -> Float[Tensor, "*dims o"]:
        """Applies the layer and the factor."""
        return scaled(self.unscaled((x, 1.0)))


class Dense(Layer):
    """A linear layer without bias, and SiLU times `GAIN` after it."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs, bias=False)
        nn.init.orthogonal_(self.linear.weight)

    def unscaled(self, x: Scaled) -> Scaled:
        """Applies the layer."""
        values, factor = x
        weight = self.linear.weight if factor == 1 else self.linear.weight * factor
        return F.silu(F.linear(values, weight)), GAIN


class Chain(nn.Sequential, Layer):
    """Layers one after the other."""

    def unscaled(self, x: Scaled) -> Scaled:
        """Applies the layers."""
        for layer in self:
            x = cast(Layer, layer).unscaled(x)
        return x

    def forward(self, input: Float[Tensor, "*dims i"]) -> Float[Tensor, "*dims o"]:  # noqa: A002 - PyTorch's name
        """Applies the layers and the factor."""
        return scaled(self.unscaled((input, 1.0)))


class Residual(Layer):
    """(x + two dense layers of x) / √2."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = Chain(Dense(width, width), Dense(width, width))

    def unscaled(self, x: Scaled) -> Scaled:
        """Applies the layer."""
        return mean_of(x, self.inner.unscaled(x))


def residuals(width: int, count: int) -> Chain:
    """A stack of residual pairs."""
    return Chain(*(Residual(width) for _ in range(count)))
