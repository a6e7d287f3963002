"""What comes after the loop, within the budget: the final fit of a family that has one, and the last validation."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import torch

from nucleate.crystals import Padded
from nucleate.models.generator import FinalFit, Generator

FIT_SHARE = 0.2
"""Most of a budget that is kept free for the final fit."""

VALIDATION_SHARE = 0.2
"""Most of a budget that is kept free for the last validation."""

NEGLIGIBLE = 0.05
"""A last validation that takes less of the budget than this comes on top of it."""

SAMPLE = 384
"""Crystals on which the duration of the final fit is measured."""

_MEASURED_STEPS = 3


@dataclass(frozen=True)
class Needs:
    """Seconds that what comes after the loop takes, as measured before it.

    Attributes:
        final_fit: all steps of the family's final fit, and what comes before them; 0 where there is none.
        validation: one validation.
    """

    final_fit: float = 0.0
    validation: float = 0.0

    def reserved(self, budget: float) -> tuple[float, float]:
        """Seconds of a budget that are kept free for the final fit and for the last validation."""
        validation = 0.0 if self.validation < NEGLIGIBLE * budget else self.validation
        return min(self.final_fit, FIT_SHARE * budget), min(validation, VALIDATION_SHARE * budget)


def seconds_of_final_fit(model: Generator, data: Padded) -> float:
    """Measures a few steps of the family's final fit on a copy of the model, and says how long all of them take."""
    rng = torch.Generator().manual_seed(0)
    sample = data.take(torch.randperm(len(data.numbers), generator=rng)[:SAMPLE].to(data.mask.device))
    if model.final_fit(sample, rng) is None:
        return 0.0
    fit = copy.deepcopy(model).final_fit(sample, rng)
    assert fit is not None  # noqa: S101 - for the type: the copy is of the same family
    preparation = _seconds(lambda: [None for _ in fit.prepare()]) * len(data.numbers) / len(sample.numbers)
    fit.step(0.5)  # the first allocates
    return preparation + fit.steps * _seconds(lambda: [fit.step(0.5) for _ in range(_MEASURED_STEPS)]) / _MEASURED_STEPS


def _seconds(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


@dataclass
class Finish:
    """A final fit as far as it has come.

    Attributes:
        title: what is fitted.
        steps: that there are.
        taken: steps that were taken.
        ended: whether it is over, by its steps or by the clock.
        began: seconds of the run when its first step was taken.
        state: what it takes to go on.
    """

    title: str = ""
    steps: int = 0
    taken: int = 0
    ended: bool = False
    began: float | None = None
    state: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        self._fit: FinalFit | None = None

    def run(
        self,
        fit: FinalFit,
        elapsed: Callable[[], float],
        end: float | None,
        pause: Callable[[], bool],
        on_progress: Callable[[float, str], None],
    ) -> bool:
        """Goes on with the fit until it is over or there is a reason to stop.

        Args:
            fit: of the family.
            elapsed: seconds of the run.
            end: seconds of the run when it has to be over; None for when its steps are taken.
            pause: asked after each piece of work; whether to stop. It may save on the way.
            on_progress: called with the share done and a line.

        Returns:
            Whether it is over.
        """
        self.title, self.steps, self._fit = fit.title, fit.steps, fit
        if self.state is not None:
            fit.load_state_dict(self.state)
        for share in fit.prepare():
            on_progress(share, f"preparing the fit of the {fit.title}")
            if pause():
                return False
        self.began = elapsed() if self.began is None else self.began
        while (share := self._share(elapsed(), end)) < 1:
            fit.step(share)
            self.taken += 1
            on_progress(share, f"fitting the {fit.title}: step {self.taken:,} of {self.steps:,}")
            if pause():
                return False
        self.ended = True
        return True

    def record(self) -> dict[str, Any]:
        """The fields, with the state of the fit as it is now."""
        record = {field.name: getattr(self, field.name) for field in fields(self)}
        if self._fit is not None:
            record["state"] = None if self.ended else self._fit.state_dict()
        return record

    def _share(self, now: float, end: float | None) -> float:
        """How much is done, by steps or by the clock, whichever is further."""
        by_steps = self.taken / self.steps if self.steps else 1.0
        if end is None:
            return by_steps
        began = self.began or 0.0
        return max(by_steps, (now - began) / (end - began) if end > began else 1.0)
