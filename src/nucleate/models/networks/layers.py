"""Layers that networks share: perceptrons, a scaled activation, and residual pairs of layers."""

from __future__ import annotations

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


def scaled_silu(x: Float[Tensor, "*dims"]) -> Float[Tensor, "*dims"]:
    """SiLU / 0.6, which keeps the variance of a standard normal input (Gasteiger et al. 2021)."""
    return F.silu(x) / 0.6


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


class Dense(nn.Module):
    """A linear layer without bias and the activation after it."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs, bias=False)
        nn.init.orthogonal_(self.linear.weight)

    def forward(self, x: Float[Tensor, "*dims i"]) -> Float[Tensor, "*dims o"]:
        """Applies the layer."""
        return scaled_silu(self.linear(x))


class Residual(nn.Module):
    """(x + two dense layers of x) / √2."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(Dense(width, width), Dense(width, width))

    def forward(self, x: Float[Tensor, "*dims d"]) -> Float[Tensor, "*dims d"]:
        """Applies the layers."""
        return (x + self.inner(x)) * 0.5**0.5


def residuals(width: int, count: int) -> nn.Sequential:
    """A stack of residual pairs."""
    return nn.Sequential(*(Residual(width) for _ in range(count)))
