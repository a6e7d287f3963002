"""Crystals that embeddings by neighbours leave out, and the reasons that are counted."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float

from nucleate.crystals import Crystals
from nucleate.geometry.lattice import volume

MAX_DENSITY = 1.0
"""Atoms per Å³, six times diamond. In a denser cell neighbours would be counted by the thousand."""

UNKNOWN_ELEMENT, ISOLATED, TOO_DENSE = "unknown_element", "isolated_atoms", "too_dense"


def refused(crystals: Crystals, max_number: int) -> np.ndarray:
    """Says why a crystal is not embedded, the empty string if it is, (C,), dtype object.

    Args:
        crystals: that can be judged.
        max_number: largest atomic number that the embedding knows.
    """
    largest = torch.zeros(len(crystals), dtype=torch.int64)
    largest.scatter_reduce_(0, crystals.owner, crystals.numbers.to(torch.int64), "amax")
    reasons = np.full(len(crystals), "", dtype=object)
    reasons[number_density(crystals) > MAX_DENSITY] = TOO_DENSE
    reasons[largest.numpy() > max_number] = UNKNOWN_ELEMENT
    return reasons


def number_density(crystals: Crystals) -> Float[np.ndarray, " c"]:
    """Atoms per Å³."""
    return (crystals.counts / volume(crystals.lattice.to(torch.float64))).numpy()
