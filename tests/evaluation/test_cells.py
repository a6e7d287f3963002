from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from pymatgen.core import Lattice
from pymatgen.optimization.neighbors import find_points_in_spheres

from nucleate.evaluation import cells
from nucleate.geometry import lattice as tensors
from tests import strategies


@given(strategies.cells)
def test_parameters_agree_with_the_tensors(cell):
    lengths, angles = cells.lengths_and_angles(cell.numpy())
    want_lengths, want_angles = tensors.parameters(cell[None])
    np.testing.assert_allclose(lengths, want_lengths[0])
    np.testing.assert_allclose(angles, want_angles[0], atol=1e-5)


def test_matrix_is_that_of_pymatgen():
    rng = np.random.default_rng(0)
    lengths, angles = rng.uniform(2, 20, (20, 3)), rng.uniform(65, 115, (20, 3))
    want = [Lattice.from_parameters(*row, *corner).matrix for row, corner in zip(lengths, angles, strict=True)]
    np.testing.assert_allclose(cells.from_parameters(lengths, angles), want, atol=1e-12)


@pytest.mark.parametrize("radius", [0.7, 3.0, 8.0])
@settings(max_examples=30)
@given(lattice=strategies.cells)
def test_lattice_points_are_in_the_order_of_pymatgen(lattice, radius):
    lattice = np.ascontiguousarray(lattice.numpy())
    origin = np.zeros((1, 3))
    _, _, want, distances = find_points_in_spheres(origin, origin, radius, np.ones(3, dtype=np.int64), lattice, 1e-8)
    whole, cart, found = cells.lattice_points(lattice, radius, cells.lll_transforms(lattice[None])[0])
    np.testing.assert_array_equal(whole, want)
    np.testing.assert_allclose(found, distances)
    np.testing.assert_allclose(cart, whole @ lattice)


@given(strategies.batches)
def test_lll_bases_are_reduced(batch):
    lattices = batch.numpy()
    transforms = cells.lll_transforms(lattices)
    np.testing.assert_allclose(np.abs(np.linalg.det(transforms)), 1)
    for basis in transforms @ lattices:
        # In the QR decomposition the columns of R are the vectors in their own Gram-Schmidt frame.
        r = np.abs(np.linalg.qr(basis.T)[1])
        shares = (r / np.diag(r)[:, None])[np.triu_indices(3, 1)]
        assert (shares <= 0.5 + 1e-9).all()
        for k in (1, 2):
            assert r[k, k] ** 2 + r[k - 1, k] ** 2 >= (cells.LLL_DELTA - 1e-9) * r[k - 1, k - 1] ** 2


def test_lll_bases_are_those_of_pymatgen():
    rng = np.random.default_rng(0)
    skewed = rng.integers(-3, 4, (50, 3, 3)) @ rng.normal(size=(50, 3, 3))
    lattices = skewed[np.abs(np.linalg.det(skewed)) > 1e-3]
    want = [Lattice(lattice).get_lll_reduced_lattice().matrix for lattice in lattices]
    np.testing.assert_allclose(cells.lll_transforms(lattices) @ lattices, want, atol=1e-9)


@given(strategies.unimodular)
def test_inverse_of_integers_is_exact(matrix):
    stack = np.stack([matrix, -matrix]).astype(float)
    np.testing.assert_array_equal(stack @ cells.inverse_unimodular(stack), [np.eye(3)] * 2)


def test_dual_makes_volumes():
    lattice = torch.rand(4, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).numpy()
    products = lattice @ cells.dual(lattice).swapaxes(1, 2)
    np.testing.assert_allclose(products, np.linalg.det(lattice)[:, None, None] * np.eye(3), atol=1e-12)
