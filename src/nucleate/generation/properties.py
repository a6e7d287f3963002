"""Search in the latent for crystals with a property (Xie et al. 2022, section 5.3).

A small network learns a property of crystals, such as the formation energy, from their latents. Then latents go up or
down its gradient, and what they decode to on the way are the candidates. No energy is calculated: a prediction is what
the network says, and what it says of a decoded crystal, encoded again, is the honest one of the two.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from nucleate.crystals import Crystals
from nucleate.errors import UserError
from nucleate.generation.latent import decode, encode
from nucleate.models.cdvae.model import CDVAE
from nucleate.models.networks.layers import perceptron

HELD_OUT = 0.1
"""Share of the crystals that the error of a property head is measured on."""


class PropertyHead(nn.Module):
    """A property from the latent.

    Args:
        latent: length of a latent.
        width: hidden numbers.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, latent: int, width: int = 256) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("deviation", torch.ones(()))
        self.inner = perceptron(latent, width, 1)

    def forward(self, latents: Float[Tensor, "c l"]) -> Float[Tensor, " c"]:
        """Predicts, in the unit of the values that it was fitted to."""
        return self.inner(latents)[:, 0] * self.deviation + self.mean


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
    latents: Float[Tensor, "c l"],
    values: Float[np.ndarray, " c"],
    *,
    steps: int = 2000,
    batch: int = 1024,
    rate: float = 2e-3,
    seed: int = 0,
) -> Fitted:
    """Fits a property head to crystals whose latent and value are known, a tenth of them held out.

    Args:
        latents: one row a crystal; NaN where there is none.
        values: of the property; NaN where not known.
        steps: of AdamW, the rate falling to 0 along a cosine.
        batch: crystals per step.
        rate: learning rate at the start.
        seed: fixes the result.

    Raises:
        UserError: fewer than 20 crystals have both.
    """
    known = latents.isfinite().all(1) & torch.from_numpy(np.isfinite(values))
    if int(known.sum()) < 20:
        raise UserError(f"{int(known.sum())} crystals with this property are too few to learn it from")
    x, y = latents[known], torch.from_numpy(values).float()[known]
    rng = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(x), generator=rng)
    held = order[: max(1, round(HELD_OUT * len(x)))]
    seen = order[len(held) :]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        head = PropertyHead(latents.shape[1])
    head.mean.copy_(y[seen].mean())
    head.deviation.copy_(y[seen].std().clamp(min=1e-6))
    optimizer = torch.optim.AdamW(head.parameters(), lr=rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        rows = seen[torch.randint(len(seen), (min(batch, len(seen)),), generator=rng)]
        loss = ((head(x[rows]) - y[rows]) / head.deviation).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    head.eval().requires_grad_(False)
    return Fitted(head, float((head(x[held]) - y[held]).abs().mean()), len(seen))


def optimise_latents(
    head: Callable[[Tensor], Tensor],
    start: Float[Tensor, "c l"],
    *,
    maximise: bool = False,
    target: float | None = None,
    steps: int = 5000,
    rate: float = 1e-3,
    keep: int = 10,
    leash: float = 0.0,
) -> Float[Tensor, "keep c l"]:
    """Moves latents along the gradient of a property by Adam, and keeps where they are at even intervals.

    Args:
        head: latents to the property.
        start: one row a crystal.
        maximise: looks for high values; low ones by default.
        target: looks for this value instead.
        steps: of Adam; 5,000 as published.
        rate: its learning rate.
        keep: places to keep on the way, the last of them at the end.
        leash: weight of the squared distance to the start, in the unit of the property; 0 as published.
    """
    z = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([z], lr=rate)
    kept = []
    for step in range(1, steps + 1):
        value = head(z)
        wanted = (value - target).abs() if target is not None else (-value if maximise else value)
        loss = (wanted + leash * (z - start).square().sum(1)).sum()
        (z.grad,) = torch.autograd.grad(loss, [z])
        optimizer.step()
        if step * keep // steps > (step - 1) * keep // steps:
            kept.append(z.detach().clone())
    return torch.stack(kept)


def success_rates(
    found: Float[np.ndarray, "starts keep"], values: Float[np.ndarray, " c"], *, maximise: bool = False
) -> dict[str, float]:
    """Shares of starts that found a value in the best 5, 10 and 15 % of a data set (SR5, SR10, SR15).

    Args:
        found: value of each candidate; NaN for one that could not be built.
        values: of the property in the data set.
        maximise: whether high values are good.
    """
    sign = -1 if maximise else 1
    # A start all of whose candidates failed has found nothing.
    best = np.where(np.isfinite(found), sign * found, np.inf).min(1)
    return {f"SR{q}": float((best <= np.nanpercentile(sign * values, q)).mean()) for q in (5, 10, 15)}


@dataclass(frozen=True)
class Found:
    """What a search found.

    Attributes:
        candidates: `keep` rows a start, in order, with the columns `start` (row of the start), `move`, `predicted` (by
            the head, of the latent) and `predicted_again` (of the decoded crystal, encoded again; NaN if it failed).
        error: mean absolute error of the head on crystals that it was not fitted to.
        success_rates: SR5, SR10 and SR15 of `predicted_again`; empty where a target was looked for.
    """

    candidates: Crystals
    error: float
    success_rates: dict[str, float]


def search(
    model: CDVAE,
    start: Crystals,
    training: Crystals,
    values: Float[np.ndarray, " c"],
    *,
    maximise: bool = False,
    target: float | None = None,
    keep: int = 10,
    moves: int = 5000,
    leash: float = 0.0,
    steps: int | None = None,
    seed: int = 0,
    on_progress: Callable[[float], None] | None = None,
) -> Found:
    """Learns a property of crystals from their latents, and looks for crystals with much or little of it.

    Args:
        model: with a latent.
        start: crystals to start from.
        training: crystals whose property is known.
        values: of the property, one a crystal of `training`, NaN where it is not known.
        maximise: looks for high values; low ones by default.
        target: looks for this value instead.
        keep: candidates from each start.
        moves: of the search.
        leash: pull towards the start, see `optimise_latents`.
        steps: network evaluations of the sampler; the model's default if None.
        seed: fixes the result.
        on_progress: called with the share that is done of the decoding, which takes most of the time.

    Raises:
        UserError: no start could be read, or too few values are known.
    """
    latents = encode(model, start)
    if not bool(latents.isfinite().any()):
        raise UserError("there is no crystal to start from")
    fitted = fit_property(encode(model, training), values, seed=seed)
    kept = optimise_latents(
        fitted.head, latents, maximise=maximise, target=target, steps=moves, keep=keep, leash=leash
    ).transpose(0, 1)
    flat = kept.flatten(0, 1)
    candidates = decode(model, flat, steps=steps, seed=seed, on_progress=on_progress)
    again = fitted.head(encode(model, candidates)).numpy().astype(np.float64)
    candidates = candidates.with_info(
        start=np.repeat(np.arange(len(start)), keep),
        move=np.tile(np.arange(1, keep + 1) * moves // keep, len(start)),
        predicted=fitted.head(flat).numpy().astype(np.float64),
        predicted_again=again,
    )
    rates = {} if target is not None else success_rates(again.reshape(-1, keep), values, maximise=maximise)
    return Found(candidates, fitted.error, rates)


def column(crystals: Crystals, name: str, source: str) -> Float[np.ndarray, " c"]:
    """A column of numbers, NaN where there is none.

    Raises:
        UserError: there is no such column, or it does not hold numbers.
    """
    numeric = [other for other, values in crystals.info.items() if values.dtype.kind in "fi"]
    if name not in numeric:
        raise UserError(f"{source} has no property {name!r}; it has {', '.join(sorted(numeric)) or 'none'}")
    return np.asarray(crystals.info[name], dtype=np.float64)
