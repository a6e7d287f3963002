"""Mass densities."""

from __future__ import annotations

import numpy as np
import torch

from nucleate.crystals import Crystals
from nucleate.geometry.lattice import volume

DALTON_PER_CUBIC_ANGSTROM = 1.66053906660
"""In g/cm³ (CODATA 2018)."""


def densities(crystals: Crystals) -> np.ndarray:
    """Density of each crystal in g/cm³, (C,); NaN without atoms or without a volume.

    Atomic masses are pymatgen's, those of the published metrics.
    """
    from pymatgen.core import Element

    table = torch.zeros(256, dtype=torch.float64)
    for z in crystals.numbers.unique().tolist():
        table[z] = float(Element.from_Z(z).atomic_mass)
    masses = torch.zeros(len(crystals), dtype=torch.float64).index_add(
        0, crystals.owner.cpu(), table[crystals.numbers.cpu().to(torch.int64)]
    )
    volumes = volume(crystals.lattice.cpu().to(torch.float64))
    known = (crystals.counts.cpu() > 0) & (volumes > 0)
    return torch.where(known, masses / volumes * DALTON_PER_CUBIC_ANGSTROM, torch.nan).numpy()
