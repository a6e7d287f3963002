from __future__ import annotations

from collections import Counter
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nucleate.elements import NUMBERS, SYMBOLS, parse_formula
from nucleate.evaluation import oxidation_states
from nucleate.evaluation.composition_validity import composition_validity
from nucleate.evaluation.oxidation_states import NAMES, OxidationStates
from tests.evaluation.test_compositions import of

# Promethium, radon and lawrencium have no electronegativity; neon has no oxidation states either.
INTERESTING = [NUMBERS[symbol] for symbol in "H Li O F Ne Na Al Si P S Cl Fe Cu Zr I Pm Au Rn Lr".split()]

compositions = st.dictionaries(st.sampled_from(INTERESTING), st.integers(1, 6), min_size=1, max_size=5)


def brute_force(counts: dict[int, int], table: OxidationStates) -> bool:
    """The definition, word by word."""
    numbers = sorted(counts)
    divisor = np.gcd.reduce(list(counts.values()))
    if len(numbers) == 1 or all(table.metal[z] for z in numbers):
        return True
    values = [table.electronegativity[z] for z in numbers]
    return any(
        sum(state * counts[z] // divisor for state, z in zip(choice, numbers, strict=True)) == 0
        and pauling(list(zip(choice, values, strict=True)))
        for choice in product(*(table.states[z] for z in numbers))
    )


def pauling(ions: list[tuple[int, float | None]]) -> bool:
    for (state, value), (other_state, other_value) in combinations(ions, 2):
        opposite = state * other_state < 0
        if value is None or other_value is None:
            return opposite
        if opposite and (value >= other_value if state > 0 else value <= other_value):
            return False
    return True


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=300)
@given(counts=compositions)
def test_it_is_the_definition(name, counts):
    table = oxidation_states.load(name)
    crystal = of([z for z, count in counts.items() for _ in range(count)])
    assert composition_validity(crystal, table).tolist() == [brute_force(counts, table)]


def test_the_definition_is_that_of_smact():
    """Where all electronegativities are known; where not, later releases than that of the metric fail everything."""
    smact = pytest.importorskip("smact")
    from smact.screening import pauling_test

    rng = np.random.default_rng(0)
    table = oxidation_states.load()
    outcomes = Counter()
    for _ in range(60):
        numbers = sorted(rng.choice([z for z in INTERESTING if table.electronegativity[z]], 3, replace=False).tolist())
        counts = rng.integers(1, 5, 3).tolist()
        counts = [count // int(np.gcd.reduce(counts)) for count in counts]
        metals = all(SYMBOLS[z] in smact.metals for z in numbers)
        neutral = any(
            smact.neutral_ratios(choice, stoichs=[(count,) for count in counts], threshold=max(counts))
            and pauling_test(choice, [table.electronegativity[z] for z in numbers])
            for choice in product(*(table.states[z] for z in numbers))
        )
        crystal = of(np.repeat(numbers, counts).tolist())
        found = bool(composition_validity(crystal, table)[0])
        assert found == (metals or neutral)
        outcomes[found] += 1
    assert min(outcomes.values()) > 5


@pytest.mark.parametrize(
    ("formula", "valid"),
    [
        ("NaCl", True),
        ("Na8Cl8", True),
        ("NaCl2", False),
        ("SiO2", True),
        ("Fe3O4", False),  # one state for all atoms of an element
        ("FeNi3", True),  # metals
        ("He", True),  # one element
        ("NeO", False),  # no oxidation states
        ("ClF3", True),
        ("OF2", True),
        ("F2Na", False),
        ("RfO2", False),  # beyond the table
        ("LiFePO4", True),
        ("Ca5(PO4)3F", True),
    ],
)
def test_known_compounds(formula, valid):
    assert composition_validity(of(parse_formula(formula)), oxidation_states.load()).tolist() == [valid]


def test_many_elements_at_once_with_none_among_them():
    """Millions of choices for the published program; and a crystal without atoms."""
    many = parse_formula("C3N5P7S11Cl13V17Mn19Re23Os29Ru31O37")
    assert composition_validity(of(many, [], many), oxidation_states.load()).tolist() == [True, False, True]
    assert composition_validity(of(), oxidation_states.load()).shape == (0,)


def test_the_table_decides():
    crystals = of(parse_formula("BaO2"), parse_formula("AlO"), parse_formula("ZrO2"))
    found = {name: composition_validity(crystals, oxidation_states.load(name)).tolist() for name in NAMES}
    assert found == {
        "smact_2_2_1": [True, True, True],
        "smact14": [True, True, True],
        "icsd24": [True, False, True],
    }
