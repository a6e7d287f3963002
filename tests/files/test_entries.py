from __future__ import annotations

import numpy as np
import pytest

from nucleate.crystals import Crystals
from nucleate.files.entries import Entry, collect, column, each, scalar, shield, unshield
from nucleate.files.failures import BadEntryError, Failure
from tests.files.samples import MIXED, assert_same_info

CUBE = np.eye(3)


@pytest.mark.parametrize(
    ("symbols", "frac", "cell", "reason"),
    [
        ([], [], CUBE, Failure.NO_ATOMS),
        (["Na"], [[0, 0, 0]], np.diag([1, 1, np.nan]), Failure.NOT_FINITE),
        (["Na"], [[0, 0, 0]], np.diag([1, 1, np.inf]), Failure.NOT_FINITE),
        (["Na"], [[0, 0, 0]], np.diag([1, 1, 0]), Failure.ZERO_VOLUME),
        (["Na"], [[0, 0, 0]], [[1, 0, 0], [1, 0, 0], [0, 0, 1]], Failure.ZERO_VOLUME),
        (["Na"], [[0, 0, 0]], np.diag([100, 100, 0.009]), Failure.ZERO_VOLUME),
        (["Na", "Zz"], [[0, 0, 0]] * 2, CUBE, Failure.UNKNOWN_ELEMENT),
        (["Na", "Cl"], [[0, 0, 0], [0, np.nan, 0]], CUBE, Failure.NOT_FINITE),
    ],
)
def test_what_is_no_crystal_has_its_reason(symbols, frac, cell, reason):
    with pytest.raises(BadEntryError) as caught:
        Entry.checked(symbols, frac, cell)
    assert caught.value.reason is reason


def test_hydrogen_has_isotopes_and_elements_go_to_118():
    entry = Entry.checked(["H", "D", "T", "Og"], np.zeros((4, 3)), CUBE)
    assert entry.numbers.tolist() == [1, 1, 1, 118]


def test_each_and_collect_are_inverse():
    again = collect(list(each(MIXED)))
    for name in ("numbers", "frac", "lattice", "counts"):
        np.testing.assert_array_equal(getattr(again, name), getattr(MIXED, name))
    assert_same_info(again, MIXED)
    assert len(collect([])) == 0
    assert list(each(Crystals.empty())) == []


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (np.float32(0.5), 0.5),
        (np.array(3), 3),
        (np.bool_(True), True),
        (Failure.NO_ATOMS, "no_atoms"),
        (np.arange(2), "[0, 1]"),
        ([1, {"a": None}], '[1, {"a": null}]'),
        ({1}, '"{1}"'),
        (None, None),
    ],
)
def test_cells_are_numbers_truth_values_and_text(value, cell):
    assert scalar(value) == cell
    assert type(scalar(value)) is type(cell)


def test_columns_have_one_kind():
    assert column([1, 2]).dtype == np.int64
    assert column([1, 2.5]).tolist() == [1.0, 2.5]
    np.testing.assert_array_equal(column([1, None]), [1.0, np.nan])
    assert column([True, False]).dtype == bool
    assert column([True, None]).tolist() == [True, None]
    assert column([1, "a", None]).tolist() == ["1", "a", None]
    assert column([None, "x"], blank="").tolist() == ["", "x"]
    assert column([None, None]).tolist() == [None, None]


@pytest.mark.parametrize("name", ["frac", "_frac", "__Frac", "other", "_other", "", "_"])
def test_shielding_can_be_undone(name):
    assert unshield(shield(name, ("frac",)), ("frac",)) == name
    assert shield(name, ("frac",)).lower() != "frac"
