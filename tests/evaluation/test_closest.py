from __future__ import annotations

import numpy as np
import pytest
import torch
from ase.geometry import minkowski_reduce
from ase.geometry.geometry import general_find_mic
from hypothesis import given, settings
from hypothesis import strategies as st

from nucleate.evaluation.closest import closest
from tests.strategies import cells, positions, unimodular

crystals = st.lists(st.tuples(cells, positions(at_most=5)), min_size=1, max_size=6)


def found(crystals):
    counts = [len(frac) for _, frac in crystals]
    frac = torch.cat([frac for _, frac in crystals]).double().numpy()
    return closest(frac, torch.stack([cell for cell, _ in crystals]).double().numpy(), np.cumsum([0, *counts]))


def by_ase(cell: torch.Tensor, frac: torch.Tensor) -> tuple[float, float]:
    cartesian = (frac @ cell).numpy()
    first, second = np.triu_indices(len(frac), 1)
    # Not `ase.geometry.find_mic`, whose short cut is wrong in skewed cells (ASE 3.29).
    apart = general_find_mic(cartesian[second] - cartesian[first], cell.numpy(), [True] * 3)[1] if len(first) else []
    return min(apart, default=np.inf), np.linalg.norm(minkowski_reduce(cell.numpy())[0], axis=1).min()


@settings(max_examples=25)
@given(crystals)
def test_agrees_with_ase(crystals):
    want = np.array([by_ase(cell, frac) for cell, frac in crystals]).T
    np.testing.assert_allclose(found(crystals), want, rtol=1e-6, atol=1e-6)


@settings(max_examples=25)
@given(crystals, unimodular, st.tuples(*[st.floats(-2, 2)] * 3))
def test_does_not_depend_on_the_cell_or_the_origin(crystals, change, origin):
    described = torch.from_numpy(change).double()
    moved = [
        (described @ cell.double(), (frac.double() + torch.tensor(origin).double()) @ torch.linalg.inv(described))
        for cell, frac in crystals
    ]
    np.testing.assert_allclose(found(moved), found(crystals), rtol=1e-6, atol=1e-6)


def test_where_rounding_alone_is_wrong():
    """In this cell the nearest image of (1/2, 1/2, 0) is not the one in the middle, but one cell further."""
    cell = torch.tensor([[1.0, 0, 0], [5.1, 0.2, 0], [0, 0, 9]], dtype=torch.float64)
    frac = torch.tensor([[0, 0, 0], [0.5, 0.5, 0]], dtype=torch.float64)
    images = torch.cartesian_prod(*[torch.arange(-30.0, 31)] * 2).double()
    brute = ((frac[1, :2] + images) @ cell[:2]).norm(dim=-1).min()
    assert found([(cell, frac)])[0] == pytest.approx([brute.item()])
    assert brute < (frac[1] @ cell).norm() / 5


def test_what_is_no_cell_or_no_pair():
    eye, nothing = torch.eye(3).double(), torch.full((3, 3), torch.nan).double()
    flat = torch.tensor([[1.0, 0, 0], [0, 1, 0], [1, 1, 0]]).double()
    pair = torch.tensor([[0, 0, 0], [0.5, 0, 0]]).double()
    lost = torch.tensor([[0, 0, 0], [torch.nan, 0, 0]]).double()
    between, own = found(
        [(nothing, pair[:0]), (eye, pair[:1]), (flat, pair), (eye, pair), (eye, lost), (eye, pair[:0])]
    )
    np.testing.assert_array_equal(between, [np.nan, np.inf, np.nan, 0.5, np.nan, np.inf])
    np.testing.assert_array_equal(own, [np.nan, 1, np.nan, 1, 1, 1])


def test_a_needle_ends():
    needle = torch.tensor([[1e-9, 0, 0], [1e3, 1e-3, 0], [0, 1e6, 1]]).double()
    assert np.isfinite(found([(needle, torch.zeros(1, 3).double())])[1]).all()
