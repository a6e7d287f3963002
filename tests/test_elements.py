from __future__ import annotations

import math
import warnings
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymatgen.core import Composition, Element

from nucleate import elements
from nucleate.elements import formula_from_numbers, parse_formula, reduced_formula

compositions = st.dictionaries(st.integers(1, elements.MAX_NUMBER), st.integers(1, 30), min_size=1, max_size=6)


def reference_formula(composition: dict[int, int]) -> str:
    """pymatgen's formula, without its spaces and ones."""
    amounts = {elements.SYMBOLS[z]: n for z, n in composition.items()}
    ordered = [word.rstrip("0123456789") for word in Composition(amounts).formula.split()]
    return "".join(f"{symbol}{amounts[symbol] if amounts[symbol] > 1 else ''}" for symbol in ordered)


def atoms(composition: dict[int, int]) -> list[int]:
    return [z for z, n in composition.items() for _ in range(n)]


def test_symbols_and_places_agree_with_pymatgen():
    for z in range(1, 119):
        element = Element.from_Z(z)
        assert elements.SYMBOLS[z] == element.symbol
        assert elements.NUMBERS[element.symbol] == z
        assert elements.group(z) == element.group
        if not (element.is_lanthanoid or element.is_actinoid):  # whose rows pymatgen calls 8 and 9
            assert elements.period(z) == element.row
    assert len(elements.SYMBOLS) == 119


@pytest.mark.parametrize(("first", "last", "row"), [("La", "Lu", 6), ("Ac", "Lr", 7)])
def test_f_elements_stay_in_their_period(first, last, row):
    for z in range(elements.NUMBERS[first], elements.NUMBERS[last] + 1):
        assert (elements.period(z), elements.group(z)) == (row, 3)


def test_electronegativities_agree_with_pymatgen():
    assert len(elements.PAULING) == elements.MAX_NUMBER + 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about noble gases that have none
        for z in range(1, elements.MAX_NUMBER + 1):
            value = Element.from_Z(z).X
            assert elements.PAULING[z] == (0 if math.isnan(value) else value)


@given(compositions)
def test_formulas_agree_with_pymatgen(composition):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert formula_from_numbers(atoms(composition)) == reference_formula(composition)


@given(compositions)
def test_formulas_are_read_back(composition):
    numbers = atoms(composition)
    assert Counter(parse_formula(formula_from_numbers(numbers))) == composition
    assert formula_from_numbers(parse_formula(formula_from_numbers(numbers))) == formula_from_numbers(numbers)


@given(compositions, st.integers(1, 5))
def test_reduced_formula_forgets_the_size_of_the_cell(composition, times):
    reduced = reduced_formula(atoms(composition) * times)
    assert reduced == reduced_formula(atoms(composition))
    counts = Counter(parse_formula(reduced))
    assert math.gcd(*counts.values()) == 1
    assert all(composition[z] * counts[min(counts)] == composition[min(counts)] * n for z, n in counts.items())


def test_no_atoms_have_an_empty_formula():
    assert formula_from_numbers([]) == ""
    assert reduced_formula([]) == ""


def test_elements_beyond_the_table_come_last():
    assert formula_from_numbers([118, 8, 8]) == "O2Og"


@pytest.mark.parametrize(
    "text",
    ["SiO2", "Na4Cl4", "Ca3(PO4)2", "K4[Fe(CN)6]", "((H2O)2)3", " Li Fe P O4 ", "CO", "Co", "Mg(OH)2", "NaCl1", "(Ti)"],
)
def test_brackets_and_blanks_agree_with_pymatgen(text):
    expected = {element.Z: int(n) for element, n in Composition(text.replace(" ", "")).items()}
    assert Counter(parse_formula(text)) == expected


def test_atoms_come_in_the_order_of_the_text():
    assert parse_formula("O2Si(OH)2") == [8, 8, 14, 8, 1, 8, 1]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty formula"),
        ("  ", "empty formula"),
        ("()", "empty group"),
        ("Si()O2", "empty group"),
        ("Xx2", "'Xx' is not an element"),
        ("X", "'X' is not an element"),
        ("sio2", "unexpected 's'"),
        ("Si-O2", "unexpected '-'"),
        ("Fe3+", "unexpected '+'"),
        ("2SiO2", "unexpected '2'"),
        ("CuSO4·5H2O", "unexpected '·'"),
        ("Fe²", "unexpected '²'"),
        ("SiO0", "count of 0"),
        ("(SiO2)0", "count of 0"),
        ("Li0.5CoO2", "whole numbers"),
        ("Si(O2", "not closed"),
        ("Si(O2]", "not closed"),
        ("SiO2)", "unexpected ')'"),
        ("H99999999999999", "more than 100,000 atoms"),
        ("((H999)999)999", "more than 100,000 atoms"),
        ("H60000O60000", "more than 100,000 atoms"),
        ("(" * 10_000, "brackets"),
    ],
)
def test_bad_formulas_are_refused_in_one_clear_line(text, reason):
    with pytest.raises(ValueError) as error:
        parse_formula(text)
    message = str(error.value)
    assert reason in message
    assert "\n" not in message
    assert len(message) < 200


@given(st.text("HeCl()[]0129. +x\n", max_size=30))
def test_any_text_is_read_or_refused(text):
    try:
        numbers = parse_formula(text)
    except ValueError:
        return
    assert numbers
    assert set(numbers) <= set(elements.NUMBERS.values())


def test_masses_are_those_of_ase():
    from ase.data import atomic_masses_iupac2016

    assert len(elements.MASSES) == elements.MAX_NUMBER + 1
    assert elements.MASSES[1:] == pytest.approx(atomic_masses_iupac2016[1 : elements.MAX_NUMBER + 1], rel=1e-3)
