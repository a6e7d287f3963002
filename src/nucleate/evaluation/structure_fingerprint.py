"""Structure fingerprints: how the sites of a crystal are coordinated, averaged over them.

The numbers are those of matminer's `CrystalNNFingerprint.from_preset("ops")`, averaged over the sites as Xie et al.
(2022) do, with which the published coverage was measured.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float

from nucleate.crystals import Crystals
from nucleate.evaluation.alike import cells_of
from nucleate.evaluation.crystal_nn import motifs
from nucleate.evaluation.crystal_nn.fingerprint import Task, crystal_fingerprint
from nucleate.evaluation.failures import NO_FINGERPRINT, failure_reasons
from nucleate.parallel import map_in_order

LABELS: tuple[str, ...] = motifs.LABELS
"""What each of the 61 features is: `wt` is the probability of a coordination number, and the order parameters that
follow are multiplied by it."""


class StructureFingerprints(NamedTuple):
    """Fingerprints of C crystals.

    Attributes:
        values: (C, F), in the order of `LABELS`; a row of NaN where there is none.
        failures: why there is none, the empty string where there is one, (C,), dtype object.
    """

    values: Float[np.ndarray, "c f"]
    failures: np.ndarray


def structure_fingerprints(
    crystals: Crystals, *, jobs: int = 1, on_progress: Callable[[float], None] | None = None
) -> StructureFingerprints:
    """Fingerprints all crystals.

    The first call on a machine compiles for some seconds. A fingerprint depends on nothing but its crystal.

    Args:
        crystals: any batch; rows that could not be built are passed over, and keep their reason.
        jobs: processes at most.
        on_progress: told the share done.

    Raises:
        UserError: a worker process died.
    """
    failures = failure_reasons(crystals)
    values = np.full((len(crystals), len(LABELS)), np.nan)
    rows = np.flatnonzero(failures == "")
    tasks = _tasks(crystals[rows])
    # The first one compiles, if need be, so that no two processes do.
    found = [crystal_fingerprint(task) for task in tasks[:1]]
    found += map_in_order(crystal_fingerprint, tasks[1:], jobs=jobs, on_progress=on_progress)
    for row, fingerprint in zip(rows, found, strict=True):
        if fingerprint is None:
            failures[row] = NO_FINGERPRINT
        else:
            values[row] = fingerprint
    return StructureFingerprints(values, failures)


def _tasks(crystals: Crystals) -> list[Task]:
    """One a crystal, in its Niggli cell, which is never skewed."""
    crystals = crystals.to("cpu", torch.float64)
    diagonals = np.array(list(product((1.0, -1.0), repeat=3))) @ crystals.lattice.numpy()
    largest_cutoffs = np.sqrt((diagonals**2).sum(2)).max(1, initial=0) + 0.01
    cells = cells_of(crystals.niggli())
    return [Task(cell, float(cutoff)) for cell, cutoff in zip(cells, largest_cutoffs, strict=True)]
