from __future__ import annotations

import numpy as np
import pytest

from nucleate.elements import parse_formula
from nucleate.evaluation.distributions import (
    by_size,
    element_shares,
    histograms,
    jensen_shannon,
    of_classes,
    of_numbers,
    shares,
    summary,
    symmetry,
)
from tests.evaluation.test_compositions import of


def test_jensen_shannon_distance():
    """By its definition: entropy of the mean less mean of the entropies, in bits, under the root."""
    first, second = {"a": 0.5, "b": 0.5}, {"b": 0.25, "c": 0.75}
    mean = np.array([0.25, 0.375, 0.375])
    entropies = 1.0, -(0.25 * np.log2(0.25) + 0.75 * np.log2(0.75))
    want = np.sqrt(-(mean * np.log2(mean)).sum() - np.mean(entropies))
    assert jensen_shannon(first, second) == pytest.approx(want)
    assert jensen_shannon(second, first) == pytest.approx(want)
    assert jensen_shannon(first, first) == 0
    assert jensen_shannon(first, {"c": 1.0}) == 1
    assert np.isnan(jensen_shannon(first, {}))


def test_classes():
    found = of_classes(np.array([225, 225, 1, 2]), np.array([225]))
    assert found["samples"] == {"1": 0.25, "2": 0.25, "225": 0.5}
    assert found["reference"] == {"225": 1.0}
    assert found["jensen_shannon"] == jensen_shannon(found["samples"], found["reference"])
    assert shares(np.zeros(0, dtype=int)) == {}


def test_numbers():
    found = of_numbers(np.array([1.0, 2, np.nan]), np.array([4.0, 5]))
    assert found["wasserstein"] == 3
    assert found["samples"] == pytest.approx({"mean": 1.5, "min": 1, "q05": 1.05, "median": 1.5, "q95": 1.95, "max": 2})
    assert of_numbers(np.zeros(0), np.ones(1))["samples"] == summary(np.array([np.inf])) == {}


def test_symmetry():
    found = symmetry(np.array([1, 1, 0, 167]), np.array([166, 230]))
    assert found["p1"] == {"samples": 0.5, "reference": 0}
    assert found["no_space_group"] == {"samples": 0.25, "reference": 0}
    assert found["crystal_system"]["samples"] == {"none": 0.25, "triclinic": 0.5, "trigonal": 0.25}
    assert found["crystal_system"]["reference"] == {"cubic": 0.5, "trigonal": 0.5}
    assert found["space_group"]["jensen_shannon"] == 1
    assert 0 < found["crystal_system"]["jensen_shannon"] < 1
    assert np.isnan(symmetry(np.zeros(0, dtype=int), np.array([1]))["p1"]["samples"])


def test_elements():
    crystals = of(parse_formula("SiO2"), parse_formula("O2"), [])
    assert element_shares(crystals) == {"O": 0.8, "Si": 0.2}
    assert element_shares(of([])) == {}


def test_histograms_have_the_same_bins_for_everyone():
    values = np.array([0.0, 0.49, 0.5, 24.9, 25.0, 1e9, np.nan, np.inf])
    found = histograms(values, np.array([3.0]), width=0.5, bins=50)
    assert found["width"] == 0.5
    want, _ = np.histogram(values, [*np.arange(51) * 0.5, 1e10])
    np.testing.assert_array_equal(found["samples"], want)
    assert found["samples"].sum() == 6
    assert np.flatnonzero(found["reference"]).tolist() == [6]
    assert len(found["reference"]) == 51


def test_sizes():
    found = by_size(np.array([4, 2, 4, 9]), valid=np.array([True, False, False, True]))
    assert {name: column.tolist() for name, column in found.items()} == {
        "num_atoms": [2, 4, 9],
        "crystals": [1, 2, 1],
        "valid": [0, 1, 1],
    }
    assert by_size(np.zeros(0, dtype=int), valid=np.zeros(0, dtype=bool))["crystals"].tolist() == []
