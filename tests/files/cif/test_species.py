from __future__ import annotations

import pytest

from nucleate.elements import NUMBERS
from nucleate.files.cif import species
from nucleate.files.failures import Failure


@pytest.mark.parametrize("tail", ["", "1", "3+", "2-", "+2", "+", "1.5+"])
def test_a_symbol_may_have_a_charge_or_a_number(tail):
    for symbol, number in NUMBERS.items():
        assert species.of_symbol(symbol + tail) == number, symbol


@pytest.mark.parametrize("tail", ["1", "12a", "_1", "2+", ""])
def test_a_label_starts_with_an_element(tail):
    for symbol, number in NUMBERS.items():
        assert species.of_label(symbol + tail) == number, symbol


@pytest.mark.parametrize(
    ("name", "element"),
    [("D", "H"), ("T", "H"), ("SI", "Si"), ("NA", "Na"), ("CL1-", "Cl"), ("fe", "Fe"), ("O2-", "O")],
)
def test_isotopes_and_capitals(name, element):
    assert species.of_symbol(name) == NUMBERS[element]


@pytest.mark.parametrize(
    "name", ["NH3", "NH4", "NH4+", "CO3", "CN", "BH4", "ND4", "H2O", "D2O", "OH", "SO4", "Wat", "O-H"]
)
def test_several_atoms_are_no_element(name):
    assert species.of_symbol(name) is None
    assert species.refusal("X1", name).reason is Failure.MISSING_ATOMS


@pytest.mark.parametrize("name", ["T1", "M1", "X", "Va1", "Vac2", "Dum", "Cat1", "Tet", "Q7", "?", "1", "Me"])
def test_places_and_mixtures_are_no_element(name):
    assert species.of_label(name) is None
    assert species.refusal(name, name).reason is Failure.UNKNOWN_ELEMENT


def test_a_shared_site_says_so():
    assert species.refusal("M1", "0.56(4)Mg + 0.29Ta").reason is Failure.PARTIAL_OCCUPANCY


@pytest.mark.parametrize(
    ("label", "formula", "element"),
    [("CO1", "CoO", "Co"), ("CO1", "C O2 Na", "C"), ("HO1", "Ho", "Ho"), ("HO1", "H2 O", "H"), ("CA1", "C H N", "C")],
)
def test_capitals_are_what_the_formula_has(label, formula, element):
    stated = frozenset(
        NUMBERS[symbol] for symbol in {"CoO": ["Co", "O"], "Ho": ["Ho"]}.get(formula, formula.replace("2", "").split())
    )
    assert species.of_label(label, stated) == NUMBERS[element]


@pytest.mark.parametrize("name", ["CO1", "CN2", "HO1", "ND1"])
def test_capitals_that_may_be_two_atoms_are_not_guessed(name):
    assert species.of_label(name) is None


@pytest.mark.parametrize(
    ("name", "with_hydrogen"),
    [
        ("Ow", True),
        ("OW1", True),
        ("O1W", True),
        ("Oh", True),
        ("OH2", True),
        ("O1", False),
        ("Os1", False),
        ("Ob", False),
    ],
)
def test_the_oxygen_of_water_is_known_by_its_name(name, with_hydrogen):
    assert species.comes_with_hydrogen(name) is with_hydrogen
