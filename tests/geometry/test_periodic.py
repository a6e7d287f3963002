from __future__ import annotations

import numpy as np
import pytest
import torch
from ase.geometry import minkowski_reduce
from ase.geometry.geometry import general_find_mic
from hypothesis import given, settings
from hypothesis import strategies as st

from nucleate.geometry import lattice, periodic
from tests.strategies import batches, cells, positions, unimodular

crystals = st.lists(st.tuples(cells, positions(at_most=4)), min_size=1, max_size=8)


def packed(crystals) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Coordinates one after the other, lattices, counts."""
    frac = torch.cat([positions for _, positions in crystals])
    return frac, torch.stack([cell for cell, _ in crystals]), torch.tensor([len(f) for _, f in crystals])


def padded(crystals) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    frac, cell, counts = packed(crystals)
    mask = torch.arange(int(counts.max())) < counts[:, None]
    block = torch.zeros(*mask.shape, 3, dtype=frac.dtype)
    block[mask] = frac
    return block, cell, mask


def ase_distances(cell: torch.Tensor, frac: torch.Tensor) -> np.ndarray:
    """Distances between atoms, and on the diagonal the length of the shortest lattice vector."""
    cartesian = (frac @ cell).numpy()
    apart = (cartesian[None] - cartesian[:, None]).reshape(-1, 3)
    # Not `ase.geometry.find_mic`, whose short cut is wrong in skewed cells (ASE 3.29).
    found = general_find_mic(apart, cell.numpy(), [True] * 3)[1].reshape(len(frac), len(frac))
    np.fill_diagonal(found, np.linalg.norm(minkowski_reduce(cell.numpy())[0], axis=1).min())
    return found


@settings(max_examples=12)
@given(crystals)
def test_distances_agree_with_ase(crystals):
    found = periodic.distances(*padded(crystals))
    for row, (cell, frac) in enumerate(crystals):
        atoms = len(frac)
        np.testing.assert_allclose(found[row, :atoms, :atoms], ase_distances(cell, frac), rtol=1e-6, atol=1e-6)
        assert found[row, atoms:].isinf().all()
        assert found[row, :, atoms:].isinf().all()


@settings(max_examples=12)
@given(crystals, unimodular, st.tuples(*[st.floats(-2, 2)] * 3))
def test_distances_do_not_depend_on_the_cell_or_the_origin(crystals, change, origin):
    frac, cell, mask = padded(crystals)
    described = torch.from_numpy(change).double()
    moved = (frac + torch.tensor(origin).double()) @ torch.linalg.inv(described)
    same = periodic.distances(moved, described @ cell, mask)
    torch.testing.assert_close(same, periodic.distances(frac, cell, mask), rtol=1e-6, atol=1e-6)


@settings(max_examples=12)
@given(batches)
def test_the_basis_of_the_proof_has_no_acute_angles(batch):
    basis, inverse = periodic._obtuse(*lattice.niggli(batch, periodic.TOLERANCE))
    torch.testing.assert_close(inverse.double() @ basis, batch)
    four = torch.cat([basis, -basis.sum(1, keepdim=True)], 1)
    products = (four @ four.mT)[:, *torch.triu_indices(4, 4, 1)]
    assert products.max() < 1e-6


def test_images_are_half_of_the_26_neighbours():
    images = set(periodic._IMAGES)
    opposite = {tuple(-n for n in image) for image in images}
    assert len(images) == 13
    assert len(images | opposite) == 26


def test_a_cell_where_rounding_alone_is_wrong():
    """In this cell the nearest image of (1/2, 1/2, 0) is not the one in the middle, but one cell further."""
    cell = torch.tensor([[[1.0, 0, 0], [5.1, 0.2, 0], [0, 0, 9]]], dtype=torch.float64)
    frac = torch.tensor([[0, 0, 0], [0.5, 0.5, 0]], dtype=torch.float64)
    images = torch.cartesian_prod(*[torch.arange(-30.0, 31)] * 2).double()
    brute = ((frac[1, :2] + images) @ cell[0, :2]).norm(dim=-1).min()
    found = periodic.distances(frac[None], cell, torch.ones(1, 2, dtype=torch.bool))[0, 0, 1]
    torch.testing.assert_close(found, brute)
    assert found < (frac[1] @ cell[0]).norm() / 5


def test_rows_without_a_cell_give_nan():
    cell = torch.stack([torch.full((3, 3), torch.nan), torch.zeros(3, 3), torch.eye(3)])
    full = periodic.distances(torch.rand(3, 2, 3), cell, torch.ones(3, 2, dtype=torch.bool))
    assert full.isnan().all((1, 2)).tolist() == [True, True, False]
    assert full[2].isfinite().all()


def test_no_atoms():
    nothing = periodic.distances(
        torch.zeros(2, 0, 3), torch.eye(3).expand(2, 3, 3), torch.zeros(2, 0, dtype=torch.bool)
    )
    assert nothing.shape == (2, 0, 0)


def test_chunks_do_not_change_the_answer(monkeypatch):
    generator = torch.Generator().manual_seed(0)
    cell = torch.randn(8, 3, 3, generator=generator)
    frac = torch.rand(8, 5, 3, generator=generator)
    mask = torch.ones(8, 5, dtype=torch.bool)
    whole = periodic.distances(frac, cell, mask)
    monkeypatch.setattr(periodic, "PAIRS", 12)
    assert torch.equal(periodic.distances(frac, cell, mask), whole)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_distances_keep_the_dtype_and_have_gradients(dtype):
    frac = torch.tensor([[[0.1, 0.2, 0.3], [0.9, 0.9, 0.8], [0.9, 0.9, 0.8]]], dtype=dtype, requires_grad=True)
    cell = torch.tensor([[[3, 0, 0], [1, 4, 0], [1, 1, 5]]], dtype=dtype, requires_grad=True)
    found = periodic.distances(frac, cell, torch.tensor([[True, True, False]]))
    assert found.dtype == dtype
    found[0, 0, 1].backward()
    assert frac.grad is not None
    assert cell.grad is not None
    torch.testing.assert_close(frac.grad[0, 0], -frac.grad[0, 1])
    assert frac.grad.abs().max() > 1
    assert cell.grad.isfinite().all()


def test_the_gradient_is_that_of_the_distance():
    frac = torch.tensor([[[0.1, 0.2, 0.3], [0.8, 0.95, 0.6]]], dtype=torch.float64, requires_grad=True)
    cell = torch.tensor([[[3, 0, 0], [1, 4, 0], [1, 1, 5]]], dtype=torch.float64, requires_grad=True)
    mask = torch.ones(1, 2, dtype=torch.bool)
    assert torch.autograd.gradcheck(lambda x, l: periodic.distances(x, l, mask), (frac, cell))
