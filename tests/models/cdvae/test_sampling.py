from __future__ import annotations

from dataclasses import asdict

import pytest
import torch

from nucleate.geometry import torus
from nucleate.models.cdvae.config import SAMPLERS, CDVAEConfig, SamplingConfig
from nucleate.models.cdvae.networks import Decoded
from nucleate.models.cdvae.sampling import sample_structure, schedule
from tests.contract.suite import some_crystals


class Oracle:
    """Knows where each atom belongs; counts how often it is asked."""

    def __init__(self, crystals, share=1.0):
        self.crystals, self.share, self.asked, self.sigmas = crystals, share, 0, []
        self.config = CDVAEConfig(task="dng")
        self.elements = torch.ones(101, dtype=torch.bool)

    def way_back(self, noisy, z, sigma):
        self.asked += 1
        self.sigmas.append(float(sigma[0]))
        delta = torus.log_map(noisy.frac, self.crystals.frac) @ noisy.lattice
        types = torch.nn.functional.one_hot(self.crystals.numbers, 101).double()
        return Decoded(self.share * torus.mean_free(delta, noisy.mask), types)


@pytest.fixture
def crystals():
    return some_crystals(8).padded()


def relative(frac, mask):
    """Places relative to the first atom, since the origin is free."""
    return torus.log_map(frac[:, :1], frac) * mask.unsqueeze(-1)


@pytest.mark.parametrize("churn", [0.0, 0.3])
def test_the_flow_ends_where_the_decoder_points(crystals, churn):
    oracle = Oracle(crystals)
    options = SamplingConfig(method="flow", churn=churn)
    blank = crystals._replace(frac=torch.zeros_like(crystals.frac))
    drawn = sample_structure(oracle, blank, torch.zeros(8, 2), 12, options, torch.Generator().manual_seed(0))
    assert oracle.asked == 12
    small = (crystals.counts <= 2).nonzero()[:, 0]  # where drift cannot take an atom around the cell
    apart = torus.log_map(relative(drawn.frac, crystals.mask), relative(crystals.frac, crystals.mask))
    assert len(small)
    assert float(apart[small].abs().max()) < 1e-6


@pytest.mark.parametrize("method", ["flow", "langevin"])
def test_the_descent_goes_on_without_noise(crystals, method):
    """A decoder that leads half the way halves the distance at each evaluation, from where the others have ended."""
    blank = crystals._replace(frac=torch.zeros_like(crystals.frac))
    left, asked = {}, {}
    for descent in (0, 6):
        oracle = Oracle(crystals, share=0.5)
        options = SamplingConfig(method=method, churn=0.6, descent=descent, descent_start=0.3, end=0.02)
        drawn = sample_structure(oracle, blank, torch.zeros(8, 2), 50, options, torch.Generator().manual_seed(0))
        left[descent] = torus.log_map(relative(drawn.frac, crystals.mask), relative(crystals.frac, crystals.mask))
        asked[descent] = oracle.sigmas
    assert asked[6] == asked[0] + [pytest.approx(0.3 * (0.02 / 0.3) ** (i / 5)) for i in range(6)]
    near = left[0].abs() < 0.25  # where the way to the first atom's place cannot lead around the cell
    assert int((near & (left[0].abs() > 1e-3)).sum()) > 10
    torch.testing.assert_close(left[6][near], left[0][near] / 2**6, atol=1e-6, rtol=1e-4)


def test_langevin_dynamics_visits_all_levels(crystals):
    oracle = Oracle(crystals)
    options = SamplingConfig(method="langevin", step_rate=1e-4)
    shares = []
    blank = crystals._replace(numbers=torch.ones_like(crystals.numbers) * crystals.mask)
    drawn = sample_structure(
        oracle,
        blank,
        torch.zeros(8, 2),
        100,
        options,
        torch.Generator().manual_seed(0),
        change_types=True,
        progress=shares.append,
    )
    assert oracle.asked == 100
    assert oracle.sigmas[0] == pytest.approx(10)
    assert oracle.sigmas[::2] == sorted(oracle.sigmas[::2], reverse=True)
    assert shares[-1] == 1
    assert torch.equal(drawn.numbers, crystals.numbers)


def test_the_schedule_goes_from_start_to_end():
    options = SamplingConfig(start=3.0, end=0.02, rho=4.0)
    levels = schedule(10, options)
    assert (levels[0], levels[-1]) == (pytest.approx(3.0), pytest.approx(0.02))
    assert levels == sorted(levels, reverse=True)
    roots = torch.tensor(levels).pow(0.25).diff()
    torch.testing.assert_close(roots, roots.mean().expand(9))
    assert schedule(1, options) == [3.0]


def test_named_samplers_are_settings_of_the_sampler():
    """`langevin` and `search` restore what the paper and the study do, whatever the model's default is."""
    small = SamplingConfig(method="flow", steps=50, churn=0.6, draws=8)
    changed = {name: SamplingConfig(**{**asdict(small), **changes}) for name, changes in SAMPLERS.items()}
    assert changed["default"] == small
    published = SamplingConfig()
    assert (changed["langevin"].method, changed["langevin"].steps) == (published.method, published.steps)
    assert (changed["search"].condition, changed["search"].search_steps) == ("search", published.search_steps)
    assert (changed["descent"].steps, changed["descent"].descent) == (50, 10)
    assert (changed["flow"].method, changed["flow"].churn) == ("flow", 0.0)
