from __future__ import annotations

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment

from nucleate.geometry import torus
from nucleate.models.parts.coupling import permute_like_atoms


def cost(noise, data):
    return torus.log_map(noise, data).square().sum((1, 2))


def example(batch=64, atoms=12, kinds=3):
    rng = torch.Generator().manual_seed(0)
    numbers = torch.randint(1, kinds + 1, (batch, atoms), generator=rng)
    mask = torch.arange(atoms) < torch.randint(1, atoms + 1, (batch, 1), generator=rng)
    return torch.rand(batch, atoms, 3, generator=rng), torch.rand(batch, atoms, 3, generator=rng), numbers * mask, mask


def test_only_like_atoms_are_exchanged():
    noise, data, numbers, mask = example()
    moved = permute_like_atoms(noise, data, numbers, mask)
    for row in range(len(noise)):
        for z in numbers[row].unique():
            own = (numbers[row] == z) & mask[row]
            before, after = noise[row][own], moved[row][own]
            assert {tuple(x) for x in before.tolist()} == {tuple(x) for x in after.tolist()}
    assert torch.equal(moved[~mask], noise[~mask])


def test_cost_is_near_the_optimal_assignment():
    noise, data, _, _ = example()
    numbers = torch.ones(noise.shape[:2], dtype=torch.int64)
    moved = permute_like_atoms(noise, data, numbers, numbers.bool())
    best = []
    for x, y in zip(noise.numpy(), data.numpy(), strict=True):
        delta = y[None] - x[:, None]
        squared = ((delta - np.round(delta)) ** 2).sum(-1)
        best.append(squared[linear_sum_assignment(squared)].sum())
    found = cost(moved, data)
    assert bool((found >= torch.tensor(best) - 1e-4).all())
    assert float(found.mean()) < 1.1 * float(np.mean(best))
    assert float(found.mean()) < 0.6 * float(cost(noise, data).mean())
