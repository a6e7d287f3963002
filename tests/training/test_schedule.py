from __future__ import annotations

import math

import pytest

from nucleate.training.config import TrainingConfig
from nucleate.training.schedule import learning_rate, progress


def test_progress_by_steps_and_by_the_clock():
    assert progress(50, 1e9, 200, None) == 0.25
    assert progress(50, 30.0, 200, 120.0) == 0.25
    assert progress(500, 0.0, 200, None) == 1.0


def test_learning_rate_warms_up_and_falls_along_a_cosine():
    config = TrainingConfig(learning_rate=2.0, warmup=10, final_learning_rate=0.1)
    assert learning_rate(config, 0, 0.0) == pytest.approx(0.2)
    assert learning_rate(config, 100, 0.0) == pytest.approx(2.0)
    assert learning_rate(config, 100, 1.0) == pytest.approx(0.2)
    middle = 2.0 * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi / 3)))
    assert learning_rate(config, 100, 1 / 3) == pytest.approx(middle)
