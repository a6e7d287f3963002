"""Muon beside PyTorch's own, and its iteration beside the singular value decomposition."""

from copy import deepcopy

import torch
from torch import nn

from nucleate.training.muon import Muon, orthogonal

COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def _matrices(seed: int = 0) -> list[nn.Parameter]:
    rng = torch.Generator().manual_seed(seed)
    shapes = [(24, 24), (48, 16), (24, 24), (16, 48), (48, 16), (24, 24), (5, 40)]
    return [nn.Parameter(torch.randn(shape, generator=rng)) for shape in shapes]


def _train(optimizer: torch.optim.Optimizer, matrices: list[nn.Parameter], steps: int, seed: int = 1) -> None:
    rng = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        for matrix in matrices:
            matrix.grad = torch.randn(matrix.shape, generator=rng)
        optimizer.step()


def _theirs(matrices: list[nn.Parameter]) -> torch.optim.Muon:
    return torch.optim.Muon(matrices, lr=0.01, weight_decay=0.1, momentum=0.9, adjust_lr_fn="match_rms_adamw")


def test_steps_are_those_of_pytorch() -> None:
    ours, theirs, start = _matrices(), _matrices(), _matrices()
    _train(Muon(ours, lr=0.01, weight_decay=0.1, momentum=0.9), ours, 4)
    _train(_theirs(theirs), theirs, 4)
    for one, other, before in zip(ours, theirs, start, strict=True):
        moved = (other - before).norm()
        assert (one - other).norm() < 0.01 * moved  # products of bfloat16 are rounded after other sums


def test_goes_on_from_a_checkpoint_of_pytorch_and_back() -> None:
    first = _matrices()
    before = _theirs(first)
    _train(before, first, 3)
    second = [nn.Parameter(matrix.detach().clone()) for matrix in first]
    after = Muon(second, lr=0.01, weight_decay=0.1, momentum=0.9)
    after.load_state_dict(deepcopy(before.state_dict()))
    for optimizer, matrices in ((before, first), (after, second)):
        _train(optimizer, matrices, 2, seed=2)
    for one, other, start in zip(first, second, _matrices(), strict=True):
        assert (one - other).norm() < 0.01 * (one - start).norm()
    before.load_state_dict(after.state_dict())


def test_without_a_gradient_a_matrix_stays() -> None:
    matrices = _matrices()
    kept = matrices[0].detach().clone()
    optimizer = Muon(matrices, lr=0.01, weight_decay=0.1, momentum=0.9)
    matrices[1].grad = torch.ones_like(matrices[1])
    changed = matrices[1].detach().clone()
    optimizer.step()
    assert torch.equal(matrices[0], kept)
    assert not torch.equal(matrices[1], changed)


def test_orthogonal_keeps_singular_vectors_and_evens_out_singular_values() -> None:
    rng = torch.Generator().manual_seed(3)
    for shape in ((6, 12, 30), (6, 30, 12)):
        matrices = torch.randn(shape, generator=rng)
        found = orthogonal(matrices, COEFFICIENTS, 5, 1e-7).float()
        left, _, right = torch.linalg.svd(matrices, full_matrices=False)
        values = left.mT @ found @ right.mT
        diagonal = values.diagonal(dim1=1, dim2=2)
        assert ((diagonal > 0.6) & (diagonal < 1.3)).all()  # the iteration ends between about 0.7 and 1.2
        assert (values - torch.diag_embed(diagonal)).abs().max() < 0.05


def test_one_matrix_does_not_change_what_another_becomes() -> None:
    rng = torch.Generator().manual_seed(4)
    matrices = torch.randn(3, 8, 20, generator=rng)
    scaled = matrices * torch.tensor([1.0, 1e4, 1e-4])[:, None, None]
    torch.testing.assert_close(
        orthogonal(scaled, COEFFICIENTS, 5, 1e-7), orthogonal(matrices, COEFFICIENTS, 5, 1e-7), atol=0.03, rtol=0
    )
    assert not orthogonal(torch.zeros(1, 4, 4), COEFFICIENTS, 5, 1e-7).any()
