from __future__ import annotations

import torch

from nucleate.models.flowmm import types
from nucleate.models.parts.atoms import CLASSES, one_hot


def test_bits_are_those_of_the_number_and_come_back():
    numbers = torch.arange(1, CLASSES)
    code = types.codebook(torch.device("cpu"))[numbers]
    assert [int("".join("1" if b > 0 else "0" for b in reversed(row)), 2) for row in code.tolist()] == numbers.tolist()
    everything = torch.ones(CLASSES, dtype=torch.bool)
    assert torch.equal(types.from_bits(code[None] * 0.7, everything)[0], numbers)


def test_only_allowed_elements_are_read():
    allowed = torch.zeros(CLASSES, dtype=torch.bool)
    allowed[[8, 14]] = True
    read = types.from_bits(torch.randn(5, 7, types.BITS, generator=torch.Generator().manual_seed(0)), allowed)
    assert set(read.flatten().tolist()) <= {8, 14}


def test_posterior_is_bayes_rule():
    rng = torch.Generator().manual_seed(0)
    bits = torch.randn(3, 4, types.BITS, generator=rng)
    time = torch.tensor([0.0, 0.3, 0.8])
    prior = torch.rand(CLASSES, generator=rng)
    prior = prior / prior.sum()
    got = types.posterior(bits, time, prior.log())
    codes = types.codebook(torch.device("cpu"))
    t = time[:, None, None, None]
    density = torch.distributions.Normal(t * codes, 1 - t).log_prob(bits[:, :, None]).sum(-1)
    want = (density + prior.log()).softmax(-1)
    torch.testing.assert_close(got, want, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(got[0], prior.expand(4, -1), atol=1e-5, rtol=1e-4)


def test_posterior_of_finished_bits_is_one_hot():
    numbers = torch.tensor([[8, 14, 26]])
    bits = types.codebook(torch.device("cpu"))[numbers]
    probability = types.posterior(bits, torch.ones(1), torch.zeros(CLASSES))
    torch.testing.assert_close(probability, one_hot(numbers))
