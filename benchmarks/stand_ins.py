"""Modules that published code of 2022 imports, as far as it uses them, where they are not installed.

torch_scatter and torch_sparse have to be compiled for minutes, torch_geometric has renamed its activation, and numpy
has dropped its `math`. Sums and means of torch_scatter are PyTorch's `scatter_add_` in the original as well, so that
speed is the same.
"""

from __future__ import annotations

import math
import sys
from importlib.util import find_spec
from types import ModuleType, SimpleNamespace

import numpy
import torch
from torch import Tensor


def install() -> None:
    """Puts them in the place of those that are missing."""
    _install("torch_scatter", scatter=scatter, segment_csr=segment_csr)
    _install("torch_sparse", SparseTensor=SparseTensor)
    _install("torch_geometric.nn.acts", swish=torch.nn.functional.silu)
    vars(numpy).setdefault("math", math)


def _install(name: str, **contents: object) -> None:
    if name in sys.modules or find_spec(name) is not None:
        return
    module = ModuleType(name)
    vars(module).update(contents)
    sys.modules[name] = module


def scatter(src: Tensor, index: Tensor, dim: int = 0, dim_size: int | None = None, reduce: str = "sum") -> Tensor:
    """Sums or means of rows with the same index, along the first axis."""
    if dim % src.dim() or reduce not in ("sum", "add", "mean"):
        raise NotImplementedError(f"scatter along {dim} by {reduce}")
    rows = (int(index.max()) + 1 if len(index) else 0) if dim_size is None else dim_size
    wide = index.view(-1, *[1] * (src.dim() - 1)).expand_as(src)
    total = torch.zeros(rows, *src.shape[1:], dtype=src.dtype).scatter_add_(0, wide, src)
    if reduce != "mean":
        return total
    count = torch.bincount(index, minlength=rows).clamp(min=1).to(src.dtype)
    return total / count.view(-1, *[1] * (src.dim() - 1))


def segment_csr(src: Tensor, indptr: Tensor, reduce: str = "sum") -> Tensor:
    """Sums of runs of whole numbers; run i goes from `indptr[i]` to `indptr[i + 1]`."""
    if src.is_floating_point() or reduce != "sum":
        raise NotImplementedError(f"segments of {src.dtype} by {reduce}")
    before = torch.cat([src.new_zeros(1), src.cumsum(0)])[indptr]
    return before[1:] - before[:-1]


class SparseTensor:
    """A sparse matrix that may hold several values at one place, of which rows can be taken.

    Args:
        row: row of each value.
        col: column of each value.
        value: the values; None counts.
        sparse_sizes: rows and columns.
    """

    def __init__(self, row: Tensor, col: Tensor, value: Tensor | None, sparse_sizes: tuple[int, int]) -> None:
        key = row * sparse_sizes[1] + col
        if bool((key.diff() < 0).any()):
            order = torch.argsort(key, stable=True)
            row, col, value = row[order], col[order], None if value is None else value[order]
        self.sizes, self._row, self._col, self._value = sparse_sizes, row, col, value

    @property
    def storage(self) -> SimpleNamespace:
        """Rows, columns and values, sorted by row and column."""
        return SimpleNamespace(row=lambda: self._row, col=lambda: self._col, value=lambda: self._value)

    def __getitem__(self, rows: Tensor) -> SparseTensor:
        """Takes rows, in this order, with repetition."""
        counts = torch.bincount(self._row, minlength=self.sizes[0])
        start = counts.cumsum(0) - counts
        length = counts[rows]
        which = torch.arange(len(rows)).repeat_interleave(length)
        place = torch.arange(len(which)) - (length.cumsum(0) - length)[which] + start[rows][which]
        value = None if self._value is None else self._value[place]
        return SparseTensor(which, self._col[place], value, (len(rows), self.sizes[1]))

    def set_value(self, value: None) -> SparseTensor:
        """Forgets the values."""
        return SparseTensor(self._row, self._col, value, self.sizes)

    def sum(self, dim: int) -> Tensor:
        """How many values each row has."""
        if dim != 1 or self._value is not None:
            raise NotImplementedError("sums of values")
        return torch.bincount(self._row, minlength=self.sizes[0])
