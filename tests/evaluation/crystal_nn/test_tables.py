"""The frozen tables are those of the installed pymatgen and matminer."""

from __future__ import annotations

import numpy as np
from matminer.featurizers.site.fingerprint import CrystalNNFingerprint
from pymatgen.analysis.molecule_structure_comparator import CovalentRadius

from nucleate.elements import SYMBOLS
from nucleate.evaluation.crystal_nn.environments import LARGEST
from nucleate.evaluation.crystal_nn.motifs import KINDS, LABELS, NUMBERS, PARAMETERS, Kind
from nucleate.evaluation.crystal_nn.radii import COVALENT_RADII


def test_covalent_radii():
    want = {symbol: CovalentRadius.radius[symbol] for symbol in SYMBOLS[1:] if symbol in CovalentRadius.radius}
    assert dict(zip(SYMBOLS[1:], COVALENT_RADII[1:], strict=False)) == want


def test_columns():
    assert list(LABELS) == CrystalNNFingerprint.from_preset("ops").feature_labels()
    assert (np.diff(NUMBERS) >= 0).all()
    assert NUMBERS.max() == LARGEST
    assert PARAMETERS.shape == (len(LABELS), 7)


def test_every_coordination_number_has_its_own_column():
    weights = [label.startswith("wt") for label in LABELS]
    np.testing.assert_array_equal(NUMBERS[weights], np.arange(1, LARGEST + 1))
    assert (KINDS[weights] == Kind.CERTAIN).all()
