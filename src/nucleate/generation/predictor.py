"""A small network that learns a property of crystals from some numbers that describe them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from nucleate.errors import UserError
from nucleate.models.networks.layers import perceptron

HELD_OUT = 0.1
"""Share of the crystals that the error of a property head is measured on."""


class PropertyHead(nn.Module):
    """A property from what describes a crystal, such as its latent.

    Args:
        inputs: how many numbers describe one.
        width: hidden numbers.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, inputs: int, width: int = 256) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("deviation", torch.ones(()))
        self.inner = perceptron(inputs, width, 1)

    def forward(self, inputs: Float[Tensor, "c f"]) -> Float[Tensor, " c"]:
        """Predicts, in the unit of the values that it was fitted to."""
        return self.inner(inputs)[:, 0] * self.deviation + self.mean


@dataclass(frozen=True)
class Fitted:
    """A property head and how good it is.

    Attributes:
        head: the network.
        error: mean absolute error on crystals that it was not fitted to.
        crystals: how many it was fitted to.
    """

    head: PropertyHead
    error: float
    crystals: int


def fit_property(
    inputs: Float[Tensor, "c f"],
    values: Float[np.ndarray, " c"],
    *,
    deviations: Float[Tensor, "c f"] | None = None,
    steps: int = 2000,
    batch: int = 1024,
    rate: float = 2e-3,
    seed: int = 0,
) -> Fitted:
    """Fits a property head to crystals that are described and whose value is known, a tenth of them held out.

    Args:
        inputs: what describes them, one row a crystal; NaN where there is none.
        values: of the property; NaN where not known.
        deviations: standard deviations of Gaussian noise on the inputs, drawn anew at each step; none if None. For
            latents those of the encoder: it keeps the head from reading more into a number than the encoder put there.
        steps: of AdamW, the rate falling to 0 along a cosine.
        batch: crystals per step.
        rate: learning rate at the start.
        seed: fixes the result.

    Raises:
        UserError: fewer than 20 crystals have both.
    """
    known = inputs.isfinite().all(1) & torch.from_numpy(np.isfinite(values))
    if int(known.sum()) < 20:
        raise UserError(f"{int(known.sum())} crystals with this property are too few to learn it from")
    x, y = inputs[known], torch.from_numpy(values).float()[known]
    noise = None if deviations is None else deviations[known]
    rng = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(x), generator=rng)
    held = order[: max(1, round(HELD_OUT * len(x)))]
    seen = order[len(held) :]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        head = PropertyHead(inputs.shape[1])
    head.mean.copy_(y[seen].mean())
    head.deviation.copy_(y[seen].std().clamp(min=1e-6))
    optimizer = torch.optim.AdamW(head.parameters(), lr=rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        rows = seen[torch.randint(len(seen), (min(batch, len(seen)),), generator=rng)]
        seen_as = x[rows]
        if noise is not None:
            seen_as = seen_as + noise[rows] * torch.randn(seen_as.shape, generator=rng)
        loss = ((head(seen_as) - y[rows]) / head.deviation).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    head.eval().requires_grad_(False)
    return Fitted(head, float((head(x[held]) - y[held]).abs().mean()), len(seen))
