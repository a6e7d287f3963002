from __future__ import annotations

import numpy as np

from nucleate.crystals import Crystals
from nucleate.evaluation.failures import counted, failure_reasons, outcome_counts


def crystals() -> Crystals:
    place = [[0.0, 0.0, 0.0]]
    lattice = np.stack([np.eye(3)] * 5)
    lattice[2] = np.nan
    lattice[3] = 0
    return Crystals.concat(
        [
            Crystals.build([[6], [6], [6], [6], []], [place, [[np.inf, 0, 0]], place, place, []], lattice),
            Crystals.failed(["unparseable", "zero_volume"]),
        ]
    )


def test_reasons():
    want = ["", "not_finite", "not_finite", "zero_volume", "no_atoms", "unparseable", "zero_volume"]
    assert failure_reasons(crystals()).tolist() == want


def test_counts_add_up():
    reasons = failure_reasons(crystals())
    counts = outcome_counts(reasons)
    assert counts == {
        "requested": 7,
        "parsed": 6,
        "built": 1,
        "failures": {"not_finite": 2, "zero_volume": 2, "no_atoms": 1, "unparseable": 1},
    }
    assert list(counted(["a", "", "b", "b"])) == ["b", "a"]
