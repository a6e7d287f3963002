"""Search in the latent for crystals with a property (Xie et al. 2022, section 5.3).

A small network learns a property of crystals, such as the formation energy, from their latents. Then latents go up or
down its gradient, and what they decode to on the way are the candidates. No energy is calculated: a second network,
which knows fingerprints and no latents, judges what was found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from nucleate.crystals import FAILURE, Crystals
from nucleate.errors import UserError
from nucleate.generation.judge import fit_judge
from nucleate.generation.latent import decode, encode, posterior, reasons_without_latent
from nucleate.generation.predictor import fit_property
from nucleate.models.cdvae.model import CDVAE


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
            the head, of the latent), `predicted_again` (of the decoded crystal, encoded again) and `judged` (by the
            judge, of the decoded crystal); NaN where a crystal failed. Where the start has no latent the failure
            is the start's.
        lost: why each crystal of the training set was not learnt from; "" for one that was.
        error: mean absolute error of the head on crystals that it was not fitted to.
        judge_error: the same of the judge.
        success_rates: SR5, SR10 and SR15 of `judged`; empty where a target was looked for.
    """

    candidates: Crystals
    lost: np.ndarray
    error: float
    judge_error: float
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
    moves: int = 2500,
    leash: float = 0.0,
    steps: int | None = None,
    seed: int = 0,
    keep_in: Path | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Found:
    """Learns a property of crystals from their latents, and looks for crystals with much or little of it.

    Args:
        model: with a latent.
        start: crystals to start from.
        training: crystals whose property is known; those without a latent are not learnt from.
        values: of the property, one a crystal of `training`, NaN where it is not known.
        maximise: looks for high values; low ones by default.
        target: looks for this value instead.
        keep: candidates from each start.
        moves: of the search; 5,000 as published. Far from all that the encoder knows, cells get too small.
        leash: pull towards the start, see `optimise_latents`.
        steps: network evaluations of the sampler; the model's default if None.
        seed: fixes the result.
        keep_in: folder in which the judge's fingerprints of `training` are kept for the next time.
        on_progress: called with the share that is done: of the decoding, then of the judge's fingerprints.

    Raises:
        UserError: no start could be read, the model knows none of such a size or such elements, or too few values are
            known.
    """
    without = reasons_without_latent(model, start)
    latents = encode(model, start)
    if not bool(latents.isfinite().any()):
        raise UserError("there is no crystal to start from")
    known = posterior(model, training)
    head = fit_property(known.mean, values, deviations=known.deviation, seed=seed)
    kept = optimise_latents(
        head.head, latents, maximise=maximise, target=target, steps=moves, keep=keep, leash=leash
    ).transpose(0, 1)
    flat = kept.flatten(0, 1)
    show = on_progress or (lambda _: None)
    candidates = decode(model, flat, steps=steps, seed=seed, on_progress=lambda share: show(0.8 * share))
    own = np.repeat(without, keep)
    candidates = candidates.with_info(**{FAILURE: np.where(own == "", candidates.failures, own).astype(object)})
    judge = fit_judge(training, values, keep_in=keep_in, seed=seed, on_progress=lambda share: show(0.8 + 0.2 * share))
    judged = judge(candidates)
    candidates = candidates.with_info(
        start=np.repeat(np.arange(len(start)), keep),
        move=np.tile(np.arange(1, keep + 1) * moves // keep, len(start)),
        predicted=head.head(flat).numpy().astype(np.float64),
        predicted_again=head.head(encode(model, candidates)).numpy().astype(np.float64),
        judged=judged,
    )
    rates = {} if target is not None else success_rates(judged.reshape(-1, keep), values, maximise=maximise)
    return Found(candidates, reasons_without_latent(model, training), head.error, judge.fitted.error, rates)


def column(crystals: Crystals, name: str, source: str) -> Float[np.ndarray, " c"]:
    """A column of numbers, NaN where there is none.

    Raises:
        UserError: there is no such column, or it does not hold numbers.
    """
    numeric = [other for other, values in crystals.info.items() if values.dtype.kind in "fi"]
    if name not in numeric:
        raise UserError(f"{source} has no property {name!r}; it has {', '.join(sorted(numeric)) or 'none'}")
    return np.asarray(crystals.info[name], dtype=np.float64)
