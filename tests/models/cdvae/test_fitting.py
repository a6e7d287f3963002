from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from nucleate.models.cdvae import CDVAE, CDVAEConfig
from nucleate.models.cdvae.fitting import PriorFit, one_cycle
from nucleate.models.parts.atoms import element_counts
from tests.contract.suite import some_crystals
from tests.contract.test_cdvae import SMALL


def test_the_rate_goes_up_and_down_as_one_cycle_of_torch():
    parameter, most, steps = torch.nn.Parameter(torch.zeros(1)), 2e-3, 2000
    optimizer = torch.optim.AdamW([parameter], lr=most)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, most, steps, pct_start=0.05, cycle_momentum=False)
    for step in range(steps):
        assert most * one_cycle(step / steps) == pytest.approx(schedule.get_last_lr()[0], abs=0.02 * most)
        optimizer.step()
        schedule.step()


def test_a_fit_goes_on_bitwise():
    def model_and_data():
        torch.manual_seed(0)
        model = CDVAE(CDVAEConfig(task="dng", **SMALL))
        data = some_crystals(20).to(dtype=torch.float32).padded()
        model.fit(data)
        return model.eval().requires_grad_(False), data

    def fitted(model, data, steps, state=None) -> PriorFit:
        fit = model.final_fit(data, torch.Generator().manual_seed(0))
        if state is not None:
            fit.load_state_dict(state)
        assert list(fit.prepare())
        for step in steps:
            fit.step(step / 8)
        return fit

    whole, data = model_and_data()
    before = {name: value.clone() for name, value in whole.state_dict().items()}
    fitted(whole, data, range(8))
    cut, _ = model_and_data()
    state = fitted(cut, data, range(3)).state_dict()
    fitted(cut, data, range(3, 8), state)
    assert all(torch.equal(value, cut.state_dict()[name]) for name, value in whole.state_dict().items())
    assert any(not torch.equal(value, before[name]) for name, value in whole.state_dict().items())


def test_only_the_prior_moves_and_gets_better():
    torch.manual_seed(0)
    config = CDVAEConfig(task="dng", **SMALL)
    model = CDVAE(replace(config, prior=replace(config.prior, fit_steps=150, fit_batch=32)))
    data = some_crystals(60).to(dtype=torch.float32).padded()
    model.fit(data)
    model.eval().requires_grad_(False)
    before = {name: value.clone() for name, value in model.state_dict().items()}

    def error() -> float:
        rng = torch.Generator().manual_seed(1)
        with torch.no_grad():
            z, _ = model.encode(data)
            lattice = model.lattice.encode(data.lattice, data.numbers, data.mask)
            counts = element_counts(data.numbers, data.mask)
            return float(model.network.prior.loss(z, lattice, counts, model.network.prior.noise(60, rng)))

    first = error()
    fit = model.final_fit(data, torch.Generator().manual_seed(0))
    assert fit is not None
    assert fit.steps == 150
    assert list(fit.prepare())[-1] == 1
    for step in range(150):
        fit.step(step / 150)
    assert error() < 0.8 * first
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed
    assert all(name.startswith("network.prior.") for name in changed)
    assert not any(parameter.requires_grad for parameter in model.parameters())
