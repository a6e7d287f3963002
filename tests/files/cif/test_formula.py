from __future__ import annotations

import pytest

from nucleate.elements import NUMBERS
from nucleate.files.cif import formula
from nucleate.files.cif.block import Block
from nucleate.files.failures import Failure


def stated(text: str, units: str = "?") -> formula.Formula | None:
    return formula.read(Block(f"data_a\n_chemical_formula_sum '{text}'\n_cell_formula_units_Z {units}\n"))


def atoms(**counts: int) -> dict[int, int]:
    return {NUMBERS[symbol]: count for symbol, count in counts.items()}


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("Na Cl", {"Na": 1, "Cl": 1}),
        ("C10 H12.5 N2", {"C": 10, "H": 12.5, "N": 2}),
        ("CaCO3", {"Ca": 1, "C": 1, "O": 3}),
        ("D2 O", {"H": 2, "O": 1}),
        ("H D O", {"H": 2, "O": 1}),
        ("SI O2", {"Si": 1, "O": 2}),
        ("NA2, S O4", {"Na": 2, "S": 1, "O": 4}),
        ("Fe0 O1", {"O": 1}),
    ],
)
def test_formulas_are_read(text, counts):
    found = stated(text)
    assert found is not None
    assert found.counts == {NUMBERS[symbol]: count for symbol, count in counts.items()}


@pytest.mark.parametrize("text", ["?", "Ca (C O3)", "CO 2", "Xx2", "salt", "Na-Cl", "2Na"])
def test_what_is_no_formula_is_not_checked(text):
    assert stated(text) is None


@pytest.mark.parametrize(
    ("text", "units", "found", "reason"),
    [
        ("Na Cl", "?", atoms(Na=4, Cl=4), None),
        ("Na Cl", "4", atoms(Na=4, Cl=4), None),
        ("Na4 Cl4", "4", atoms(Na=4, Cl=4), None),  # some programs write the whole cell and the number of units
        ("Na0.333 O", "3", atoms(Na=1, O=3), None),
        ("Na4 Cl4", "4", atoms(Na=1, Cl=1), Failure.CONTRADICTION),
        ("Na Cl", "2", atoms(Na=4, Cl=4), Failure.CONTRADICTION),
        ("Na Cl", "?", atoms(Na=4, Cl=3), Failure.CONTRADICTION),
        ("Na Cl", "?", atoms(Na=4, Cl=4, O=1), Failure.CONTRADICTION),
        ("Na Cl O", "?", atoms(Na=4, Cl=4), Failure.MISSING_ATOMS),
        ("H2 O", "?", atoms(O=4), Failure.MISSING_ATOMS),
        ("H2 O", "?", atoms(O=4, H=4), Failure.MISSING_ATOMS),
        ("H2 O", "?", atoms(O=4, H=12), Failure.CONTRADICTION),
    ],
)
def test_atoms_are_those_of_the_formula(text, units, found, reason):
    objection = formula.objection(stated(text, units), found)
    assert (objection and objection.reason) == reason


def test_without_a_formula_nothing_is_wrong():
    assert formula.objection(None, atoms(Na=1)) is None
    assert not formula.is_whole_cell(None, atoms(C=8))
    assert formula.is_whole_cell(stated("C8"), atoms(C=8))
    assert not formula.is_whole_cell(stated("C"), atoms(C=1))
