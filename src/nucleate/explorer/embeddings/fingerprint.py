"""How sites are coordinated and which elements there are: the fingerprints of coverage, side by side.

Each is divided by the distance up to which a crystal of MP-20 counts as covered (Xie et al. 2022), so that structure
and composition weigh alike, and a distance of 1 is near.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nucleate.crystals import Crystals
from nucleate.evaluation import kept
from nucleate.evaluation.composition_fingerprint import composition_fingerprints, standardise
from nucleate.evaluation.coverage import DEFAULT
from nucleate.evaluation.structure_fingerprint import structure_fingerprints
from nucleate.explorer.embed import Embedded
from nucleate.explorer.extras import explore_extra

VERSION = 1
"""Raised whenever the vector of some crystal changes."""


@dataclass(frozen=True)
class FingerprintEmbedding:
    """See above; 61 and 132 numbers."""

    @property
    def label(self) -> str:
        """What people read."""
        return "CrystalNN and Magpie fingerprints"

    @property
    def description(self) -> str:
        """Version of the structure fingerprint, cutoffs, and ours."""
        return f"fingerprint {kept.VERSION} {DEFAULT.structure:g} {DEFAULT.composition:g} v{VERSION}"

    @explore_extra()
    def embed(
        self, crystals: Crystals, *, jobs: int = 1, on_progress: Callable[[float], None] | None = None
    ) -> Embedded:
        """Makes the vectors."""
        structure = structure_fingerprints(crystals, jobs=jobs, on_progress=on_progress)
        composition = standardise(composition_fingerprints(crystals))
        parts = structure.values / DEFAULT.structure, composition / DEFAULT.composition
        return Embedded(np.concatenate(parts, axis=1).astype(np.float32), structure.failures)


def make() -> FingerprintEmbedding:
    """Prepares the embedding."""
    return FingerprintEmbedding()
