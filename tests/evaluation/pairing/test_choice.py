from __future__ import annotations

import numpy as np
import pytest

from nucleate.crystals import Crystals
from nucleate.errors import UserError
from nucleate.evaluation.pairing import UNPAIRED, PairingError, Rule, pair
from tests.evaluation.pairing.conftest import of_formulas


def crystals(count: int, **info) -> Crystals:
    return Crystals.build([[6]] * count, [[[0, 0, 0]]] * count, [np.eye(3)] * count, info)


def test_without_columns_row_by_row():
    pairing = pair(crystals(3), crystals(3))
    assert pairing.index.tolist() == pairing.asked.tolist() == pairing.place.tolist() == [0, 1, 2]
    assert pairing.rank.tolist() == [0, 0, 0]
    assert pairing.per_reference == 1


def test_columns_in_any_order():
    pairing = pair(crystals(4, reference_index=[6, 5, 6, 5], rank=[1, 0, 0, 1]), crystals(9))
    assert pairing.asked.tolist() == [5, 6]
    assert pairing.place.tolist() == [1, 0, 1, 0]
    assert pairing.per_reference == 2
    assert pairing.missing.tolist() == []


def test_a_row_in_between_was_asked_for():
    pairing = pair(crystals(2, reference_index=[2, 4]), crystals(9))
    assert pairing.asked.tolist() == [2, 3, 4]
    assert pairing.missing.tolist() == [3]


def test_ranks_are_counted_if_there_are_none():
    assert pair(crystals(4, reference_index=[1, 0, 1, 1]), crystals(2)).rank.tolist() == [0, 0, 1, 2]


@pytest.mark.parametrize("column", [np.array([0.0, 1.0]), np.array(["0", "1"], dtype=object)])
def test_numbers_that_a_file_changed(column):
    assert pair(crystals(2, reference_index=column), crystals(2)).index.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("samples", "says"),
    [
        (crystals(0), "no samples"),
        (crystals(2), "2 samples for 3 reference crystals"),
        (crystals(2, reference_index=[0, 3]), "reference_index 3, but the reference has 3"),
        (crystals(2, reference_index=[-1, 0]), "reference_index -1"),
        (crystals(2, reference_index=[0, 0.5]), "0.5 in row 1"),
        (crystals(2, reference_index=["a", None]), "other than numbers"),
        (crystals(2, reference_index=[0, np.nan]), "not a whole number"),
        (crystals(2, reference_index=[0, 1], rank=[0, -1]), "ranks start at 0"),
        (crystals(3, reference_index=[0, 0, 1], rank=[1, 2, 1]), "smallest rank of the samples is 1; ranks start at 0"),
        (
            crystals(3, rank=[0, 1, 0]),
            "each sample is the first prediction of its reference crystal, of rank 0, but the column rank has 1",
        ),
        (crystals(2, reference_index=[1, 1], rank=[0, 0]), "2 samples have reference_index 1 and rank 0"),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(samples, says):
    with pytest.raises(UserError, match=says) as error:
        pair(samples, crystals(3))
    assert "\n" not in str(error.value)


# The order in which numbered files sort as text.
AS_TEXT = sorted(range(12), key=str)
DISTINCT = ["LiF", "NaF", "KF", "RbF", "CsF", "LiCl", "NaCl", "KCl", "RbCl", "CsCl", "LiBr", "NaBr"]


def test_another_order_is_refused_where_compositions_say_so():
    reference = of_formulas(DISTINCT)
    right = sum(place == row for place, row in enumerate(AS_TEXT))
    assert 0 < right < 12
    with pytest.raises(PairingError) as error:
        pair(reference[AS_TEXT], reference)
    assert str(error.value) == (
        f"row by row {right} of 12 reference crystals have a sample of their composition; paired by composition 12 of "
        '12 would: choose pair="composition" or pair="rows"'
    )
    assert error.value.choices == (Rule.COMPOSITION, Rule.ROWS)
    assert pair(reference, reference).index.tolist() == list(range(12))
    assert pair(reference[AS_TEXT], reference, "composition").index.tolist() == AS_TEXT
    insisted = pair(reference[AS_TEXT], reference, "rows")
    assert insisted.index.tolist() == list(range(12))
    assert (insisted.counts["same_composition"], insisted.counts["other_composition"]) == (right, 12 - right)
    assert insisted.counts["possible_by_composition"] == 12


def test_only_what_helps_is_proposed():
    reference = of_formulas(["NaCl", "KCl", "LiF"], material_id=["a", "b", "c"])
    for samples, choices in (
        (of_formulas(["TiO2"]), ()),
        (of_formulas(["KCl", "LiF"]), (Rule.COMPOSITION,)),
        (of_formulas(["TiO2"], name=["c"]), (Rule.NAME,)),
        (of_formulas(["NaCl"] * 4, id=["c", "a", "a", "b"]), (Rule.COMPOSITION, Rule.NAME)),
        (of_formulas(["NaCl", "KCl", "LiF"], rank=[0, 0, 2]), (Rule.COMPOSITION,)),
    ):
        for by in (None, "rows"):
            with pytest.raises(PairingError) as error:
                pair(samples, reference, by)
            assert error.value.choices == choices
            assert ("choose" in str(error.value)) == bool(choices)


def test_another_order_is_refused_where_names_say_so():
    """All of one composition, as in Carbon-24: only the names know."""
    reference = crystals(12, material_id=[f"c-{i}" for i in range(12)])
    samples = crystals(12, file=[f"c-{i}.cif" for i in AS_TEXT])
    with pytest.raises(PairingError, match="file as material_id") as error:
        pair(samples, reference)
    assert error.value.choices == (Rule.NAME, Rule.ROWS)
    assert "\n" not in str(error.value)
    found = pair(samples, reference, "name")
    assert found.index.tolist() == AS_TEXT
    assert found.definition == {"by": "name", "samples": "file", "reference": "material_id"}
    assert pair(samples, reference, "rows").definition == {"by": "rows"}


def test_wrong_compositions_that_no_other_pairing_mends_are_judged_and_counted():
    """Two wrong ones, one that could not be read, and a formula unit against two of them, which is the same."""
    found = pair(
        of_formulas(["NaCl", "KBr", "", "TiO2", "SiO2"]), of_formulas(["Na2Cl2", "KCl", "LiF", "SiO2", "TiN"]), "rows"
    )
    assert found.counts == {
        "same_composition": 1,
        "other_composition": 3,
        "without_composition": 1,
        "unpaired": 0,
        "crystals_of_same_composition": 1,
        "possible_by_composition": 2,
        "without_first": 0,
        "incomplete": 0,
        "ambiguous": 0,
    }
    always = of_formulas(["NaCl"] * 4)
    assert pair(always, of_formulas(["NaCl", "KCl", "LiF", "TiN"])).counts["other_composition"] == 3


def test_the_column_is_believed_and_its_wrong_compositions_are_counted():
    reference = of_formulas(DISTINCT)
    samples = reference[AS_TEXT].with_info(reference_index=list(range(12)))
    found = pair(samples, reference)
    assert found.definition == {"by": "reference_index"}
    assert found.index.tolist() == list(range(12))
    assert found.counts["other_composition"] == sum(place != row for place, row in enumerate(AS_TEXT))
    assert pair(samples, reference, "composition").index.tolist() == AS_TEXT


def test_by_composition_all_of_the_reference_was_asked_for():
    reference = of_formulas(["NaCl", "SiO2", "KCl", "SiO2"])
    samples = of_formulas(["SiO2", "", "SiO2", "TiO2", "SiO2", "NaCl"])
    found = pair(samples, reference, "composition")
    assert found.index.tolist() == [1, UNPAIRED, 3, UNPAIRED, 1, 0]
    assert found.rank.tolist() == [0, UNPAIRED, 0, UNPAIRED, 1, 0]
    assert found.asked.tolist() == [0, 1, 2, 3]
    assert found.missing.tolist() == [2]
    assert found.place.tolist() == found.index.tolist()
    assert found.per_reference == 2
    assert {name: found.counts[name] for name in ("same_composition", "unpaired", "ambiguous", "incomplete")} == {
        "same_composition": 4,
        "unpaired": 2,
        "ambiguous": 3,
        "incomplete": 2,
    }


def test_by_composition_a_column_of_ranks_is_the_order():
    samples = of_formulas(["NaCl", "SiO2", "NaCl", "SiO2"], rank=[1, 1, 0, 0])
    found = pair(samples, of_formulas(["SiO2", "NaCl"]), "composition")
    assert found.index.tolist() == [1, 0, 1, 0]
    assert found.rank.tolist() == [1, 1, 0, 0]


def test_lost_ranks_are_counted():
    found = pair(crystals(5, reference_index=[0, 0, 1, 2, 2], rank=[0, 1, 1, 0, 2]), crystals(3))
    assert found.without_first.tolist() == [1]
    assert (found.counts["without_first"], found.counts["incomplete"]) == (1, 3)
    assert found.per_reference == 3


@pytest.mark.parametrize(
    ("samples", "by", "says"),
    [
        (crystals(2), "size", "no way of pairing is called 'size'; there are reference_index, rows, composition, name"),
        (crystals(2), "reference_index", "no column reference_index"),
        (of_formulas(["NaCl", ""]), "composition", "no sample has the composition of a reference crystal"),
        (crystals(2, rank=[1, 2]), "composition", "smallest rank of the samples is 1"),
        (crystals(2), "name", "by name needs"),
    ],
)
def test_a_rule_that_does_not_fit_is_said_in_one_line(samples, by, says):
    with pytest.raises(UserError, match=says) as error:
        pair(samples, crystals(2), by)
    assert "\n" not in str(error.value)
