from __future__ import annotations

import numpy as np
import pytest
import torch

from nucleate.generation.properties import optimise_latents, success_rates


@pytest.fixture
def latents():
    return torch.randn(2000, 4, generator=torch.Generator().manual_seed(0))


def test_latents_go_down_up_or_to_a_target(latents):
    start = latents[:10]
    down = optimise_latents(lambda z: z[:, 0], start, steps=50, rate=0.1, keep=5)
    assert down.shape == (5, 10, 4)
    assert bool((down[:, :, 0].diff(dim=0) < 0).all())
    torch.testing.assert_close(down[:, :, 1:], start[:, 1:].expand(5, -1, -1))
    up = optimise_latents(lambda z: z[:, 0], start, maximise=True, steps=50, rate=0.1)
    assert bool((up[-1, :, 0] > start[:, 0]).all())
    there = optimise_latents(lambda z: z[:, 0], start, target=0.5, steps=400, rate=0.02)
    torch.testing.assert_close(there[-1, :, 0], torch.full((10,), 0.5), atol=0.05, rtol=0)


def test_a_leash_keeps_latents_near_the_start(latents):
    start = latents[:10]
    near, far = (
        optimise_latents(lambda z: z[:, 0], start, steps=300, rate=0.05, leash=leash)[-1] for leash in (1.0, 0.0)
    )
    # Where the gradient 1 and the pull 2 · leash · distance balance.
    torch.testing.assert_close(start[:, 0] - near[:, 0], torch.full((10,), 0.5), atol=0.05, rtol=0)
    assert float((start[:, 0] - far[:, 0]).min()) > 5


def test_success_rates_by_hand():
    values = np.arange(101.0)
    found = np.array([[4.0, 50.0], [9.0, np.nan], [14.0, 99.0], [np.nan, np.nan]])
    assert success_rates(found, values) == {"SR5": 0.25, "SR10": 0.5, "SR15": 0.75}
    assert success_rates(100 - found, values, maximise=True) == {"SR5": 0.25, "SR10": 0.5, "SR15": 0.75}
