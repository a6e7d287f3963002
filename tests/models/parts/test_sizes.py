from __future__ import annotations

import pytest
import torch

from nucleate.models.flowmm import FlowMM, FlowMMConfig
from nucleate.models.flowmm.config import SamplingConfig
from nucleate.models.networks.cspnet import CSPNetConfig
from tests.contract.suite import some_crystals

TINY = FlowMMConfig(
    task="csp", cspnet=CSPNetConfig(width=8, layers=1, frequencies=2, time_width=4), sampling=SamplingConfig(draws=3)
)


@pytest.fixture
def generator():
    generator = FlowMM(TINY)
    generator.fit(some_crystals(40).to(dtype=torch.float32).padded())
    return generator


def test_sizes_are_drawn_as_often_as_they_occur(generator):
    counts = some_crystals(40).counts
    drawn = generator.draw_sizes(20_000, torch.Generator().manual_seed(0))
    want = torch.bincount(counts, minlength=int(counts.max()) + 1) / 40
    got = torch.bincount(drawn, minlength=len(want)) / 20_000
    torch.testing.assert_close(got, want, atol=0.02, rtol=0)
    assert generator.max_atoms == int(counts.max())


def test_an_unfitted_model_takes_the_histogram_of_a_saved_one(generator):
    other = FlowMM(TINY)
    assert other.max_atoms == 0
    other.load_state_dict(generator.state_dict())
    assert torch.equal(other.size_histogram, generator.size_histogram)


def test_draws_are_those_of_the_configuration(generator):
    assert generator.draws == 3
