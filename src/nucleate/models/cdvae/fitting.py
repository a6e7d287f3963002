"""The prior over z, fitted once more after training, to an encoder that no longer moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from nucleate.crystals import Padded
from nucleate.models.parts.atoms import element_counts
from nucleate.models.precision import autocast

if TYPE_CHECKING:
    from nucleate.models.cdvae.model import CDVAE

_CHUNK = 256
"""Crystals that are encoded at once."""


def fit_prior(model: CDVAE, data: Padded, rng: torch.Generator, on_progress: Callable[[float], None]) -> None:
    """Fits the prior to what the encoder says of all crystals.

    Args:
        model: whose encoder is left as it is.
        data: crystals in reduced cells.
        rng: random state.
        on_progress: called with the share that is done.
    """
    prior, config = model.network.prior, model.config.prior
    if prior is None:
        return
    mean, deviation = _encoded(model, data)
    counts = element_counts(data.numbers, data.mask)
    lattice = model.lattice.encode(data.lattice, data.numbers, data.mask)
    batch = min(config.fit_batch, len(mean))
    optimizer = torch.optim.AdamW(
        prior.parameters(), lr=config.fit_rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, config.fit_rate, max(config.fit_steps, 2), pct_start=0.05, cycle_momentum=False
    )
    trained = [parameter.requires_grad for parameter in prior.parameters()]
    prior.requires_grad_(True)
    for step in range(config.fit_steps):
        rows = torch.randint(len(mean), (batch,), generator=rng, device=rng.device).to(mean.device)
        noise = {name: value.to(mean.device) for name, value in prior.noise(batch, rng).items()}
        normal = torch.randn(batch, mean.shape[1], generator=rng, device=rng.device).to(mean.device)
        z = mean[rows] + normal * deviation[rows]
        with autocast(mean.device):
            loss = prior.loss(z, lattice[rows], counts[rows], noise)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(prior.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        on_progress((step + 1) / config.fit_steps)
    for parameter, before in zip(prior.parameters(), trained, strict=True):
        parameter.requires_grad_(before)
        parameter.grad = None


@torch.no_grad()
def _encoded(model: CDVAE, data: Padded) -> tuple[Tensor, Tensor]:
    """Mean and deviation of z of all crystals, in order."""
    order = data.counts.argsort()
    means, deviations = (torch.empty(len(order), model.config.latent, device=order.device) for _ in range(2))
    for rows in order.split(_CHUNK):
        with autocast(data.frac.device):
            mean, log_variance = model.encode(data.take(rows))
        means[rows], deviations[rows] = mean, (log_variance / 2).exp()
    return means, deviations
