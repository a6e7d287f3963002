from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import sph_harm_y

from nucleate.geometry.slots import Slots, neighbour_slots
from nucleate.models.networks.edges import angular, at_other_end, of_neighbours
from tests.contract.suite import some_crystals


@pytest.fixture(scope="module")
def slots() -> Slots:
    """Some of them empty, and atoms that are padding."""
    block = some_crystals(4).padded()
    return neighbour_slots(block.frac, block.lattice, block.mask, 4.0, 8)


def random(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64).requires_grad_()


def test_edges_change_ends(slots):
    swapped = at_other_end(torch.cat([slots.vector, slots.filled.unsqueeze(-1)], -1), slots)
    torch.testing.assert_close(swapped[..., :3], -slots.vector)
    assert 0 < int(slots.filled.sum()) < slots.filled.numel()


@pytest.mark.parametrize("wanted", ["edges", "atoms"])
def test_values_and_gradients_are_those_of_indexing(slots, wanted):
    count, places = slots.filled.shape
    weight = random(count, places, 5).detach()
    results = []
    for ours in (True, False):
        if wanted == "edges":
            given = random(count, places, 5)
            taken = at_other_end(given, slots) if ours else given.flatten(0, 1)[slots.back]
        else:
            given = random(count, 5)
            taken = of_neighbours(given, slots) if ours else given[slots.neighbour]
        (gradient,) = torch.autograd.grad((taken * weight).sum(), given)
        results.append((taken, gradient))
    for got, want in zip(*results, strict=True):
        torch.testing.assert_close(got, want)


def test_angles_are_those_of_scipy(slots):
    got = angular(slots, 4)
    unit = (slots.vector / slots.vector.norm(dim=-1, keepdim=True)).numpy()
    cosine = np.einsum("akx,alx->akl", unit, unit).clip(-1, 1)
    want = np.stack([sph_harm_y(degree, 0, np.arccos(cosine), 0.0).real for degree in range(4)], -1)
    both = slots.filled[:, :, None] & slots.filled[:, None] & ~torch.eye(slots.filled.shape[1], dtype=torch.bool)
    np.testing.assert_allclose(got[both].numpy(), want[both.numpy()], atol=1e-6)
    assert not bool(got[~both].any())
