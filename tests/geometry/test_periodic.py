from __future__ import annotations

import gzip
import json

import numpy as np
import pytest
import torch
from ase.geometry import minkowski_reduce
from ase.geometry.geometry import general_find_mic
from hypothesis import given, settings
from hypothesis import strategies as st

from nucleate.geometry import lattice, periodic
from nucleate.geometry.neighbours import neighbours
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
@given(crystals)
def test_min_distance_is_the_smallest_off_the_diagonal(crystals):
    full = periodic.distances(*padded(crystals))
    full.diagonal(dim1=1, dim2=2).fill_(torch.inf)
    torch.testing.assert_close(periodic.min_distance(*packed(crystals)), full.amin((1, 2)))


@settings(max_examples=12)
@given(batches)
def test_shortest_translation_agrees_with_ase(batch):
    shortest = [np.linalg.norm(minkowski_reduce(cell.numpy())[0], axis=1).min() for cell in batch]
    np.testing.assert_allclose(periodic.shortest_translation(batch), shortest, rtol=1e-9)


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
    found = periodic.min_distance(frac, cell, torch.tensor([2]))
    torch.testing.assert_close(found, brute[None])
    assert found < (frac[1] @ cell[0]).norm() / 5


def test_rows_without_a_cell_give_nan_and_rows_without_pairs_infinity():
    cell = torch.stack([torch.full((3, 3), torch.nan), torch.eye(3), torch.zeros(3, 3), torch.eye(3), torch.eye(3)])
    counts = torch.tensor([0, 1, 2, 2, 2])
    frac = torch.rand(7, 3)
    frac[3:5] = torch.tensor([[0, 0, 0], [0.5, 0, 0]])
    frac[6] = torch.nan
    found = periodic.min_distance(frac, cell, counts)
    assert found.isnan().tolist() == [True, False, True, False, True]
    assert found[1] == torch.inf
    assert found[3] == 0.5
    assert periodic.shortest_translation(cell).isnan().tolist() == [True, False, True, False, False]
    full = periodic.distances(frac[3:].reshape(2, 2, 3), cell[2:4], torch.ones(2, 2, dtype=torch.bool))
    assert full.isnan().all((1, 2)).tolist() == [True, False]


def test_no_crystals_and_no_atoms():
    assert periodic.min_distance(torch.zeros(0, 3), torch.zeros(0, 3, 3), torch.zeros(0, dtype=torch.int64)).shape == (
        0,
    )
    nothing = periodic.distances(
        torch.zeros(2, 0, 3), torch.eye(3).expand(2, 3, 3), torch.zeros(2, 0, dtype=torch.bool)
    )
    assert nothing.shape == (2, 0, 0)


def test_chunks_do_not_change_the_answer(monkeypatch):
    generator = torch.Generator().manual_seed(0)
    counts = torch.tensor([5, 2, 5, 3, 5, 1, 2, 5])
    cell = torch.randn(len(counts), 3, 3, generator=generator)
    frac = torch.rand(int(counts.sum()), 3, generator=generator)
    whole = periodic.min_distance(frac, cell, counts)
    monkeypatch.setattr(periodic, "PAIRS", 12)
    assert torch.equal(periodic.min_distance(frac, cell, counts), whole)


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


@pytest.mark.parametrize("name", ["cdvae", "llama-2-7B_1.0_0.7", "test_ref", "val"])
def test_distances_and_volumes_agree_with_the_published_program(golden, name):
    with gzip.open(golden / f"arrays_{name}.jsonl.gz", "rt") as file:
        rows = [json.loads(line) for line in file]
    columns = ["volume", "min_dist_cdvae", "min_lattice_translation"]
    with (golden / f"rows_{name}.csv").open() as file:
        names = file.readline().strip().split(",")
    expected = np.genfromtxt(
        golden / f"rows_{name}.csv", delimiter=",", skip_header=1, usecols=[names.index(c) for c in columns]
    )
    cell = lattice.matrix(
        *(torch.tensor([row[key] for row in rows], dtype=torch.float64) for key in ("lengths", "angles"))
    )
    frac = torch.cat([torch.tensor(row["frac"], dtype=torch.float64) for row in rows])
    counts = torch.tensor([len(row["Z"]) for row in rows])
    np.testing.assert_allclose(lattice.volume(cell), expected[:, 0], rtol=1e-9)
    np.testing.assert_allclose(periodic.min_distance(frac, cell, counts), expected[:, 1], rtol=1e-8)
    # The published program looked one cell far only: in four skewed cells a shorter lattice vector is further away.
    shortest = periodic.shortest_translation(cell).numpy()
    longer = expected[:, 2] > shortest * (1 + 1e-9)
    assert longer.sum() == (4 if name.startswith("llama") else 0)
    np.testing.assert_allclose(shortest[~longer], expected[~longer, 2], rtol=1e-9)
    origin = torch.zeros(len(rows), 3, dtype=torch.float64)
    edges = neighbours(origin, cell, torch.ones_like(counts), 6.0)
    assert all(edges.distance[edges.source == row].min() <= shortest[row] + 1e-9 for row in np.flatnonzero(longer))


def test_shortest_displacements_are_the_shortest_of_many_images():
    rng = torch.Generator().manual_seed(0)
    lattice = 4 * torch.eye(3, dtype=torch.float64) + torch.randn(20, 3, 3, generator=rng, dtype=torch.float64)
    start, end = (torch.rand(20, n, m, 3, generator=rng, dtype=torch.float64) for n, m in ((4, 1), (1, 5)))
    got = periodic.shortest_displacements(start, end, lattice)
    steps = torch.arange(-6, 7, dtype=torch.float64)
    images = (end - start)[..., None, :] + torch.cartesian_prod(steps, steps, steps)
    every = images @ lattice[:, None, None]
    shortest = every.norm(dim=-1).amin(-1)
    torch.testing.assert_close(got.norm(dim=-1), shortest)
    # It is a displacement: a whole number of lattice vectors from the given one.
    turns = (got - (end - start) @ lattice[:, None]) @ torch.linalg.inv(lattice)[:, None]
    torch.testing.assert_close(turns, turns.round(), atol=1e-9, rtol=0)
