"""Sums over segments and a list of entries by row, in PyTorch alone: what JMP takes of torch_scatter and torch_sparse.

Names and arguments are those of the libraries, whose place these take where they are not installed.
"""

from __future__ import annotations

import torch
from jaxtyping import Int, Shaped
from torch import Tensor

from nucleate.geometry.neighbours import ragged


def scatter(
    src: Shaped[Tensor, "n ..."],
    index: Int[Tensor, " n"],
    dim: int = 0,
    dim_size: int | Tensor | None = None,
    reduce: str = "sum",
) -> Shaped[Tensor, "k ..."]:
    """Adds up rows by index.

    Args:
        src: rows.
        index: of the sum that each goes to.
        dim: 0.
        dim_size: number of sums.
        reduce: `sum`.
    """
    _only_sums(reduce, dim)
    size = int(index.max()) + 1 if dim_size is None else int(dim_size)
    return src.new_zeros(size, *src.shape[1:]).index_add_(0, index, src.contiguous())


def segment_coo(
    src: Shaped[Tensor, "n ..."], index: Int[Tensor, " n"], dim_size: int | Tensor | None = None, reduce: str = "sum"
) -> Shaped[Tensor, "k ..."]:
    """The same, where the index is sorted."""
    return scatter(src, index, 0, dim_size, reduce)


def segment_csr(src: Int[Tensor, " n"], indptr: Int[Tensor, " k_and_1"], reduce: str = "sum") -> Int[Tensor, " k"]:
    """Adds up runs of whole numbers.

    Args:
        src: numbers.
        indptr: where each run begins, and the last one ends.
        reduce: `sum`.
    """
    _only_sums(reduce, 0)
    if src.is_floating_point():
        raise NotImplementedError(f"segments of {src.dtype}")
    sums = torch.cat([src.new_zeros(1), src.cumsum(0)])
    return sums[indptr[1:]] - sums[indptr[:-1]]


def _only_sums(reduce: str, dim: int) -> None:
    if reduce not in ("sum", "add") or dim != 0:
        raise NotImplementedError(f"{reduce} along dimension {dim}")


class SparseTensor:
    """Entries of a matrix in the order of rows, then columns; one place may have several.

    Attributes:
        storage: whose `row()`, `col()` and `value()` list them.
    """

    def __init__(
        self,
        row: Int[Tensor, " n"],
        col: Int[Tensor, " n"],
        value: Shaped[Tensor, " n"],
        sparse_sizes: tuple[int, int],
    ) -> None:
        key = row * sparse_sizes[1] + col
        if bool((key.diff() < 0).any()):
            order = torch.argsort(key, stable=True)
            row, col, value = row[order], col[order], value[order]
        self._row, self._col, self._value, self._sizes = row, col, value, sparse_sizes
        self.storage = self

    def row(self) -> Int[Tensor, " n"]:
        """Row of each entry."""
        return self._row

    def col(self) -> Int[Tensor, " n"]:
        """Column of each entry."""
        return self._col

    def value(self) -> Shaped[Tensor, " n"]:
        """Value of each entry."""
        return self._value

    def sparse_sizes(self) -> tuple[int, int]:
        """Numbers of rows and columns."""
        return self._sizes

    def coo(self) -> tuple[Int[Tensor, " n"], Int[Tensor, " n"], Shaped[Tensor, " n"]]:
        """Rows, columns and values."""
        return self._row, self._col, self._value

    def set_value_(self, value: Shaped[Tensor, " n"], layout: str = "coo") -> SparseTensor:
        """Replaces the values, given in the order of the entries."""
        self._value = value
        return self

    def __getitem__(self, rows: Int[Tensor, " k"]) -> SparseTensor:
        """Takes rows, which may be asked for more than once, in the order that they are asked for."""
        counts = torch.bincount(self._row, minlength=self._sizes[0])
        starts = counts.cumsum(0) - counts
        row, place = ragged(counts[rows])
        entry = starts[rows][row] + place
        return type(self)(row, self._col[entry], self._value[entry], (len(rows), self._sizes[1]))
