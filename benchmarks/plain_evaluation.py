"""The published evaluation, crystal by crystal, as its papers and libraries state it: the other side of the benchmark.

Written from the definitions in Xie et al. (2022) with pymatgen, matminer and smact as they are installed. It is no
straw man: the search for neutral charges ends at the first that it finds, where the published one goes on to the last.
"""

from __future__ import annotations

import warnings
from functools import cache
from itertools import product
from typing import Any

import numpy as np
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Structure

from nucleate.elements import SYMBOLS
from nucleate.evaluation.oxidation_states import OxidationStates


@cache
def _featurizer() -> Any:
    from matminer.featurizers.site import CrystalNNFingerprint

    return CrystalNNFingerprint.from_preset("ops")


@cache
def _magpie() -> Any:
    from matminer.featurizers.composition import ElementProperty

    return ElementProperty.from_preset("magpie", impute_nan=False)


def structure_fingerprint(structure: Structure) -> np.ndarray:
    """CrystalNN order parameters of each site, averaged."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.mean([_featurizer().featurize(structure, site) for site in range(len(structure))], axis=0)


def composition_fingerprint(structure: Structure) -> np.ndarray:
    """Magpie features."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.array(_magpie().featurize(structure.composition))


def structural_validity(structure: Structure) -> bool:
    """No two atoms nearer than 0.5 Å, and a cell of at least 0.1 Å³."""
    apart = structure.distance_matrix + np.diag(np.full(len(structure), 10.5))
    return not (apart.min() < 0.5 or structure.volume < 0.1)


def composition_validity(structure: Structure, table: OxidationStates) -> bool:
    """One element, only metals, or charges that add up to 0 and suit the electronegativities."""
    import smact
    from smact.screening import pauling_test

    numbers, counts = np.unique(structure.atomic_numbers, return_counts=True)
    counts = counts // np.gcd.reduce(counts)
    elements = smact.element_dictionary([SYMBOLS[z] for z in numbers])
    if len(elements) == 1 or all(symbol in smact.metals for symbol in elements):
        return True
    electronegativities = [table.electronegativity[z] for z in numbers]
    ratios = [(int(count),) for count in counts]
    for charges in product(*(table.states[z] for z in numbers)):
        neutral = smact.neutral_ratios(charges, stoichs=ratios, threshold=int(counts.max()))
        if neutral and (None in electronegativities or pauling_test(charges, electronegativities)):
            return True
    return False


def rms_distance(matcher: StructureMatcher, prediction: Structure, reference: Structure) -> float:
    """Distance of two crystals; NaN if they do not match."""
    found = matcher.get_rms_dist(prediction, reference)
    return np.nan if found is None else found[0]
