from __future__ import annotations

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import config

from nucleate.crystals import FAILURE, Crystals, Padded, as_column

counts_lists = st.lists(st.integers(0, 5), min_size=1, max_size=6)


def make(counts, seed: int = 0, **info) -> Crystals:
    """Random crystals with these numbers of atoms; `info["id"]` counts them."""
    random = np.random.default_rng(seed)
    return Crystals.build(
        [random.integers(1, 100, n) for n in counts],
        [random.random((n, 3)) for n in counts],
        np.eye(3) * 4 + random.random((len(counts), 3, 3)),
        {"id": list(range(len(counts))), **info},
    )


def assert_same(one: Crystals, other: Crystals):
    for name in ("numbers", "frac", "lattice", "counts"):
        torch.testing.assert_close(getattr(one, name), getattr(other, name), rtol=0, atol=0, equal_nan=True)
    assert list(one.info) == list(other.info)
    for name in one.info:
        assert one.info[name].tolist() == other.info[name].tolist()


def rows(crystals: Crystals) -> list[tuple]:
    """Everything about each crystal, in plain lists."""
    return [
        (z.tolist(), x.tolist(), cell.tolist(), number)
        for z, x, cell, number in zip(
            crystals.numbers_of_each(), crystals.frac_of_each(), crystals.lattice, crystals.info["id"], strict=True
        )
    ]


@pytest.fixture
def crystals() -> Crystals:
    return make([2, 0, 3, 1, 4], name=["a", "b", "c", "d", "e"], energy=[0.1, 0.2, 0.3, 0.4, 0.5])


# --- building ---------------------------------------------------------------------------------------------------------


def test_build_wraps_and_types():
    built = Crystals.build([[11, 17]], [[[0, 0, 1.0], [-0.25, 1.5, 0.5]]], [np.eye(3)], {"id": ["a"], "n": [1]})
    assert built.numbers.dtype == torch.uint8
    assert built.frac.dtype == built.lattice.dtype == torch.float64
    assert built.counts.dtype == torch.int64
    assert built.frac.tolist() == [[0, 0, 0], [0.75, 0.5, 0.5]]
    assert built.info["id"].dtype == object
    assert built.info["n"].dtype.kind == "i"
    assert built.formulas == ["NaCl"]
    assert built.symbols == ["Na", "Cl"]
    assert Crystals.build([[1]], [[0, 0, 0]], np.eye(3), dtype=torch.float32).lattice.dtype == torch.float32


def test_empty():
    empty = Crystals.empty()
    assert len(empty) == 0
    assert list(empty) == empty.formulas == empty.numbers_of_each() == empty.frac_of_each() == []
    assert empty.padded().mask.shape == (0, 0)
    assert len(empty[[]]) == len(empty[:]) == 0


@pytest.fixture
def unchecked():
    """Switches off the checks that run in tests only, so that the checks that users get are seen."""
    config.update("jaxtyping_disable", True)
    yield
    config.update("jaxtyping_disable", False)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("numbers", "frac", "cells", "info"),
    [
        ([[1, 2]], [[[0, 0, 0]]], 1, {}),  # fewer coordinates than atoms
        ([[1], [2, 3]], [np.zeros((2, 3)), np.zeros((1, 3))], 2, {}),  # the right sum, but not crystal by crystal
        ([[1]], [[[0, 0, 0]]], 2, {}),  # more lattices than crystals
        ([[1], [2]], [[[0, 0, 0]]], 2, {}),  # a crystal without coordinates
        ([[1]], [[[0, 0, 0]]], 1, {"energy": [1.0, 2.0]}),  # a long column
        ([[1]], [[0, 0]], 1, {}),  # coordinates in the plane
    ],
)
def test_what_does_not_fit_together_is_refused(numbers, frac, cells, info):
    with pytest.raises(ValueError):
        Crystals.build(numbers, frac, np.stack([np.eye(3)] * cells), info)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("frac", "lattice", "counts"),
    [((3, 3), (1, 3, 3), [2]), ((2, 2), (1, 3, 3), [2]), ((2, 3), (1, 3, 2), [2]), ((2, 3), (1, 3, 3), [3])],
)
def test_wrong_shapes_are_refused(frac, lattice, counts):
    with pytest.raises(ValueError):
        Crystals(torch.zeros(2, dtype=torch.uint8), torch.zeros(frac), torch.zeros(lattice), torch.tensor(counts))


def test_crystals_are_frozen(crystals):
    with pytest.raises(FrozenInstanceError):
        crystals.frac = torch.zeros(0, 3)


def test_failed_rows_have_a_reason_and_nothing_else():
    failed = Crystals.failed(["no text", "nan"], {"id": [7, 8]})
    assert len(failed) == 2
    assert failed.counts.tolist() == [0, 0]
    assert failed.lattice.isnan().all()
    assert failed.formulas == ["", ""]
    assert failed.failures.tolist() == ["no text", "nan"]
    assert not failed.built.any()


# --- choosing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "index",
    [
        slice(None),
        slice(1, 4),
        slice(4, 1),
        slice(None, None, 2),
        slice(None, None, -1),
        slice(-2, None),
        [3, 0, 3],
        [-1, -5],
        [],
        [True, False, False, True, True],
        [False] * 5,
    ],
)
def test_selection_is_that_of_numpy(crystals, index):
    expected = np.arange(5)[np.array(index, dtype=int) if index == [] else index]
    chosen = crystals[index]
    assert rows(chosen) == [rows(crystals)[i] for i in expected]
    assert chosen.info["name"].tolist() == crystals.info["name"][expected].tolist()
    if not isinstance(index, slice) and index:
        assert_same(crystals[np.array(index)], chosen)
        assert_same(crystals[torch.tensor(index)], chosen)


@pytest.mark.parametrize("index", [0, 4, -1, -5, np.int64(2)])
def test_one_crystal_is_a_batch_of_one(crystals, index):
    assert rows(crystals[index]) == [rows(crystals)[index]]


@pytest.mark.parametrize("index", [5, -6, [5], [True, False]])
def test_what_is_not_there_cannot_be_selected(crystals, index):
    with pytest.raises(IndexError):
        crystals[index]


def test_owner_and_offsets(crystals):
    assert crystals.owner.tolist() == [0, 0, 2, 2, 2, 3, 4, 4, 4, 4]
    assert crystals.offsets.tolist() == [0, 2, 2, 5, 6, 10]


# --- joining ----------------------------------------------------------------------------------------------------------


@given(counts_lists, st.data())
@settings(max_examples=30)
def test_pieces_join_to_the_whole(counts, data):
    whole = make(counts)
    cut = data.draw(st.integers(0, len(counts)))
    assert_same(Crystals.concat([whole[:cut], whole[cut:]]), whole)
    assert_same(Crystals.concat(whole), whole)


def test_missing_columns_are_filled_by_kind():
    one = make([1, 2], energy=[0.5, 0.25], name=["a", "b"], good=[True, False], **{FAILURE: ["", "bad"]})
    joined = Crystals.concat([one, make([3])])
    assert joined.info["id"].dtype.kind == "i"
    assert joined.info["energy"][:2].tolist() == [0.5, 0.25]
    assert np.isnan(joined.info["energy"][2])
    assert joined.info["name"].tolist() == ["a", "b", None]
    assert joined.info["good"].tolist() == [True, False, None]
    assert joined.failures.tolist() == ["", "bad", ""]
    assert joined.built.tolist() == [True, False, True]


def test_good_and_failed_rows_join():
    joined = Crystals.concat([make([2]), Crystals.failed(["no text"]), make([1])])
    assert joined.counts.tolist() == [2, 0, 1]
    assert joined.failures.tolist() == ["", "no text", ""]
    assert joined.info["id"].tolist() == [0, None, 0]
    assert joined[joined.built].counts.tolist() == [2, 1]


def test_joining_nothing_or_empty_parts_changes_nothing():
    assert len(Crystals.concat([])) == 0
    whole = make([1, 2], name=["a", "b"], energy=[1.0, 2.0])
    joined = Crystals.concat([Crystals.empty(), whole, whole[[]]])
    assert_same(joined, whole)
    assert joined.info["id"].dtype == whole.info["id"].dtype


def test_joining_takes_the_widest_dtype():
    single = make([1]).to(dtype=torch.float32)
    joined = Crystals.concat([single, make([1]), single])
    assert joined.frac.dtype == joined.lattice.dtype == torch.float64


# --- padding, columns -------------------------------------------------------------------------------------------------


@given(counts_lists, st.integers(0, 3))
@settings(max_examples=30)
def test_padding_and_packing_are_inverse(counts, extra):
    crystals = make(counts)
    padded = crystals.padded(max(counts) + extra)
    assert padded.mask.shape == (len(counts), max(counts) + extra)
    assert padded.counts.tolist() == counts
    assert (padded.numbers[~padded.mask] == 0).all()
    assert (padded.frac[~padded.mask] == 0).all()
    assert_same(Crystals.from_padded(padded, crystals.info), crystals)


def test_too_narrow_a_block_is_refused(crystals):
    with pytest.raises(ValueError, match="4 atoms"):
        crystals.padded(3)


def test_take_cuts_the_padding(crystals):
    taken = crystals.padded().take(torch.tensor([3, 0]))
    assert isinstance(taken, Padded)
    assert taken.mask.shape == (2, 2)
    assert_same(Crystals.from_padded(taken), Crystals.from_padded(crystals[[3, 0]].padded()))


def test_to_casts_coordinates_and_lattices_only(crystals):
    single = crystals.to("cpu", torch.float32)
    assert single.frac.dtype == single.lattice.dtype == torch.float32
    assert single.numbers.dtype == torch.uint8
    assert single.counts.dtype == torch.int64
    assert single.padded().to("cpu").frac.dtype == torch.float32


def test_columns_are_added_to_a_copy(crystals):
    more = crystals.with_info(gap=[1.0, 2.0, 3.0, 4.0, 5.0], name=list("vwxyz"))
    assert more.info["gap"].tolist() == [1, 2, 3, 4, 5]
    assert more.info["name"].tolist() == list("vwxyz")
    assert "gap" not in crystals.info
    assert crystals.info["name"].tolist() == list("abcde")
    with pytest.raises(ValueError, match="gap"):
        crystals.with_info(gap=[1.0])


@pytest.mark.parametrize(
    ("values", "kind"),
    [([1, 2], "i"), ([1.5, 2], "f"), ([True, False], "b"), (["a", "b"], "O"), ([None, 1], "O"), ([[1], [2, 3]], "O")],
)
def test_columns_keep_numbers_as_numbers(values, kind):
    column = as_column(values)
    assert column.dtype.kind == kind
    assert column.tolist() == values


def test_a_text_array_becomes_objects():
    assert as_column(np.array(["a", "bc"])).dtype == object


def test_repr_is_short(crystals):
    assert repr(crystals) == "Crystals(5 crystals, 10 atoms, info: id, name, energy)"
    assert repr(Crystals.empty()).endswith("info: none)")
