from __future__ import annotations

from importlib.metadata import version

import pytest

from nucleate.elements import NUMBERS, SYMBOLS
from nucleate.errors import UserError
from nucleate.evaluation import oxidation_states


@pytest.mark.parametrize("name", oxidation_states.NAMES)
def test_every_table_is_complete(name):
    table = oxidation_states.load(name)
    assert table.name == name
    assert f"smact {'2.2.1' if name == 'smact_2_2_1' else '4.0.2'}" in table.source
    assert {len(table.states), len(table.electronegativity), len(table.metal)} == {len(SYMBOLS)}
    assert table.states[NUMBERS["Mg"]][-1] == 2
    assert table.electronegativity[NUMBERS["F"]] == 3.98
    assert table.metal[NUMBERS["Fe"]]
    assert not table.metal[NUMBERS["Si"]]
    assert all(list(states) == sorted(set(states)) for states in table.states)
    assert not table.states[0]
    assert not table.states[NUMBERS["Ne"]]
    assert not table.states[NUMBERS["Og"]]


def test_the_published_table_differs_from_the_later_one_in_two_numbers():
    published, later = oxidation_states.load(), oxidation_states.load("smact14")
    assert published.name == "smact_2_2_1"
    apart = [z for z in range(len(SYMBOLS)) if published.states[z] != later.states[z]]
    assert apart == [NUMBERS["Ir"]]
    zr = NUMBERS["Zr"]
    assert (published.electronegativity[zr], later.electronegativity[zr]) == (0.33, 1.33)
    assert published.metal == later.metal


@pytest.mark.parametrize("name", ["smact14", "icsd24"])
def test_later_tables_are_those_of_the_library(name):
    smact = pytest.importorskip("smact")
    if version("smact") != "4.0.2":
        pytest.skip("another release of smact")
    table = oxidation_states.load(name)
    for z in range(1, 104):
        element = smact.Element(SYMBOLS[z])
        assert list(table.states[z]) == sorted(getattr(element, f"oxidation_states_{name}") or [])
        assert table.electronegativity[z] == element.pauling_eneg
        assert table.metal[z] == (SYMBOLS[z] in smact.metals)


def test_an_unknown_table():
    with pytest.raises(UserError, match="smact_2_2_1, smact14, icsd24"):
        oxidation_states.load("smact")
