from __future__ import annotations

import math

import pytest
import torch

from nucleate.geometry import torus
from nucleate.models.cdvae.config import NoiseConfig
from nucleate.models.cdvae.noise import (
    corrupt,
    corrupt_types,
    draw_levels,
    noise_levels,
    scale,
    strained,
    type_noise_levels,
)
from tests.contract.suite import some_crystals


@pytest.fixture
def crystals():
    return some_crystals(40).padded()


def moves(crystals, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(crystals.frac.shape, generator=rng, dtype=torch.float64)


def test_levels_are_the_published_ones():
    levels = noise_levels(NoiseConfig(), torch.device("cpu"))
    assert len(levels) == 50
    assert float(levels[0]) == pytest.approx(10)
    assert float(levels[-1]) == pytest.approx(0.01)
    torch.testing.assert_close(levels[1:] / levels[:-1], torch.full((49,), 0.001 ** (1 / 49)))
    types = type_noise_levels(NoiseConfig(), torch.device("cpu"))
    assert (float(types[0]), float(types[-1])) == (pytest.approx(5), pytest.approx(0.01))


@pytest.mark.parametrize(("centre", "middle"), [(None, math.log(10 * 0.01) / 2), (0.5, math.log(0.5))])
def test_levels_are_drawn_around_the_centre(centre, middle):
    config = NoiseConfig(centre=centre, width=0.8)
    drawn = noise_levels(config, torch.device("cpu"))[draw_levels(config, 20_000, torch.Generator().manual_seed(0))]
    assert float(drawn.log().mean()) == pytest.approx(middle, abs=0.05)


@pytest.mark.parametrize("couple", [False, True])
def test_the_way_back_leads_back(crystals, couple):
    """With little noise each atom is led to where it came from."""
    sigma = torch.full((40,), 0.05, dtype=torch.float64)
    noisy = corrupt(crystals, sigma, moves(crystals), NoiseConfig(couple=couple))
    there = noisy.frac + torch.linalg.solve(crystals.lattice, noisy.displacement, left=False)
    apart = torus.log_map(there, crystals.frac) * crystals.mask.unsqueeze(-1)
    torch.testing.assert_close(apart, torch.zeros_like(apart), atol=1e-6, rtol=0)


def test_there_is_no_drift(crystals):
    sigma = torch.linspace(0.1, 8, 40, dtype=torch.float64)
    noisy = corrupt(crystals, sigma, moves(crystals), NoiseConfig())
    drift = noisy.displacement.sum(1)
    torch.testing.assert_close(drift, torch.zeros_like(drift), atol=1e-9, rtol=0)


def test_noise_is_as_strong_as_asked():
    crystals = some_crystals(600).padded()
    crystals = crystals._replace(lattice=100 * torch.eye(3, dtype=torch.float64).expand(600, 3, 3))
    sigma = torch.full((600,), 0.7, dtype=torch.float64)
    noisy = corrupt(crystals, sigma, moves(crystals), NoiseConfig())
    square = (noisy.displacement.square().sum((1, 2)) / (3 * (crystals.counts - 1)))[crystals.counts > 1]
    assert float(square.mean().sqrt()) == pytest.approx(0.7, rel=0.03)


def test_coupling_shortens_the_way(crystals):
    sigma = torch.full((40,), 3.0, dtype=torch.float64)
    far, near = (corrupt(crystals, sigma, moves(crystals), NoiseConfig(couple=c)).displacement for c in (False, True))
    assert float(near.square().sum()) < float(far.square().sum())


def test_units_are_the_noise_or_the_spread():
    config = NoiseConfig(spread=1.0)
    got = scale(config, torch.tensor([0.01, 1.0, 100.0]))
    torch.testing.assert_close(got, torch.tensor([0.01, 0.5**0.5, 1.0]), rtol=1e-3, atol=0)
    assert float(scale(NoiseConfig(), torch.tensor(3.0))) == 3.0


def test_a_strain_is_symmetric_in_space(crystals):
    normal = torch.randn(40, 3, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    change = torch.linalg.solve(crystals.lattice, strained(crystals.lattice, normal, 0.03))
    torch.testing.assert_close(change, change.mT)
    assert torch.equal(strained(crystals.lattice, normal, 0.0), crystals.lattice)


def test_types_are_mixed_with_the_predicted_composition():
    """One-hot truth + σ · shares: with σ = 1 and all shares on one element, half of the atoms are that element."""
    numbers = torch.full((200, 20), 8)
    numbers[:, 15:] = 0
    log_shares = torch.full((200, 101), -1e9)
    log_shares[:, 11] = 0
    uniform = torch.rand(200, 20, 101, generator=torch.Generator().manual_seed(0))
    types = corrupt_types(numbers, log_shares, torch.ones(200), uniform)
    assert set(types[:, :15].flatten().tolist()) == {8, 11}
    assert float((types[:, :15] == 11).float().mean()) == pytest.approx(0.5, abs=0.03)
    assert not bool(types[:, 15:].any())
