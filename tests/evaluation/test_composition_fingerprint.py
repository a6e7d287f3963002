from __future__ import annotations

import warnings

import numpy as np
import pytest

from nucleate.elements import SYMBOLS, parse_formula
from nucleate.evaluation.composition_fingerprint import LABELS, composition_fingerprints, standardise
from tests.evaluation.test_compositions import of


@pytest.fixture(scope="module")
def matminer():
    pytest.importorskip("matminer")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from matminer.featurizers.composition.composite import ElementProperty

        try:
            return ElementProperty.from_preset("magpie", impute_nan=False)
        except TypeError:  # releases before 0.9.3 never impute
            return ElementProperty.from_preset("magpie")


def theirs(matminer, crystals) -> np.ndarray:
    from pymatgen.core import Composition

    rows = []
    for numbers in crystals.numbers_of_each():
        symbols, counts = np.unique([SYMBOLS[z] for z in numbers], return_counts=True)
        rows.append(matminer.featurize(Composition(dict(zip(symbols.tolist(), counts.tolist(), strict=True)))))
    return np.array(rows)


def test_labels_are_those_of_matminer(matminer):
    assert list(LABELS) == [label.removeprefix("MagpieData ") for label in matminer.feature_labels()]


def test_every_element(matminer):
    """NaN where matminer has NaN; elements after copernicium have no properties at all."""
    elements = of(*([z] for z in range(1, 119)))
    found = composition_fingerprints(elements)
    np.testing.assert_allclose(found, theirs(matminer, elements), rtol=1e-12)
    assert np.flatnonzero(np.isnan(found).all(axis=1)).tolist() == list(range(112, 118))


def test_random_compositions(matminer):
    """From one to nine elements, and amounts that are often equal, for the mode."""
    rng = np.random.default_rng(0)
    crystals = of(*((1 + rng.choice(103, rng.integers(1, 10))).repeat(rng.integers(1, 4)).tolist() for _ in range(60)))
    found = composition_fingerprints(crystals)
    np.testing.assert_allclose(found, theirs(matminer, crystals), rtol=1e-10, atol=1e-10)
    assert np.isnan(found).any()


def test_by_hand():
    """Water: two of Z = 1 and one of Z = 8."""
    numbers = dict(zip(LABELS, composition_fingerprints(of(parse_formula("H2O")))[0], strict=True))
    found = [numbers[f"{statistic} Number"] for statistic in ("minimum", "maximum", "range", "mean", "avg_dev", "mode")]
    assert found == pytest.approx([1, 8, 7, 10 / 3, 28 / 9, 1])


def test_only_ratios_matter_and_no_atoms_have_no_features():
    found = composition_fingerprints(of(parse_formula("NaCl"), [], parse_formula("Cl4Na4")))
    np.testing.assert_array_equal(found[0], found[2])
    assert np.isnan(found[1]).all()
    assert composition_fingerprints(of()).shape == (0, 132)


def test_standardised():
    """The published scale; what is missing counts as the mean, unless everything is."""
    raw = composition_fingerprints(of(parse_formula("SiO2"), parse_formula("NeO"), []))
    scaled = standardise(raw)
    place = LABELS.index("mean MeltingT")
    assert scaled[0, place] == pytest.approx((raw[0, place] - 1127.2743149568837) / 606.351603075103)
    missing = np.isnan(raw[1])
    assert missing.any()
    assert (scaled[1, missing] == 0).all()
    np.testing.assert_array_equal(np.isnan(scaled).sum(1), [0, 0, 132])
