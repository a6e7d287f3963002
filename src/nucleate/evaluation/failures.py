"""Which samples can be judged. One that can't be is a failure with a reason, and stays in every denominator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np
import torch

from nucleate.crystals import Crystals
from nucleate.geometry.lattice import volume

UNPARSEABLE = "unparseable"
"""The reason that readers and generators give where there was no crystal in the text at all."""


def failure_reasons(crystals: Crystals) -> np.ndarray:
    """Returns why each crystal can't be judged, the empty string if it can, shape (C,), dtype object.

    A reason that a reader or a generator gave stays. Others are `no_atoms`, `not_finite` (a coordinate or the cell is
    NaN or infinite) and `zero_volume`.
    """
    volumes = volume(crystals.lattice.to(torch.float64))
    lost = torch.zeros_like(crystals.counts)
    lost.index_add_(0, crystals.owner, (~crystals.frac.isfinite()).any(1).to(torch.int64))
    reasons = np.full(len(crystals), "", dtype=object)
    for reason, bad in {
        "zero_volume": volumes == 0,
        "not_finite": ~volumes.isfinite() | (lost > 0),
        "no_atoms": crystals.counts == 0,
    }.items():
        reasons[bad.cpu().numpy()] = reason
    given = crystals.failures
    return np.where(given != "", given, reasons)


def counted(reasons: Iterable[str]) -> dict[str, int]:
    """Counts the reasons, the most frequent first; the empty string is none."""
    return dict(Counter(str(reason) for reason in reasons if reason).most_common())


def outcome_counts(reasons: np.ndarray) -> dict[str, object]:
    """The head of `counts` in a result: how many samples were requested, parsed and built, and what went wrong."""
    failures = counted(reasons)
    requested = len(reasons)
    return {
        "requested": requested,
        "parsed": requested - failures.get(UNPARSEABLE, 0),
        "built": requested - sum(failures.values()),
        "failures": failures,
    }
