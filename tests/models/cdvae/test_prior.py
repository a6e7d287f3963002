from __future__ import annotations

import torch

from nucleate.models.cdvae.composition import CLASSES
from nucleate.models.cdvae.prior import Contents, LatentFlow


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


def test_the_flow_learns_a_distribution_and_what_it_is_told():
    """z = +2 where the composition is one, −2 where it is the other, each ± 0.1."""
    torch.manual_seed(0)
    flow = LatentFlow(2, 4, 32, 2)
    rng = torch.Generator().manual_seed(0)
    optimizer = torch.optim.Adam(flow.parameters(), lr=5e-3)
    for _ in range(500):
        kind = torch.randint(2, (256,), generator=rng)
        z = (4.0 * kind - 2)[:, None] + 0.1 * torch.randn(256, 2, generator=rng)
        noise = {
            "prior_time": torch.rand(256, generator=rng),
            "prior_told": torch.rand(256, generator=rng),
            "prior_noise": torch.randn(256, 2, generator=rng),
        }
        contents = torch.nn.functional.one_hot(kind, 4).float()
        loss = flow.loss(z, contents, torch.full((256,), 3), noise)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    atoms = torch.full((200,), 3)
    told = flow.draw(torch.tensor([0.0, 1, 0, 0]).expand(200, 4), atoms, 20, rng)
    assert float(told.mean()) > 1.7
    assert float(told.std(0).max()) < 0.4
    blind = flow.draw(None, atoms, 20, rng)
    share = float((blind[:, 0] > 0).float().mean())
    assert 0.3 < share < 0.7
    assert float(blind.abs().mean()) > 1.5
