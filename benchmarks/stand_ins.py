"""Modules that published code of 2022 imports, as far as it uses them, where they are not installed.

torch_scatter and torch_sparse have to be compiled for minutes, torch_geometric has renamed its activation, and numpy
has dropped its `math`. Sums and means of torch_scatter are PyTorch's `scatter_add_` in the original as well, so that
speed is the same.
"""

from __future__ import annotations

import math
import sys
from importlib.util import find_spec
from types import ModuleType

import numpy
import torch
from torch import Tensor

from nucleate.explorer.embeddings import segments
from nucleate.explorer.embeddings.segments import segment_csr


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


class SparseTensor(segments.SparseTensor):
    """A sparse matrix that may hold several values at one place, of which rows can be taken, and counted."""

    def set_value(self, value: None) -> SparseTensor:
        """Forgets the values."""
        return _Pattern(self._row, self._col, self._row, self._sizes)


class _Pattern(SparseTensor):
    """Places without values."""

    def sum(self, dim: int) -> Tensor:
        """How many there are in each row."""
        if dim != 1:
            raise NotImplementedError(f"sums along {dim}")
        return torch.bincount(self._row, minlength=self._sizes[0])
