from __future__ import annotations

from dataclasses import replace

import torch

from nucleate.models.cdvae import CDVAE, CDVAEConfig
from nucleate.models.cdvae.fitting import fit_prior
from nucleate.models.parts.atoms import element_counts
from tests.contract.suite import some_crystals
from tests.contract.test_cdvae import SMALL


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

    first, shares = error(), []
    fit_prior(model, data, torch.Generator().manual_seed(0), shares.append)
    assert error() < 0.8 * first
    assert shares[-1] == 1
    assert len(shares) == 150
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed
    assert all(name.startswith("network.prior.") for name in changed)
    assert not any(parameter.requires_grad for parameter in model.parameters())
