"""Crystals and texts that the tests of all formats share."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import strategies as st

from nucleate.crystals import Crystals
from nucleate.geometry import lattice
from tests.strategies import lattices

STEPS = 20

NACL = Crystals.build(
    [[11, 17], [11, 11, 17, 17]],
    [[[0, 0, 0], [0.5, 0.5, 0.5]], [[0, 0, 0], [0.25, 0.5, 0.75], [0.5, 0.5, 0.5], [0.1, 0.2, 0.3]]],
    [np.eye(3) * 3.5, np.diag([3.0, 4.0, 12.0])],
    {"name": ["first", "second one"], "energy": [-1.5, float("nan")], "rank": [0, 7], "stable": [True, False]},
)

FAILED = Crystals.failed(["no_text"], {"detail": ['it said: "I can\'t", 100 % # sure'], "rank": [3]})

MIXED = Crystals.concat([NACL[0], FAILED, NACL[1]]).with_info(detail=["", FAILED.info["detail"][0], ""])

ROCK_SALT = """data_NaCl
_symmetry_space_group_name_H-M 'F m -3 m'
_cell_length_a 5.64
_cell_length_b 5.64
_cell_length_c 5.64
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Na1 Na 0 0 0 1
Cl1 Cl 0.5 0.5 0.5 1
"""


@st.composite
def crystals(draw: st.DrawFn, at_most: int = 20) -> Crystals:
    """One crystal: any cell, of either hand, and atoms (Z 1 to 100) that keep apart, on numbers with all digits."""
    cell = np.array(draw(st.permutations(draw(lattices).tolist())))
    places = draw(st.lists(st.tuples(*[st.integers(0, STEPS - 1)] * 3), min_size=1, max_size=at_most, unique=True))
    shifts = draw(st.lists(st.floats(0, 0.3), min_size=3 * len(places), max_size=3 * len(places)))
    numbers = draw(st.lists(st.integers(1, 100), min_size=len(places), max_size=len(places)))
    frac = (np.array(places) + np.array(shifts).reshape(-1, 3)) / STEPS
    counts = torch.tensor([len(numbers)])  # `build` would draw random numbers to check its arguments
    return Crystals(torch.tensor(numbers, dtype=torch.uint8), torch.tensor(frac), torch.tensor(cell)[None], counts)


few = st.lists(crystals(at_most=6), min_size=1, max_size=4)


def assert_same(actual: Crystals, expected: Crystals, tolerance: float = 1e-7):
    """The same cells, to within a rotation, and the same atoms in any order, to within `tolerance` (Å, degrees, 1)."""
    assert actual.counts.tolist() == expected.counts.tolist()
    for found, wanted in zip(lattice.parameters(actual.lattice), lattice.parameters(expected.lattice), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance)
    for i in range(len(expected)):
        assert_same_atoms(actual.numbers_of_each()[i], actual.frac_of_each()[i], expected[i], tolerance)


def assert_same_atoms(numbers, frac, expected: Crystals, tolerance: float = 1e-7):
    delta = np.asarray(frac)[:, None] - expected.frac.numpy()[None]
    apart = np.abs(delta - np.round(delta)).max(-1)
    same = (apart < tolerance) & (np.asarray(numbers)[:, None] == expected.numbers.numpy()[None])
    assert (same.sum(0) == 1).all()
    assert (same.sum(1) == 1).all()


def assert_same_info(actual: Crystals, expected: Crystals):
    assert set(actual.info) == set(expected.info)
    for name, column in expected.info.items():
        np.testing.assert_array_equal(actual.info[name], column, err_msg=name)
        assert actual.info[name].dtype == column.dtype
