from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from ase.neighborlist import primitive_neighbor_list
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure

from nucleate.geometry import neighbours as module
from nucleate.geometry.neighbours import Neighbours, neighbours
from tests.strategies import cells, positions

compact = cells.filter(lambda cell: abs(torch.linalg.det(cell)) > 20)
crystals = st.lists(st.tuples(compact, positions(at_most=4)), min_size=1, max_size=5)
# Three odd digits, so that no distance of a cell with two decimals lies on the sphere.
cutoffs = st.sampled_from([0.50137, 2.00137, 3.70137, 5.00137])


def packed(crystals) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    frac = torch.cat([positions for _, positions in crystals])
    return frac, torch.stack([cell for cell, _ in crystals]), torch.tensor([len(f) for _, f in crystals])


def edges(found: Neighbours) -> set[tuple[int, ...]]:
    return set(map(tuple, torch.cat([found.source[:, None], found.target[:, None], found.offset], 1).tolist()))


@settings(max_examples=12)
@given(crystals, cutoffs)
def test_agrees_with_ase(crystals, cutoff):
    found = neighbours(*packed(crystals), cutoff)
    expected, start = set(), 0
    for cell, frac in crystals:
        i, j, offset = primitive_neighbor_list("ijS", [True] * 3, cell.numpy(), (frac @ cell).numpy(), cutoff)
        expected |= set(map(tuple, np.column_stack([i + start, j + start, offset]).tolist()))
        start += len(frac)
    assert edges(found) == expected
    assert len(expected) == len(found.source)


@settings(max_examples=12)
@given(crystals, cutoffs)
def test_vectors_lead_to_the_image_and_back(crystals, cutoff):
    frac, cell, counts = packed(crystals)
    found = neighbours(frac, cell, counts, cutoff)
    owner = torch.repeat_interleave(counts)
    image = frac[found.target] + found.offset
    way = torch.einsum("pi,pij->pj", image - frac[found.source], cell[owner[found.source]])
    torch.testing.assert_close(found.vector, way)
    torch.testing.assert_close(found.distance, way.norm(dim=-1))
    assert (found.distance <= cutoff).all()
    assert (owner[found.source] == owner[found.target]).all()
    assert (found.source.diff() >= 0).all()
    assert {(j, i, -a, -b, -c) for i, j, a, b, c in edges(found)} == edges(found)


def test_agrees_with_pymatgen_in_rock_salt():
    structure = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    primitive = structure.get_primitive_structure()
    frac = torch.tensor(primitive.frac_coords)
    found = neighbours(frac, torch.tensor(primitive.lattice.matrix)[None].clone(), torch.tensor([2]), 7.0)
    i, j, offset, distance = primitive.get_neighbor_list(7.0)
    assert edges(found) == set(map(tuple, np.column_stack([i, j, offset]).astype(int).tolist()))
    assert math.isclose(found.distance.sum(), distance.sum(), rel_tol=1e-12)


@pytest.mark.parametrize(
    ("cell", "cutoff", "shells"),
    [
        (np.eye(3), 1.01, [6]),
        (np.eye(3), 2.01, [6, 12, 8, 6]),
        ((1 - np.eye(3)) / math.sqrt(2), 1.42, [12, 6]),  # fcc with nearest neighbours at 1
        ((0.5 - np.eye(3)) * 2 / math.sqrt(3), 1.16, [8, 6]),  # bcc
    ],
)
def test_coordination_shells(cell, cutoff, shells):
    found = neighbours(torch.full((1, 3), 0.3).double(), torch.from_numpy(cell)[None], torch.tensor([1]), cutoff)
    _, sizes = found.distance.mul(1e6).round().unique(return_counts=True)
    assert sizes.tolist() == shells


def test_the_cutoff_is_included():
    found = neighbours(torch.zeros(1, 3), torch.eye(3)[None] * 2, torch.tensor([1]), 2.0)
    assert len(found.source) == 6


def test_a_very_skewed_cell_costs_no_more():
    change = torch.tensor([[1, 0, 0], [987, 1, 0], [-654, 321, 1]]).double()
    found = neighbours(torch.zeros(1, 3).double(), change[None] * 3, torch.tensor([1]), 3.1)
    torch.testing.assert_close(found.distance, torch.full((6,), 3.0).double())
    assert found.offset.abs().max() > 900


def test_atoms_at_the_same_place_are_neighbours():
    found = neighbours(torch.zeros(2, 3), torch.eye(3)[None] * 9, torch.tensor([2]), 1.0)
    assert edges(found) == {(0, 1, 0, 0, 0), (1, 0, 0, 0, 0)}
    assert (found.distance == 0).all()


def test_rows_without_a_cell_or_atoms_have_no_neighbours():
    cell = torch.stack([torch.full((3, 3), torch.nan), torch.eye(3), torch.zeros(3, 3), torch.eye(3)])
    found = neighbours(torch.rand(5, 3), cell, torch.tensor([2, 0, 2, 1]), 1.0)
    assert found.source.tolist() == [4] * 6
    nothing = neighbours(torch.zeros(0, 3), torch.zeros(0, 3, 3), torch.zeros(0, dtype=torch.int64), 5.0)
    assert nothing.vector.shape == (0, 3)


def test_chunks_do_not_change_the_answer(monkeypatch):
    generator = torch.Generator().manual_seed(0)
    counts = torch.tensor([4, 1, 3, 0, 5])
    frac = torch.rand(13, 3, generator=generator)
    cell = torch.eye(3) * 3 + torch.rand(5, 3, 3, generator=generator)
    whole = neighbours(frac, cell, counts, 4.0)
    monkeypatch.setattr(module, "CANDIDATES", 100)
    for one, other in zip(whole, neighbours(frac, cell, counts, 4.0), strict=True):
        assert torch.equal(one, other)


def test_vectors_keep_the_dtype_and_have_gradients():
    frac = torch.tensor([[0.1, 0.1, 0.1], [0.6, 0.4, 0.7]], requires_grad=True)
    cell = (torch.eye(3)[None] * 4).requires_grad_()
    found = neighbours(frac, cell, torch.tensor([2]), 4.5)
    assert found.vector.dtype == torch.float32
    found.distance.square().sum().backward()
    assert frac.grad is not None
    assert cell.grad is not None
    assert cell.grad.abs().sum() > 0
