from __future__ import annotations

import numpy as np
import pytest
import torch

from nucleate.evaluation.crystal_nn.neighbours import SAME_PLACE, count_within, list_within
from nucleate.geometry.neighbours import neighbours
from tests.evaluation.conftest import random_cell

SHIFTS = np.stack(np.meshgrid(*[np.arange(-4, 5)] * 3, indexing="ij"), -1).reshape(-1, 3).astype(float)


def listed(cell, sites, radius):
    shifts = SHIFTS @ cell.lattice
    starts = count_within(cell.frac, cell.lattice, shifts, sites, radius)
    return starts, *list_within(cell.frac, cell.lattice, shifts, sites, radius, starts)


@pytest.mark.parametrize("seed", range(5))
def test_neighbours_are_those_of_the_other_search(seed):
    cell = random_cell(np.random.default_rng(seed), [8, 8, 22, 38])
    starts, atoms, vectors, distances = listed(cell, np.arange(4), 5.0)
    frac, lattice = torch.from_numpy(cell.frac), torch.from_numpy(cell.lattice)[None]
    edges = neighbours(frac, lattice, torch.tensor([4]), 5.0)
    for site in range(4):
        here, there = slice(starts[site], starts[site + 1]), edges.source == site
        order = np.lexsort(np.round(vectors[here], 6).T)
        want = np.lexsort(np.round(edges.vector[there].numpy(), 6).T)
        np.testing.assert_allclose(vectors[here][order], edges.vector[there].numpy()[want], atol=1e-12)
        np.testing.assert_array_equal(atoms[here][order], edges.target[there].numpy()[want])
        assert (np.diff(distances[here]) >= 0).all()
    np.testing.assert_allclose(distances, np.linalg.norm(vectors, axis=1))


def test_some_sites_have_the_neighbours_that_they_have_among_all():
    cell = random_cell(np.random.default_rng(9), [8, 8, 22, 38])
    starts, *columns = listed(cell, np.arange(4), 4.0)
    some, *picked = listed(cell, np.array([2]), 4.0)
    assert some.tolist() == [0, starts[3] - starts[2]]
    for column, part in zip(columns, picked, strict=True):
        np.testing.assert_array_equal(part, column[starts[2] : starts[3]])


def test_an_atom_at_the_same_place_is_no_neighbour():
    cell = random_cell(np.random.default_rng(0), [8, 8])
    cell.frac[1] = cell.frac[0]
    starts, atoms, _, distances = listed(cell, np.arange(2), 4.0)
    assert distances.min() > SAME_PLACE
    assert (atoms[: starts[1]] == 0).sum() == (atoms[: starts[1]] == 1).sum()
