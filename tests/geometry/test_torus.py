from __future__ import annotations

import math

import torch
from hypothesis import given
from hypothesis import strategies as st

from nucleate.geometry import torus

numbers = st.floats(-1e6, 1e6, allow_nan=False)


@given(st.lists(numbers, min_size=1))
def test_wrap_moves_by_whole_numbers_into_the_cell(values):
    frac = torch.tensor(values, dtype=torch.float64)
    wrapped = torus.wrap(frac)
    assert ((wrapped >= 0) & (wrapped < 1)).all()
    moved = frac - wrapped
    assert (moved - moved.round()).abs().max() < 1e-9


def test_wrap_never_gives_one():
    tiny = torch.tensor([-1e-20, -1e-300, -0.0, 1.0, 0.9999999999999999], dtype=torch.float64)
    assert torus.wrap(tiny).tolist() == [0, 0, 0, 0, 0.9999999999999999]
    assert torus.wrap(torch.tensor([-1e-10], dtype=torch.float32)).item() == 0


def test_wrap_keeps_nan_and_makes_infinity_one():
    assert torus.wrap(torch.tensor([math.nan, math.inf, -math.inf])).isnan().all()


@given(numbers, numbers)
def test_log_map_is_the_shortest_way(start, end):
    way = torus.log_map(*torch.tensor([start, end], dtype=torch.float64)).item()
    turns = end - start - way
    assert abs(way) <= 0.5
    assert abs(turns - round(turns)) < 1e-9


def test_log_map_crosses_the_border():
    start, end = torch.tensor([[0.9, 0.1, 0.2]]), torch.tensor([[0.1, 0.9, 0.5]])
    torch.testing.assert_close(torus.log_map(start, end), torch.tensor([[0.2, -0.2, 0.3]]))


def test_mean_free_removes_the_drift_of_each_crystal():
    generator = torch.Generator().manual_seed(0)
    vectors = torch.randn(4, 5, 3, generator=generator, dtype=torch.float64)
    mask = torch.arange(5) < torch.tensor([5, 3, 1, 0])[:, None]
    free = torus.mean_free(vectors, mask)
    assert free.sum(1).abs().max() < 1e-12
    assert (free[~mask] == 0).all()
    torch.testing.assert_close(free[1, 0] - free[1, 2], vectors[1, 0] - vectors[1, 2])
    torch.testing.assert_close(torus.mean_free(vectors + 7, mask), free)
