from __future__ import annotations

import torch

from nucleate.models.cdvae.prior import Contents, Flow, Prior
from nucleate.models.parts.atoms import CLASSES


def counts_of(*pairs):
    counts = torch.zeros(1, CLASSES)
    for z, n in pairs:
        counts[0, z] = n
    return counts


def test_contents_depend_on_shares_and_size():
    torch.manual_seed(0)
    contents = Contents(16)
    one, double, other = (contents(counts_of(*c)) for c in ([(11, 1), (17, 1)], [(11, 2), (17, 2)], [(11, 2), (17, 1)]))
    assert float((one - double).abs().max()) > 1e-3
    assert float((one - other).abs().max()) > 1e-3
    torch.testing.assert_close(contents(counts_of((17, 1), (11, 1))), one)


def test_the_prior_learns_a_distribution_and_what_it_is_told():
    """Two compositions: with one, lattice and z are about +2, with the other −2, each ± 0.1."""
    torch.manual_seed(0)
    prior = Prior(3, 32, 2)
    rng = torch.Generator().manual_seed(0)
    kinds = torch.cat([counts_of((11, 3)), counts_of((17, 3))])
    optimizer = torch.optim.Adam(prior.parameters(), lr=5e-3)
    for _ in range(400):
        kind = torch.randint(2, (256,), generator=rng)
        place = (4.0 * kind - 2)[:, None]
        z = place + 0.1 * torch.randn(256, 3, generator=rng)
        lattice = place + 0.1 * torch.randn(256, 6, generator=rng)
        loss = prior.loss(z, lattice, kinds[kind], prior.noise(256, rng))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    told, cells = prior.draw(kinds[:1].expand(200, -1), 20, rng)
    for values in (told, cells):
        assert float(values.mean()) < -1.3
        assert float(values.std(0).max()) < 1.5
    blind = prior.draw_latent(torch.full((200,), 3), 20, rng)
    assert 0.25 < float((blind[:, 0] > 0).float().mean()) < 0.75
    assert float(blind.abs().mean()) > 1.3


def test_a_flow_that_is_not_told_ignores_the_context():
    torch.manual_seed(0)
    flow = Flow(2, 4, 16, 1)
    with torch.no_grad():
        flow.out.weight.normal_()
    z, time, atoms = torch.randn(5, 2), torch.rand(5), torch.full((5,), 3)
    told = torch.tensor([True, True, False, False, False])
    one, two = (flow(z, time, torch.randn(5, 4), told, atoms) for _ in range(2))
    assert float((one - two)[:2].abs().min()) > 0
    assert torch.equal(one[2:], two[2:])
