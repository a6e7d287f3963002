"""Hypothesis strategies for cells and crystals: all the symmetries, described in ordinary and in very skewed ways."""

from __future__ import annotations

from functools import reduce

import numpy as np
import torch
from hypothesis import strategies as st
from torch import Tensor

# Two decimals: what is nearly, but not quite, symmetric gets tests of its own.
lengths = st.integers(150, 1500).map(lambda value: value / 100)
angles = st.integers(30, 150).map(float)
fractions = st.integers(-2000, 2000).map(lambda value: value / 1000)


def from_parameters(a: float, b: float, c: float, alpha: float, beta: float, gamma: float) -> np.ndarray:
    """Row vectors with a along x and b in the xy plane (another orientation than the package's); flat if impossible."""
    cos_a, cos_b, cos_g = np.cos(np.deg2rad([alpha, beta, gamma]))
    sin_g = np.sin(np.deg2rad(gamma))
    x, y = cos_b, (cos_a - cos_b * cos_g) / sin_g
    z = np.sqrt(max(1 - x**2 - y**2, 0))
    return np.array([[a, 0, 0], [b * cos_g, b * sin_g, 0], [c * x, c * y, c * z]])


def is_solid(cell: np.ndarray) -> bool:
    """Whether the cell has at least 1/20 of the volume of a box with the same lengths."""
    return bool(abs(np.linalg.det(cell)) > 0.05 * np.prod(np.linalg.norm(cell, axis=1)))


triclinic = st.builds(from_parameters, lengths, lengths, lengths, angles, angles, angles).filter(is_solid)
monoclinic = st.builds(lambda a, b, c, beta: from_parameters(a, b, c, 90, beta, 90), lengths, lengths, lengths, angles)
orthorhombic = st.builds(lambda *edges: np.diag(edges), lengths, lengths, lengths)
tetragonal = st.builds(lambda a, c: np.diag([a, a, c]), lengths, lengths)
hexagonal = st.builds(lambda a, c: from_parameters(a, a, c, 90, 90, 120), lengths, lengths)
rhombohedral = st.builds(lambda a, alpha: from_parameters(a, a, a, *[alpha] * 3), lengths, st.integers(30, 115))
cubic = st.builds(
    lambda a, centred: a * centred,
    lengths,
    st.sampled_from([np.eye(3), (1 - np.eye(3)) / 2, 1 / 2 - np.eye(3)]),  # primitive, face and body centred
)
lattices = st.one_of(triclinic, monoclinic, orthorhombic, tetragonal, hexagonal, rhombohedral, cubic)


def _shear(row: int, step: int, times: int) -> np.ndarray:
    matrix = np.eye(3, dtype=int)
    matrix[row, (row + step) % 3] = times
    return matrix


shears = st.builds(_shear, st.integers(0, 2), st.integers(1, 2), st.integers(-3, 3))
unimodular = st.lists(shears, max_size=5).map(lambda steps: reduce(np.matmul, steps, np.eye(3, dtype=int)))
"""Integer matrices of determinant +1: other descriptions of the same lattice."""

cells = st.builds(lambda change, lattice: torch.from_numpy(change @ lattice), unimodular, lattices)
"""A cell (3, 3) in Å, often skewed."""

batches = st.lists(cells, min_size=1, max_size=10).map(torch.stack)
"""Cells (c, 3, 3) in Å."""


@st.composite
def positions(draw: st.DrawFn, at_least: int = 1, at_most: int = 5) -> Tensor:
    """Fractional coordinates (n, 3), not wrapped."""
    count = draw(st.integers(at_least, at_most))
    return torch.tensor(draw(st.lists(st.tuples(*[fractions] * 3), min_size=count, max_size=count))).double()
