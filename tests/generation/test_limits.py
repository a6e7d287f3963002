from __future__ import annotations

import numpy as np
import pytest

from nucleate.elements import NUMBERS, parse_formula
from nucleate.errors import UserError
from nucleate.evaluation.failures import tally
from nucleate.generation.limits import check_all_fit, check_fits, check_some_fit, named, unfit_reasons
from tests.generation.test_sampling import Stub

KNOWN = frozenset(NUMBERS[symbol] for symbol in ("Na", "Cl", "O", "Si"))


def cells(*formulas: str) -> list[np.ndarray]:
    return [np.array(parse_formula(formula)) for formula in formulas]


def model(elements: frozenset[int] = KNOWN) -> Stub:
    class Small(Stub):
        max_atoms, known_elements = 4, elements

    return Small()


def test_a_cell_that_is_too_large_is_refused():
    check_fits([np.full(20, 8)], 20)
    with pytest.raises(UserError, match="O21 has 21 atoms; the model was trained on cells of up to 20"):
        check_fits([np.full(21, 8)], 20)


def test_elements_that_the_model_has_not_seen_are_named():
    check_fits(cells("NaCl", "SiO2"), 4, KNOWN)
    with pytest.raises(UserError, match=r"^Ar: the model was trained on crystals without it$"):
        check_fits(cells("NaCl", "ArO2"), 4, KNOWN)
    with pytest.raises(UserError, match=r"^Ar, Po and Og: the model was trained on crystals without them$"):
        check_fits(cells("PoO2", "OgAr", "Po"), 4, KNOWN)


def test_where_nobody_knows_the_elements_only_the_table_bounds_them():
    check_fits(cells("Ar", "Fm"), 4)
    with pytest.raises(UserError, match="Og is beyond"):
        check_fits(cells("Og"), 4)
    assert unfit_reasons(model(frozenset()), cells("Ar", "Og")).tolist() == ["", "unseen_element"]


def test_each_cell_has_its_reason():
    found = unfit_reasons(model(), cells("NaCl", "Na3Cl3", "ArO", "SiO2"))
    assert found.tolist() == ["", "too_many_atoms", "unseen_element", ""]
    assert found.dtype == object
    assert check_some_fit(model(), cells("Ar", "NaCl")).tolist() == ["unseen_element", ""]
    assert not len(check_some_fit(model(), []))


def test_if_none_fits_the_line_is_that_of_the_check():
    for asked, says in ((("Na3Cl3", "Ar"), "Na3Cl3 has 6 atoms"), (("Ar", "Bk"), "Ar and Bk: the model")):
        for check in (check_all_fit, check_some_fit):
            with pytest.raises(UserError, match=says):
                check(model(), cells(*asked))


def test_words():
    assert [named([18]), named([18, 84]), named([18, 84, 85])] == ["Ar", "Ar and Po", "Ar, Po and At"]
    assert tally(["b", "", "a", "a"]) == "2 a, 1 b"
    assert tally([""]) == ""
