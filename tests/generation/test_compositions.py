from __future__ import annotations

import numpy as np
import pytest

from nucleate.crystals import Crystals
from nucleate.errors import UserError
from nucleate.files import write
from nucleate.generation.compositions import are_typed, formula_units, read_formulas


def test_a_list():
    assert [z.tolist() for z in read_formulas("SiO2, NaCl")] == [[14, 8, 8], [11, 17]]


def test_a_text_file(tmp_path):
    path = tmp_path / "wanted.txt"
    path.write_text("SiO2  # quartz\n\n# nothing\nNaCl\n")
    assert [z.tolist() for z in read_formulas(str(path))] == [[14, 8, 8], [11, 17]]


def test_a_structure_file_keeps_order_and_atoms(tmp_path):
    path = tmp_path / "some.parquet"
    cell = 4 * np.eye(3)
    write(Crystals.build([[17, 11], [8, 14, 8]], [np.zeros((2, 3)), np.zeros((3, 3))], [cell, cell]), path)
    assert [z.tolist() for z in read_formulas(str(path))] == [[17, 11], [8, 14, 8]]


def test_who_asks(tmp_path):
    """What was typed may be refused at once; in a file of structures some may be left out."""
    (tmp_path / "some.csv").write_text("cif")
    assert all(map(are_typed, ["SiO2,NaCl", "", "wanted.txt", "some/wanted.lst"]))
    assert not any(map(are_typed, [str(tmp_path / "some.csv"), str(tmp_path), "missing/file.cif"]))


@pytest.mark.parametrize("text", ["", ",", "SiO2,", "Si(O2", "Xx2", "Si0", "missing/file.cif", "nowhere.txt"])
def test_bad_requests_are_one_line(text):
    with pytest.raises(UserError) as caught:
        read_formulas(text)
    assert "\n" not in str(caught.value)


def test_formula_units_double_until_the_cell_is_full():
    unit = np.array([3, 26, 15, 8, 8, 8, 8])
    assert [len(z) for z in formula_units(unit, 20)] == [7, 14]
    assert [len(z) for z in formula_units(np.array([11, 17]), 20)] == [2, 4, 8, 16]
