"""How atoms surround each other: smooth overlap of atomic positions (Bartók et al. 2013, Phys. Rev. B 87, 184115).

The power spectra of the densities around the atoms, by DScribe (Himanen et al. 2020), and their mean over the atoms.
One density holds all elements, each weighted by its electronegativity: a spectrum for each pair of a hundred elements
would have two million numbers. So this map is one of structures first, and of elements by what role they play.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import Any

import numpy as np
from jaxtyping import Float32

from nucleate import files
from nucleate.crystals import Crystals
from nucleate.elements import MAX_NUMBER, PAULING, SYMBOLS
from nucleate.explorer.embed import Embedded
from nucleate.explorer.embeddings.refusals import refused
from nucleate.explorer.extras import soap_extra
from nucleate.parallel import map_in_order

CUTOFF = 6.0
"""In Å."""

RADIAL, ANGULAR = 8, 6
"""Radial functions, and the largest degree of spherical harmonics."""

WIDTH = (ANGULAR + 1) * RADIAL * (RADIAL + 1) // 2
WITHOUT_VALUE = 1.0
"""Weight of an element without an electronegativity."""

TOGETHER = 50

VERSION = 1
"""Raised whenever the vector of some crystal changes."""


@dataclass(frozen=True)
class SoapEmbedding:
    """See above; 252 numbers."""

    @property
    def label(self) -> str:
        """What people read."""
        return f"SOAP ({CUTOFF:g} Å)"

    @property
    def description(self) -> str:
        """Release, settings, and ours."""
        return f"soap {metadata.version('dscribe')} {CUTOFF:g} {RADIAL} {ANGULAR} v{VERSION}"

    def embed(
        self, crystals: Crystals, *, jobs: int = 1, on_progress: Callable[[float], None] | None = None
    ) -> Embedded:
        """Makes the vectors, about a thousand a second on a core."""
        failures = refused(crystals, MAX_NUMBER)
        rows = np.flatnonzero(failures == "")
        parts = [crystals[rows[start : start + TOGETHER]] for start in range(0, len(rows), TOGETHER)]
        vectors = np.full((len(crystals), WIDTH), np.nan, dtype=np.float32)
        found = map_in_order(_vectors, parts, weights=[len(p) for p in parts], jobs=jobs, on_progress=on_progress)
        vectors[rows] = np.concatenate([vectors[:0], *found])
        return Embedded(vectors, failures)


def make() -> SoapEmbedding:
    """Prepares the embedding.

    Raises:
        UserError: DScribe is not installed.
    """
    with soap_extra():
        import dscribe  # noqa: F401
    return SoapEmbedding()


def _vectors(crystals: Crystals) -> Float32[np.ndarray, "c d"]:
    atoms = [files.to_atoms(crystal) for crystal in crystals.niggli()]
    return np.stack([_soap().create(one) for one in atoms]).astype(np.float32)


@cache
def _soap() -> Any:
    from dscribe.descriptors import SOAP

    weights = {SYMBOLS[z]: PAULING[z] or WITHOUT_VALUE for z in range(1, MAX_NUMBER + 1)}
    return SOAP(
        species=list(weights),
        periodic=True,
        r_cut=CUTOFF,
        n_max=RADIAL,
        l_max=ANGULAR,
        sigma=0.5,
        average="outer",
        compression={"mode": "mu2", "species_weighting": weights},
    )
