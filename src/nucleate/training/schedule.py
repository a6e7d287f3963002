"""The learning rate, and how far training has come: by steps, or by the clock when a budget of time is given."""

from __future__ import annotations

import math

from nucleate.training.config import TrainingConfig


def progress(step: int, elapsed: float, total_steps: int, budget: float | None) -> float:
    """Share of the training that is done, 0 to 1.

    Args:
        step: optimisation steps so far.
        elapsed: seconds of training so far, interruptions not counted.
        total_steps: planned steps, which counts without a budget.
        budget: seconds, or None.
    """
    return min(1.0, step / total_steps if budget is None else elapsed / budget)


def learning_rate(config: TrainingConfig, step: int, share: float) -> float:
    """Linear warm-up by steps, then half a cosine over the share that is done."""
    warm = min(1.0, (step + 1) / max(1, config.warmup))
    floor = config.final_learning_rate
    cosine = floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * share))
    return config.learning_rate * warm * cosine
