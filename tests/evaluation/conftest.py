"""Crystals to judge, and the release of pymatgen that is there to compare with."""

from __future__ import annotations

from importlib.metadata import version

import numpy as np
import pytest

from nucleate.crystals import Crystals
from nucleate.evaluation.cells import Cell, from_parameters
from nucleate.evaluation.reduction import Convention


@pytest.fixture(scope="session")
def installed() -> Convention:
    """The convention of the installed pymatgen."""
    year, month = (int(part) for part in version("pymatgen").split(".")[:2])
    if (year, month) < (2026, 10):
        pytest.skip("this release of pymatgen picks other Niggli cells")
    return Convention.CURRENT


def random_cell(rng: np.random.Generator, numbers: list[int]) -> Cell:
    """A triclinic crystal of ordinary density."""
    lattice = from_parameters(rng.uniform(0.7, 1.4, (1, 3)), rng.uniform(60, 120, (1, 3)))[0]
    lattice *= (15 * len(numbers) / abs(np.linalg.det(lattice))) ** (1 / 3)
    return Cell(np.array(numbers), rng.random((len(numbers), 3)), lattice)


def distorted(cell: Cell, rng: np.random.Generator, sigma: float) -> Cell:
    """The same crystal in another basis, order and origin, strained, and rattled by `sigma` times (V/N)^(1/3)."""
    free_length = (cell.volume / len(cell.numbers)) ** (1 / 3)
    strain = np.eye(3) + rng.normal(0, sigma / 4, (3, 3))
    shear = np.eye(3)
    shear[0, 1], shear[2, 0] = rng.integers(-1, 2, 2)
    order = rng.permutation(len(cell.numbers))
    moved = cell.frac + rng.normal(0, sigma * free_length, cell.frac.shape) @ np.linalg.inv(cell.lattice)
    frac = (moved + rng.random(3)) @ np.linalg.inv(shear)
    return Cell(cell.numbers[order], np.mod(frac[order], 1), shear @ cell.lattice @ strain)


def to_crystals(cells: list[Cell], **info) -> Crystals:
    return Crystals.build([c.numbers for c in cells], [c.frac for c in cells], [c.lattice for c in cells], info)


def to_structure(cell: Cell):
    from pymatgen.core import Lattice, Structure

    return Structure(Lattice(cell.lattice), cell.numbers, cell.frac)
