"""Composition fingerprints: statistics of elemental properties (Magpie; Ward et al. 2016, npj Comput. Mater. 2, 16028).

The numbers are those of the preset `magpie` of matminer's `ElementProperty`, without imputation of missing values: the
published coverage was measured with these, standardised with fixed means and deviations (Xie et al. 2022).
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from nucleate.crystals import Crystals
from nucleate.elements import NUMBERS, SYMBOLS
from nucleate.evaluation.compositions import distinct_rows, element_counts, reduced_counts

PROPERTIES = (
    *("Number", "MendeleevNumber", "AtomicWeight", "MeltingT", "Column", "Row", "CovalentRadius", "Electronegativity"),
    *("NsValence", "NpValence", "NdValence", "NfValence", "NValence"),
    *("NsUnfilled", "NpUnfilled", "NdUnfilled", "NfUnfilled", "NUnfilled"),
    *("GSvolume_pa", "GSbandgap", "GSmagmom", "SpaceGroupNumber"),
)
"""Properties of an element; the last four are of its ground state: volume per atom in Å³, band gap in eV, magnetic
moment in μB. Melting points are in K, radii in pm, weights in u."""

STATISTICS = ("minimum", "maximum", "range", "mean", "avg_dev", "mode")
"""Over the elements of a composition. Mean and mean absolute deviation are weighted by the amounts; the mode is the
value of the most frequent element, the smallest of several."""

LABELS = tuple(f"{statistic} {name}" for name in PROPERTIES for statistic in STATISTICS)
"""What each of the 132 features is."""

BLOCK = 1 << 12
"""Compositions that are worked on together, which keeps the working memory near 20 MB."""


def composition_fingerprints(crystals: Crystals) -> Float[np.ndarray, "c 132"]:
    """Magpie features of all crystals, in the order of `LABELS`.

    A feature of an element without the property (such as the electronegativity of a noble gas) is NaN, and so are all
    features of a crystal without atoms.
    """
    compositions, which = distinct_rows(reduced_counts(element_counts(crystals)))
    parts = [_features(compositions[start : start + BLOCK]) for start in range(0, len(compositions), BLOCK)]
    return np.concatenate([np.zeros((0, len(LABELS))), *parts])[which]


def standardise(fingerprints: Float[np.ndarray, "c 132"]) -> Float[np.ndarray, "c 132"]:
    """Subtracts the published means and divides by the published deviations.

    As published, a feature that is NaN becomes 0, the mean; but a row of nothing but NaN, which is no composition,
    stays as it is.
    """
    mean, deviation = _scale()
    scaled = (fingerprints - mean) / deviation
    missing = np.isnan(fingerprints)
    return np.where(missing & ~missing.all(1, keepdims=True), 0.0, scaled)


def _features(counts: Int[np.ndarray, "k z"]) -> Float[np.ndarray, "k 132"]:
    """Features of compositions."""
    width = max(1, int((counts > 0).sum(1).max()))
    elements = np.argsort(counts == 0, axis=1, kind="stable")[:, :width]
    amounts = np.take_along_axis(counts, elements, axis=1)[:, :, None]
    there = amounts > 0
    values = _table()[elements]
    weights = amounts / amounts.sum(1, keepdims=True).clip(min=1)

    def mean(of: np.ndarray) -> np.ndarray:
        return (weights * np.where(there, of, 0)).sum(1)

    least = np.where(there, values, np.inf).min(1)
    most = np.where(there, values, -np.inf).max(1)
    average = mean(values)
    spread = mean(np.abs(values - average[:, None]))
    frequent = np.where(there & (amounts == amounts.max(1, keepdims=True)), values, np.inf).min(1)
    features = np.stack([least, most, most - least, average, spread, frequent], axis=2)
    features[counts.sum(1) == 0] = np.nan
    return features.reshape(len(counts), len(LABELS))


@cache
def _table() -> Float[np.ndarray, "z 22"]:
    """Properties by atomic number; NaN where there is none."""
    frozen = _frozen("magpie.json")
    table = np.full((len(SYMBOLS), len(PROPERTIES)), np.nan)
    for symbol, values in frozen["elements"].items():
        table[NUMBERS[symbol]] = np.array(values, dtype=np.float64)  # null becomes NaN
    return table


@cache
def _scale() -> Float[np.ndarray, "2 132"]:
    """Published means and deviations."""
    features = _frozen("magpie_scale.json")["features"]
    return np.array([[features[label][which] for label in LABELS] for which in ("mean", "deviation")])


def _frozen(name: str) -> dict[str, Any]:
    return json.loads(files("nucleate.evaluation").joinpath("data", name).read_text(encoding="utf-8"))
