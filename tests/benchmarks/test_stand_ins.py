"""Stand-ins against what they stand for, spelled out."""

from __future__ import annotations

import pytest
import torch

from benchmarks.stand_ins import SparseTensor, scatter, segment_csr


@pytest.fixture
def rng():
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("reduce", ["sum", "mean"])
def test_scatter(rng, reduce):
    rows = torch.randn(20, 3, generator=rng)
    index = torch.randint(6, (20,), generator=rng)
    index[index == 2] = 3  # nothing goes to row 2
    found = scatter(rows, index, dim=0, dim_size=7, reduce=reduce)
    empty = torch.zeros(1, 3)
    for i in range(7):
        there = rows[index == i] if (index == i).any() else empty
        torch.testing.assert_close(found[i], getattr(there, reduce)(0))
    assert scatter(rows[:, 0], index).shape == (int(index.max()) + 1,)


def test_segments(rng):
    values = torch.randint(9, (10,), generator=rng)
    found = segment_csr(values, torch.tensor([0, 3, 3, 10]))
    assert found.tolist() == [int(values[:3].sum()), 0, int(values[3:].sum())]


def test_rows_of_a_matrix_with_several_values_at_one_place(rng):
    row, col = torch.randint(5, (2, 30), generator=rng)
    matrix = SparseTensor(row=row, col=col, value=torch.arange(30), sparse_sizes=(5, 5))
    taken = torch.tensor([3, 0, 3, 4])
    part = matrix[taken]
    found = list(
        zip(part.storage.row().tolist(), part.storage.col().tolist(), part.storage.value().tolist(), strict=True)
    )
    expected = [(i, int(col[j]), j) for i, r in enumerate(taken.tolist()) for j in range(30) if int(row[j]) == r]
    assert sorted(found) == sorted(expected)
    assert found == sorted(found)
    assert part.set_value(None).sum(dim=1).tolist() == [int((row == r).sum()) for r in taken.tolist()]
