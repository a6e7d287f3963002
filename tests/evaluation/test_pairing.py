from __future__ import annotations

import numpy as np
import pytest

from nucleate.crystals import Crystals
from nucleate.errors import UserError
from nucleate.evaluation.pairing import pair


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
        (crystals(2, reference_index=[1, 1], rank=[0, 0]), "2 samples have reference_index 1 and rank 0"),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(samples, says):
    with pytest.raises(UserError, match=says) as error:
        pair(samples, crystals(3))
    assert "\n" not in str(error.value)
