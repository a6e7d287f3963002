from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymatgen.core import Lattice

from nucleate.files.cif import cell
from nucleate.files.cif.block import Block
from nucleate.files.failures import BadEntryError, Failure


def block(values: dict[str, object]) -> Block:
    return Block("data_a\n" + "".join(f"{name} {value}\n" for name, value in values.items()))


lengths = st.floats(1, 50)
angles = st.floats(50, 120)


@given(lengths, lengths, lengths, angles, angles, angles)
def test_vectors_are_pymatgens_to_the_last_digit(a, b, c, alpha, beta, gamma):
    parameters = (a, b, c, alpha, beta, gamma)
    given_values = dict(zip(cell.PARAMETERS, map(repr, parameters), strict=True))
    if 2 * max(alpha, beta, gamma) >= alpha + beta + gamma or alpha + beta + gamma >= 360:
        with pytest.raises(BadEntryError, match="cannot be"):
            cell.read(block(given_values))
        return
    np.testing.assert_array_equal(cell.read(block(given_values)).lattice, Lattice.from_parameters(*parameters).matrix)


@pytest.mark.parametrize(
    ("system", "stated", "parameters"),
    [
        ("cubic", {"a": 4}, (4, 4, 4, 90, 90, 90)),
        ("tetragonal", {"a": 4, "c": 5}, (4, 4, 5, 90, 90, 90)),
        ("Hexagonal", {"a": 4, "c": 5}, (4, 4, 5, 90, 90, 120)),
        ("orthorhombic", {"a": 4, "b": 6, "c": 5}, (4, 6, 5, 90, 90, 90)),
    ],
)
def test_a_crystal_system_completes_the_cell(system, stated, parameters):
    values = {f"_cell_length_{axis}": value for axis, value in stated.items()}
    assert cell.read(block({**values, "_symmetry_cell_setting": system})).parameters == parameters


def test_what_is_absent_is_named():
    with pytest.raises(BadEntryError, match="there is no _cell_length_b") as caught:
        cell.read(block({"_cell_length_a": 4, "_cell_angle_alpha": 90}))
    assert caught.value.reason is Failure.BAD_LATTICE
