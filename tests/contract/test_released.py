"""Weights that a released version wrote can be read by every later one, and still make crystals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nucleate.generation.sampling import generate
from nucleate.models.checkpoint import load_weights
from nucleate.models.generator import Task
from nucleate.weights import shipped

RELEASED = sorted((Path(__file__).parent / "released").glob("*.safetensors"))
"""One tiny model for each family, task and released version: family-backbone-task-version.safetensors."""


def test_there_are_some():
    assert RELEASED
    assert {"cdvae", "crystal-llm", "flowllm", "flowmm-csp", "flowmm-dng"} <= shipped().keys()


@pytest.mark.parametrize("path", [*RELEASED, *shipped().values()], ids=lambda path: path.stem)
def test_old_weights_still_work(path):
    model = load_weights(path)
    assert model.known_elements
    compositions = [np.array([11, 17])] if model.task is Task.CSP else None
    crystals = generate(model, 1, compositions=compositions, steps=2, draws=1)
    assert len(crystals) == 1
