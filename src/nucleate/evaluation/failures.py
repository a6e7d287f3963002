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

NO_FINGERPRINT = "no_fingerprint"
"""Failure of a crystal that was built, but one of whose sites has no fingerprint: an element has no covalent radius (Bk
and beyond), or the Voronoi cell of a site can't be closed. It is not valid."""

SAME_PLACE = 5e-4
"""Atoms nearer than this, in Å, are at one place: nearly what readers refuse in a CIF (sites within 1e-4 of the edges
of the cell), so that what holds in one format holds in all."""

MAX_ATOMS = 256
"""Atoms in a cell that a sample may have, unless the reference has larger ones."""


def failure_reasons(crystals: Crystals, *, max_atoms: int | None = None) -> np.ndarray:
    """Returns why each crystal can't be judged, the empty string if it can, shape (C,), dtype object.

    A reason that a reader or a generator gave stays. Others are `no_atoms`, `not_finite` (a coordinate or the cell is
    NaN or infinite), `zero_volume`, `overlapping_atoms` (one is where another is) and, if there is a limit,
    `too_many_atoms`.
    """
    from nucleate.evaluation.closest import closest

    volumes = volume(crystals.lattice.to(torch.float64))
    lost = torch.zeros_like(crystals.counts)
    lost.index_add_(0, crystals.owner, (~crystals.frac.isfinite()).any(1).to(torch.int64))
    frac, lattice = (values.cpu().to(torch.float64).numpy() for values in (crystals.frac, crystals.lattice))
    distances = torch.from_numpy(closest(frac, lattice, crystals.offsets.cpu().numpy())[0]).to(volumes.device)
    reasons = np.full(len(crystals), "", dtype=object)
    for reason, bad in {
        "overlapping_atoms": distances < SAME_PLACE,
        "zero_volume": volumes == 0,
        "not_finite": ~volumes.isfinite() | (lost > 0),
        "too_many_atoms": crystals.counts > (torch.inf if max_atoms is None else max_atoms),
        "no_atoms": crystals.counts == 0,
    }.items():
        reasons[bad.cpu().numpy()] = reason
    given = crystals.failures
    return np.where(given != "", given, reasons)


def sample_limit(reference: Crystals) -> int:
    """Atoms in a cell that a sample may have: 256, or as many as the largest crystal of the reference."""
    return max(MAX_ATOMS, int(reference.counts.max())) if len(reference) else MAX_ATOMS


def counted(reasons: Iterable[str]) -> dict[str, int]:
    """Counts the reasons, the most frequent first; the empty string is none."""
    return dict(Counter(str(reason) for reason in reasons if reason).most_common())


def tally(reasons: Iterable[str]) -> str:
    """Counts reasons as in a sentence, such as `3 not_finite, 1 zero_volume`; empty if there are none."""
    return ", ".join(f"{count:,} {reason}" for reason, count in counted(reasons).items())


def outcome_counts(reasons: np.ndarray) -> dict[str, object]:
    """The head of `counts` in a result: how many samples were requested, parsed and built, and what went wrong."""
    failures = counted(reasons)
    requested = len(reasons)
    return {
        "requested": requested,
        "parsed": requested - failures.get(UNPARSEABLE, 0),
        "built": requested - sum(failures.values()) + failures.get(NO_FINGERPRINT, 0),
        "failures": failures,
    }
