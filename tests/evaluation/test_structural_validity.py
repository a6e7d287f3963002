from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nucleate.crystals import Crystals
from nucleate.evaluation.structural_validity import structural_validity
from tests.evaluation.conftest import random_cell, to_crystals, to_structure


def cubic(edge: float, *places: tuple[float, float, float]) -> Crystals:
    return Crystals.build([[14] * len(places)], [list(places)], np.eye(3)[None] * edge)


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.integers(1, 12), st.sampled_from([1.0, 0.4, 0.15]))
def test_it_says_what_the_published_program_says(seed, atoms, scale):
    cell = random_cell(np.random.default_rng(seed), [14] * atoms)
    cell = cell._replace(lattice=cell.lattice * scale)
    structure = to_structure(cell)
    distances = structure.distance_matrix + np.diag([10.5] * atoms)
    found = structural_validity(to_crystals([cell]))
    assert found.valid.item() == (distances.min() >= 0.5 and structure.volume >= 0.1)
    np.testing.assert_allclose(min(found.min_distance.item(), 10.5), distances.min())
    np.testing.assert_allclose(found.volume, structure.volume)


@pytest.mark.parametrize(("apart", "valid"), [(0.499, False), (0.5, True), (0.501, True)])
def test_the_limit_of_distances(apart, valid):
    # Through the face of the cell, and an edge of 8 Å so that the fractions are exact.
    close = cubic(8.0, (1 - apart / 16, 0.5, 0.5), (apart / 16, 0.5, 0.5))
    assert structural_validity(close).valid.tolist() == [valid]


@pytest.mark.parametrize(("volume", "valid"), [(0.0999, False), (0.1001, True)])
def test_the_limit_of_volumes(volume, valid):
    assert structural_validity(cubic(volume ** (1 / 3), (0, 0, 0))).valid.tolist() == [valid]


def test_own_images_do_not_count_but_are_told():
    found = structural_validity(cubic(0.48, (0, 0, 0)))
    assert found.valid.tolist() == [True]
    assert found.self_image_distance.tolist() == pytest.approx([0.48])
    assert found.min_distance.tolist() == [np.inf]


def test_failures_are_not_valid():
    flat = Crystals.build([[14]], [[[0, 0, 0]]], np.zeros((1, 3, 3)))
    lost = Crystals.build([[14, 14]], [[[0, 0, 0], [np.nan, 0, 0]]], np.eye(3)[None] * 5)
    together = Crystals.concat([cubic(5, (0, 0, 0), (0.5, 0.5, 0.5)), Crystals.failed(["unparseable"]), flat, lost])
    found = structural_validity(together)
    assert found.valid.tolist() == [True, False, False, False]
    assert np.isnan(found.min_distance).tolist() == [False, True, True, True]


def test_single_precision_is_enough():
    crystals = cubic(5.0, (0, 0, 0), (0.5, 0.5, 0.5))
    found = structural_validity(crystals.to(dtype=torch.float32))
    assert found.min_distance.dtype == np.float64
    np.testing.assert_allclose(found.min_distance, 2.5 * 3**0.5)
