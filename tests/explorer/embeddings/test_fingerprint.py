from __future__ import annotations

import numpy as np

from nucleate.crystals import Crystals
from nucleate.evaluation.composition_fingerprint import composition_fingerprints, standardise
from nucleate.evaluation.structure_fingerprint import structure_fingerprints
from nucleate.explorer.embed import find


def test_distances_are_in_cutoffs_of_coverage(prototypes):
    few = prototypes[:6]
    vectors = find("fingerprint").embed(few).vectors
    structure, composition = structure_fingerprints(few).values, standardise(composition_fingerprints(few))
    for i, j in ((0, 1), (2, 5)):
        parts = np.linalg.norm(structure[i] - structure[j]) / 0.4, np.linalg.norm(composition[i] - composition[j]) / 10
        np.testing.assert_allclose(np.linalg.norm(vectors[i] - vectors[j]), np.hypot(*parts), rtol=1e-5)


def test_a_crystal_without_a_fingerprint_has_a_reason():
    berkelium = Crystals.build([[97]], [[[0.0, 0, 0]]], [3 * np.eye(3)])
    found = find("fingerprint").embed(berkelium)
    assert found.failures.tolist() == ["no_fingerprint"]
    assert np.isnan(found.vectors[0, 0])
