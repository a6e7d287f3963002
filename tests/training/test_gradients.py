"""Several chunks at once, compared with the whole example at once."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from nucleate.models.flowmm import FlowMM, FlowMMConfig
from nucleate.models.networks.pairformer import PairformerConfig
from nucleate.training.config import TrainingConfig
from nucleate.training.gradients import Gradients, chunks
from tests.contract.suite import some_crystals

CPU = torch.device("cpu")
CONFIG = TrainingConfig(precision="fp32", compile="off")


def model() -> FlowMM:
    torch.manual_seed(0)
    network = PairformerConfig(width=16, pair_width=8, layers=1, heads=2)
    built = FlowMM(FlowMMConfig(task="csp", backbone="pairformer", pairformer=network))
    built.fit(some_crystals(16).to(dtype=torch.float32).padded())
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return built


def example(of: FlowMM):
    return of.draw(some_crystals(16).to(dtype=torch.float32).padded(), torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("threads", "chunk"), [(1, 5), (2, 0), (3, 0), (3, 2), (20, 0)])
def test_the_same_as_at_once(threads, chunk):
    whole, cut = model(), model()
    expected = Gradients(whole, CONFIG, CPU, threads=1)(example(whole))
    found = Gradients(cut, replace(CONFIG, chunk=chunk), CPU, threads=threads)(example(cut))
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert float(found[name]) == pytest.approx(float(value), rel=1e-5), name
        assert not found[name].requires_grad
    for one, two in zip(cut.parameters(), whole.parameters(), strict=True):
        torch.testing.assert_close(one.grad, two.grad, rtol=1e-4, atol=1e-6)
    assert any(float(parameter.grad.abs().max()) > 1e-3 for parameter in whole.parameters())


def test_gradients_are_added_to_what_is_there():
    once, twice = model(), model()
    Gradients(once, CONFIG, CPU, threads=2)(example(once))
    gradients = Gradients(twice, CONFIG, CPU, threads=2)
    for _ in range(2):
        gradients(example(twice))
    for one, two in zip(once.parameters(), twice.parameters(), strict=True):
        torch.testing.assert_close(2 * one.grad, two.grad)


def test_a_seed_fixes_the_result_whichever_thread_is_first():
    def found() -> list[torch.Tensor]:
        fresh = model()
        Gradients(fresh, replace(CONFIG, chunk=2), CPU, threads=4)(example(fresh))
        return [parameter.grad for parameter in fresh.parameters() if parameter.grad is not None]

    first = found()
    for _ in range(3):
        assert all(torch.equal(one, two) for one, two in zip(first, found(), strict=True))


def test_frozen_parameters_get_none():
    half = model()
    frozen = next(half.parameters()).requires_grad_(False)
    Gradients(half, CONFIG, CPU, threads=2)(example(half))
    assert frozen.grad is None
    assert sum(parameter.grad is not None for parameter in half.parameters()) > 1


def test_threads_of_operators_are_left_alone():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        gradients = Gradients(model(), CONFIG, CPU)
        assert gradients.threads == torch.get_num_threads() == 2
        assert gradients.pool is not None
        assert gradients.pool.submit(torch.get_num_threads).result() == 1
    finally:
        torch.set_num_threads(before)


def test_dropout_is_drawn_in_one_thread():
    """Whose order of random numbers does not change."""
    with_dropout = model()
    with_dropout.add_module("dropout", nn.Dropout(0.1))
    assert Gradients(with_dropout, CONFIG, CPU, threads=4).threads == 1


def test_a_failure_in_a_thread_is_raised(monkeypatch):
    broken = model()
    monkeypatch.setattr(broken, "loss", lambda example: {"loss": torch.ones(())})
    with pytest.raises(RuntimeError, match="does not require grad"):
        Gradients(broken, CONFIG, CPU, threads=2)(example(model()))


def test_chunks_hold_every_crystal_once():
    whole = example(model())
    parts = list(chunks(whole, 7))
    assert [len(part.crystals.numbers) for part in parts] == [7, 7, 2]
    assert torch.equal(torch.cat([part.crystals.numbers for part in parts]), whole.crystals.numbers)
