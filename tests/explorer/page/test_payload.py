from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nucleate.crystals import Crystals
from nucleate.elements import reduced_formula
from nucleate.explorer.atlas import Atlas, Property
from nucleate.explorer.page.formulas import formula_table
from nucleate.explorer.page.payload import GRID, MISSING_KIND, Payload, Structures


def atlas_of(crystals: Crystals, values: np.ndarray) -> Atlas:
    crystals = crystals[: len(values)]
    positions = np.random.default_rng(0).normal(size=(len(values), 2))
    return Atlas(crystals, ("a",), np.zeros(len(values), dtype=int), positions, (Property("p", "P", values),))


def test_structures_are_those_of_the_crystals_to_a_hundred_thousandth(atlas):
    structures = Structures.of(atlas.crystals)
    away = structures.frac / GRID - atlas.crystals.frac.numpy()
    assert np.abs(away - np.round(away)).max() < 1e-5
    assert np.array_equal(structures.numbers, atlas.crystals.numbers.numpy())
    assert structures.lattice.reshape(-1, 3, 3) == pytest.approx(atlas.crystals.lattice.numpy(), rel=1e-6)


@given(st.sampled_from([1, 2, 3, 4, 5, 6, 8, 9, 10, 12, 16, 18, 20, 24, 32, 48]), st.integers(0, 47))
def test_places_that_symmetry_fixes_stay_exact(parts, step):
    assert GRID * step % parts == 0


def test_some_rows_are_those_of_the_whole(atlas):
    rows = np.array([7, 0, 301, 7])
    some, expected = Structures.of(atlas.crystals).rows(rows), Structures.of(atlas.crystals[rows])
    for part, name in zip(some, ("counts", "lattice", "numbers", "frac"), strict=True):
        assert np.array_equal(part, getattr(expected, name))


def test_formulas_are_those_of_each_crystal_and_the_frequent_come_first(prototypes):
    crystals = prototypes
    doubled = Crystals.concat([crystals[:3], Crystals.build([[11, 17, 17, 11]], [np.zeros((4, 3))], [np.eye(3)])])
    formulas, (first, second) = formula_table([crystals, doubled])
    assert [formulas[i] for i in first] == [reduced_formula(z) for z in crystals.numbers_of_each()]
    assert [formulas[i] for i in second[:3]] == [formulas[i] for i in first[:3]]
    assert formulas[second[3]] == "NaCl"
    assert len(set(formulas)) == len(formulas)
    sizes = np.bincount(np.concatenate([first, second]))
    assert (np.diff(sizes) <= 0).all()


def test_only_references_that_are_nearest_to_something_are_kept(atlas):
    payload = Payload.of(atlas)
    assert payload.references is not None
    assert len(payload.references.counts) == len(set(atlas.nearest[atlas.nearest >= 0]))
    place = payload.columns["nearest"]
    assert np.array_equal(place < 0, atlas.nearest < 0)
    row = int(np.flatnonzero(place >= 0)[5])
    _, _, numbers, _ = payload.references.rows(place[[row]])
    assert np.array_equal(numbers, atlas.references[int(atlas.nearest[row])].numbers.numpy())


def test_a_map_without_references_says_nothing_of_them(prototypes):
    payload = Payload.of(atlas_of(prototypes, np.arange(4.0)))
    assert payload.references is None
    assert not {"nearest", "distance"} & payload.columns.keys()


@pytest.mark.parametrize(
    ("values", "about", "column"),
    [
        (
            np.array([1.5, np.nan, np.inf, 2]),
            {"type": "number", "whole": False, "unknown": 2},
            [1.5, np.nan, np.nan, 2],
        ),
        (np.array([1.0, np.nan, 3, 2]), {"type": "number", "whole": True, "unknown": 1}, [1, np.nan, 3, 2]),
        (np.array([3, 1, 2, 2]), {"type": "number", "whole": True, "unknown": 0}, [3, 1, 2, 2]),
        (np.array([True, False]), {"type": "kind", "flag": True, "kinds": ["no", "yes"], "unknown": 0}, [1, 0]),
        (
            np.array([True, None, False], dtype=object),
            {"type": "kind", "flag": True, "kinds": ["no", "yes"], "unknown": 1},
            [1, MISSING_KIND, 0],
        ),
        (
            np.array(["b", "a", "", "b"], dtype=object),
            {"type": "kind", "flag": False, "kinds": ["b", "a"], "unknown": 1},
            [0, 1, MISSING_KIND, 0],
        ),
    ],
)
def test_a_property_is_a_number_a_flag_or_a_kind(prototypes, values, about, column):
    payload = Payload.of(atlas_of(prototypes, values))
    assert payload.header["properties"] == [{"key": "p", "label": "P", "unit": "", "file": False, **about}]
    np.testing.assert_array_equal(payload.columns["property0"], np.array(column, dtype=float))


def test_the_header_is_json_and_positions_fill_a_square_of_side_2(atlas):
    payload = Payload.of(atlas)
    assert json.loads(json.dumps(payload.header, allow_nan=False))["rows"] == len(atlas.crystals)
    positions = payload.columns["positions"]
    assert np.abs(positions).max() == pytest.approx(1)
    assert positions.max(0) == pytest.approx(-positions.min(0))


def test_one_point_alone_is_in_the_middle(prototypes):
    crystals = prototypes[:1]
    payload = Payload.of(Atlas(crystals, ("a",), np.zeros(1, dtype=int), np.array([[3.0, 4.0]])))
    assert payload.columns["positions"] == pytest.approx(np.zeros((1, 2)))


@pytest.mark.parametrize(
    ("values", "stored"),
    [
        ([1.5, -3e30], "<f4"),
        ([1.5, 3e39], "<f8"),
        ([1e-39, 1.0], "<f8"),
        ([2.0**24, 0.0], "<f4"),
        ([2.0**24 + 1, 0.0], "<f8"),
        ([np.nan, np.nan], "<f4"),
    ],
)
def test_numbers_that_single_precision_does_not_hold_are_double(prototypes, values, stored):
    column = Payload.of(atlas_of(prototypes, np.array(values))).columns["property0"]
    assert column.dtype == stored
    assert column == pytest.approx(values, rel=1e-6, nan_ok=True)


def test_texts_that_repeat_are_kinds_and_the_others_are_lines(prototypes):
    for distinct, kind in ((50, "kind"), (51, "text"), (180, "text")):
        texts = np.array([f"text {i % distinct}\nwith a break" for i in range(90 if distinct == 51 else 180)], object)
        payload = Payload.of(atlas_of(prototypes, texts))
        assert payload.header["properties"][0]["type"] == kind
        if kind == "text":
            lines = payload.columns["property0"].tobytes().decode().split("\n")
            assert lines == [text.replace("\n", " ") for text in texts]
    repeated = np.array([f"text {i % 90}" for i in range(180)], dtype=object)
    assert Payload.of(atlas_of(prototypes, repeated)).header["properties"][0]["type"] == "kind"
    long = np.array([f"{i % 90:0700}" for i in range(180)], dtype=object)
    about = Payload.of(atlas_of(prototypes, long)).header["properties"][0]
    assert about["type"] == "text", "long names are not written into the header"
    assert about["kinds"] == 90
