"""Wyckoff positions, compared with what moyopy knows of the space groups."""

from __future__ import annotations

import itertools

import moyopy
import numpy as np
import pytest
import torch

from nucleate.geometry import lattice as cells
from nucleate.geometry import space_groups

VALUES = torch.tensor([0.1234, 0.2718, 0.3811], dtype=torch.float64)


def _general(group: int) -> int:
    return int((space_groups.wyckoff().multiplicity[group] > 0).sum()) - 1


@pytest.mark.parametrize("group", range(1, 231))
def test_the_general_position_is_what_the_operations_make(group: int) -> None:
    known = moyopy.operations_from_number(group, setting=moyopy.Setting.standard())
    theirs = {
        _key(np.array(r) @ VALUES.numpy() + np.array(t))
        for r, t in zip(known.rotations, known.translations, strict=True)
    }
    ours = space_groups.orbit(group, _general(group), VALUES)
    basis = space_groups.wyckoff().basis[group]
    shifts = [torch.tensor(n).double() @ basis for n in itertools.product(range(-2, 3), repeat=3)]
    assert {_key((place + shift).numpy()) for place in ours for shift in shifts} == theirs
    assert len(theirs) == len(ours) * round(1 / float(torch.linalg.det(basis)))


def _key(place: np.ndarray) -> tuple[float, ...]:
    return tuple(np.round(place % 1, 6) % 1)


@pytest.mark.parametrize("group", [2, 12, 38, 47, 62, 139, 148, 166, 194, 216, 221, 225, 227, 230])
def test_moyopy_finds_the_letter_and_the_number_of_atoms(group: int) -> None:
    table = space_groups.wyckoff()
    cell = space_groups.completed(group, torch.tensor([5.1, 6.3, 8.9, 81.0, 97.0, 103.0], dtype=torch.float64))
    lattice = cells.matrix(cell[None, :3], cell[None, 3:])[0]
    general = space_groups.orbit(group, _general(group), VALUES)
    for letter in range(_general(group)):
        places = space_groups.orbit(group, letter, VALUES * 0.7)
        assert len(places) == int(table.multiplicity[group, letter])
        basis, frac = space_groups.to_primitive(group, lattice, torch.cat([general, places]))
        numbers = [1] * len(general) + [2] * len(places)
        found = moyopy.MoyoDataset(
            moyopy.Cell(basis.tolist(), frac.tolist(), numbers), symprec=1e-4, setting=moyopy.Setting.standard()
        )
        assert found.number == group
        assert len(set(found.orbits[len(general) :])) == 1


def test_parameters_that_a_system_ties_together() -> None:
    some = torch.tensor([5.0, 6.0, 7.0, 80.0, 95.0, 105.0])
    assert space_groups.completed(225, some).tolist() == [5, 5, 5, 90, 90, 90]
    assert space_groups.completed(194, some).tolist() == [5, 5, 7, 90, 90, 120]
    assert space_groups.completed(14, some).tolist() == [5, 6, 7, 90, 95, 90]
    assert space_groups.completed(1, some).tolist() == some.tolist()
    assert space_groups.free_parameters(139) == (0, 2)
    assert space_groups.free_parameters(2) == (0, 1, 2, 3, 4, 5)
