from __future__ import annotations

import pytest
import torch

from nucleate.models.networks.interface import Described
from nucleate.models.networks.vectorformer import Vectorformer, VectorformerConfig
from tests.contract.suite import some_crystals

CONFIG = VectorformerConfig(width=32, pair_width=16, vectors=6, layers=3, heads=4, radial_bins=12, radius=5.0)


@pytest.fixture
def network():
    torch.manual_seed(0)
    network = Vectorformer(CONFIG, type_inputs=5, crystal_inputs=2).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return network


def inputs():
    block = some_crystals(6).padded()
    rng = torch.Generator().manual_seed(0)
    types = torch.randn(*block.mask.shape, 5, generator=rng, dtype=torch.float64)
    crystal = torch.randn(6, 2, generator=rng, dtype=torch.float64)
    return Described(types, block.frac, block.lattice, block.mask), crystal


def present(values, mask):
    return values * mask.reshape(*mask.shape, *[1] * (values.ndim - 2))


def test_vectors_turn_and_states_do_not(network):
    turn, _ = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64))
    block, crystal = inputs()
    mask = block.mask
    one = network(block, crystal)
    shift = torch.tensor([0.3, -0.2, 0.9], dtype=torch.float64)
    other = network(block._replace(lattice=block.lattice @ turn, frac=block.frac + shift), crystal)
    turned = torch.einsum("bnxv,xy->bnyv", one.vectors, turn.float())
    torch.testing.assert_close(present(other.states, mask), present(one.states, mask), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(present(other.vectors, mask), present(turned, mask), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(other.crystal, one.crystal, rtol=1e-4, atol=1e-5)


def test_angles_are_seen(network):
    """Two neighbours at the same distance from the centre, on one line with it or at a right angle."""
    d = 2.0
    straight = [[d, 0, 0], [-d, 0, 0]]
    bent = [[d, 0, 0], [0, d, 0]]
    states = []
    for ends in (straight, bent):
        positions = torch.tensor([[0.0, 0, 0], *ends], dtype=torch.float64) + 10
        frac = (positions / 20)[None]
        lattice = 20 * torch.eye(3, dtype=torch.float64)[None]
        types = torch.ones(1, 3, 5, dtype=torch.float64)
        mask = torch.ones(1, 3, dtype=torch.bool)
        one_block = Vectorformer(VectorformerConfig(**{**CONFIG.__dict__, "layers": 1, "radius": 2.5}), 5, 2).double()
        one_block.load_state_dict(
            {name: value for name, value in network.state_dict().items() if name in one_block.state_dict()},
        )
        out = one_block(Described(types, frac, lattice, mask), torch.zeros(1, 2, dtype=torch.float64))
        states.append((out.states[0, 0], out.vectors[0, 0].norm()))
    # The vectors at the centre cancel in the straight line and do not in the bent one; so the states differ.
    assert float(states[0][1]) < 1e-6 < 1e-3 < float(states[1][1])
    assert float((states[0][0] - states[1][0]).abs().max()) > 1e-4
