"""What stands for torch_scatter and torch_sparse, against loops and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.sparse import coo_matrix

from nucleate.explorer.embeddings.segments import SparseTensor, scatter, segment_coo, segment_csr


def test_rows_are_added_up_by_index():
    rows, index = torch.arange(12.0).reshape(4, 3), torch.tensor([2, 0, 2, 0])
    expected = torch.stack([rows[1] + rows[3], torch.zeros(3), rows[0] + rows[2], torch.zeros(3)])
    torch.testing.assert_close(scatter(rows, index, dim=0, dim_size=4, reduce="sum"), expected)
    torch.testing.assert_close(scatter(rows, index), expected[:3])


def test_sorted_index_of_ones_that_are_expanded():
    ones = torch.ones(1, dtype=torch.int64).expand(5)
    assert segment_coo(ones, torch.tensor([0, 0, 1, 3, 3]), dim_size=torch.tensor(5)).tolist() == [2, 1, 0, 2, 0]


def test_runs_some_of_them_empty():
    assert segment_csr(torch.tensor([3, 1, 4, 1, 5]), torch.tensor([0, 2, 2, 5])).tolist() == [4, 0, 10]


def test_other_reductions_are_refused():
    with pytest.raises(NotImplementedError):
        scatter(torch.ones(2), torch.tensor([0, 1]), reduce="max")


def test_rows_of_a_matrix_in_any_order_and_more_than_once():
    rng = np.random.default_rng(0)
    places = rng.choice(30, 12, replace=False)
    row, col, value = places // 6, places % 6, rng.integers(1, 9, 12)
    matrix = SparseTensor(*(torch.from_numpy(part) for part in (row, col, value)), sparse_sizes=(5, 6))
    rows = [4, 0, 0, 2]
    taken = matrix[torch.tensor(rows)]
    expected = coo_matrix((value, (row, col)), shape=(5, 6)).toarray()[rows]
    parts = (taken.storage.value().numpy(), (taken.storage.row().numpy(), taken.storage.col().numpy()))
    np.testing.assert_array_equal(coo_matrix(parts, shape=taken.sparse_sizes()).toarray(), expected)
    assert (np.diff(parts[1][0]) >= 0).all()


def test_several_entries_at_one_place_all_stay():
    matrix = SparseTensor(torch.tensor([1, 0, 1]), torch.tensor([0, 0, 0]), torch.tensor([7, 8, 9]), (2, 1))
    assert matrix[torch.tensor([1])].storage.value().tolist() == [7, 9]
    matrix.set_value_(torch.tensor([1, 2, 3]), layout="coo")
    assert [part.tolist() for part in matrix.coo()] == [[0, 1, 1], [0, 0, 0], [1, 2, 3]]
