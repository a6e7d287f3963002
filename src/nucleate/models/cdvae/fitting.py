"""The prior over z, fitted once more when the loop is over, to an encoder that no longer moves."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from nucleate.crystals import Padded
from nucleate.models.cdvae.prior import Prior
from nucleate.models.generator import FinalFit
from nucleate.models.parts.atoms import element_counts
from nucleate.models.precision import autocast

if TYPE_CHECKING:
    from nucleate.models.cdvae.model import CDVAE

CHUNK = 256
"""Crystals that are encoded at once."""


class PriorFit(FinalFit):
    """Fits the prior to what the encoder says of all crystals.

    Args:
        model: whose encoder is left as it is.
        prior: of the model; all that is changed.
        data: crystals in reduced cells.
        rng: random state.
    """

    title = "prior"

    def __init__(self, model: CDVAE, prior: Prior, data: Padded, rng: torch.Generator) -> None:
        self.model, self.prior, self.data, self.rng = model, prior, data, rng
        self.config = model.config.prior
        self.steps = self.config.fit_steps
        self.counts = element_counts(data.numbers, data.mask)
        self.lattice = model.lattice.encode(data.lattice, data.numbers, data.mask)
        shape = len(data.numbers), model.config.latent
        self.mean, self.deviation = (torch.empty(shape, device=data.frac.device) for _ in range(2))
        self.optimizer = torch.optim.AdamW(
            prior.parameters(), lr=self.config.fit_rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True
        )

    def prepare(self) -> Iterator[float]:
        """Encodes all crystals, some at a time."""
        order, done = self.data.counts.argsort(), 0
        for rows in order.split(CHUNK):
            with torch.no_grad(), autocast(self.mean.device):
                mean, log_variance = self.model.encode(self.data.take(rows))
            self.mean[rows], self.deviation[rows] = mean.float(), (log_variance.float() / 2).exp()
            done += len(rows)
            yield done / len(order)

    def step(self, share: float) -> None:
        """One step of AdamW on crystals drawn at random, at the rate of `one_cycle`."""
        device, batch = self.mean.device, min(self.config.fit_batch, len(self.mean))
        rows = torch.randint(len(self.mean), (batch,), generator=self.rng, device=self.rng.device).to(device)
        noise = {name: value.to(device) for name, value in self.prior.noise(batch, self.rng).items()}
        normal = torch.randn(batch, self.mean.shape[1], generator=self.rng, device=self.rng.device).to(device)
        z = self.mean[rows] + normal * self.deviation[rows]
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.fit_rate * one_cycle(share)
        with _trainable(self.prior):
            with autocast(device):
                loss = self.prior.loss(z, self.lattice[rows], self.counts[rows], noise)
            loss.backward()
            nn.utils.clip_grad_norm_(self.prior.parameters(), 1.0)
            self.optimizer.step()

    def state_dict(self) -> dict[str, Any]:
        """The optimiser and the random state."""
        return {"optimizer": self.optimizer.state_dict(), "rng": self.rng.get_state()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Takes back what `state_dict` gave."""
        self.optimizer.load_state_dict(state["optimizer"])
        self.rng.set_state(state["rng"])


def one_cycle(share: float) -> float:
    """Learning rate as a share of the highest: up in the first twentieth, then down to nothing, both along a cosine."""
    if share < _RISE:
        return _START + (1 - _START) * _half_cosine(share / _RISE)
    return 1 - _half_cosine((share - _RISE) / (1 - _RISE))


def _half_cosine(share: float) -> float:
    """From 0 to 1, flat at both ends."""
    return 0.5 * (1 - math.cos(math.pi * share))


_RISE, _START = 0.05, 0.04


@contextmanager
def _trainable(module: nn.Module) -> Iterator[None]:
    """Lets a module learn that is frozen outside of the block, as averaged weights are; it has no gradients then."""
    parameters: list[tuple[Tensor, bool]] = [(parameter, parameter.requires_grad) for parameter in module.parameters()]
    module.requires_grad_(True)
    try:
        yield
    finally:
        for parameter, before in parameters:
            parameter.requires_grad_(before)
            parameter.grad = None
