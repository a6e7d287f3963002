from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from pymatgen.core import Composition
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from nucleate.evaluation.pairing import UNPAIRED
from nucleate.evaluation.pairing.compositions import NONE, Compositions, by_composition, possible
from tests.evaluation.pairing.conftest import of_formulas

FORMULAS = ["NaCl", "Na2Cl2", "Cl4Na4", "SiO2", "O4Si2", "TiO", "Ti2O3", ""]
formulas = st.lists(st.sampled_from(FORMULAS), min_size=1, max_size=5)


def reduced(formula: str) -> str:
    return Composition(formula).reduced_formula


def full(formula: str) -> dict[str, float]:
    return Composition(formula).get_el_amt_dict()


def compositions(samples, reference):
    return Compositions.of(of_formulas(samples), of_formulas(reference))


def candidates(sample: str, reference: list[str]) -> list[int]:
    return [row for row, formula in enumerate(reference) if sample and formula and reduced(formula) == reduced(sample)]


@given(formulas, formulas)
def test_numbers_are_equal_where_pymatgen_says_so(samples, reference):
    ours, theirs = compositions(samples, reference)
    for i, j in product(range(len(samples)), range(len(reference))):
        a, b = samples[i], reference[j]
        if not a or not b:
            continue
        assert (ours.reduced[i] == theirs.reduced[j]) == (reduced(a) == reduced(b))
        assert (ours.full[i] == theirs.full[j]) == (full(a) == full(b))
    for formula, kinds in zip(samples, zip(ours.full, ours.reduced, strict=True), strict=True):
        assert (NONE in kinds) == (not formula)


@given(formulas, formulas)
def test_possible_is_the_largest_matching(samples, reference):
    edges = np.zeros((len(samples), len(reference)), dtype=bool)
    for i, sample in enumerate(samples):
        edges[i, candidates(sample, reference)] = True
    matching = maximum_bipartite_matching(csr_array(edges), perm_type="column")
    assert possible(*compositions(samples, reference)) == (matching >= 0).sum()


@given(formulas, formulas, st.randoms(use_true_random=False))
def test_dealt_as_evenly_as_any_assignment_and_by_cells_where_that_allows(samples, reference, random):
    """Every assignment of samples to reference crystals of their composition, all tried."""
    order = list(range(len(samples)))
    random.shuffle(order)
    index, chosen = by_composition(*compositions(samples, reference), np.array(order))
    choices = [candidates(sample, reference) for sample in samples]
    dealt = [i for i, rows in enumerate(choices) if rows]
    assert [i for i in range(len(samples)) if index[i] == UNPAIRED] == [i for i, rows in enumerate(choices) if not rows]
    assert all(index[i] in choices[i] for i in dealt)
    assert not chosen[[i for i, rows in enumerate(choices) if len(rows) < 2]].any()
    if not dealt:
        return

    def most(rows) -> int:
        return int(np.bincount(rows).max())

    def same_cell(rows) -> int:
        return sum(full(samples[i]) == full(reference[row]) for i, row in zip(dealt, rows, strict=True))

    every = list(product(*(choices[i] for i in dealt)))
    least = min(map(most, every))
    found = [int(index[i]) for i in dealt]
    assert most(found) == least
    assert same_cell(found) == max(same_cell(rows) for rows in every if most(rows) == least)


def test_polymorphs_are_dealt_samples_in_turn():
    ours, theirs = compositions(["SiO2"] * 5 + ["NaCl"], ["SiO2", "NaCl", "SiO2"])
    index, chosen = by_composition(ours, theirs, np.arange(6))
    assert index.tolist() == [0, 2, 0, 2, 0, 1]
    assert chosen.tolist() == [True] * 5 + [False]
    index, _ = by_composition(ours, theirs, np.arange(6)[::-1])
    assert index.tolist() == [0, 2, 0, 2, 0, 1]


def test_the_atoms_in_the_cell_tell_polymorphs_apart():
    index, chosen = by_composition(*compositions(["Si2O4", "Si2O4", "SiO2", "SiO2"], ["SiO2", "O4Si2"]), np.arange(4))
    assert index.tolist() == [1, 1, 0, 0]
    assert not chosen.any()


def test_cells_of_another_size_still_reach_every_polymorph():
    """All samples in primitive cells, one of two reference crystals in a conventional one."""
    index, _ = by_composition(*compositions(["SiO2"] * 4, ["Si2O4", "SiO2"]), np.arange(4))
    assert sorted(index.tolist()) == [0, 0, 1, 1]
