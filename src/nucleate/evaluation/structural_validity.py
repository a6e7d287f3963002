"""Structural validity: no two atoms too close, and a cell with some volume (Court et al. 2020; Xie et al. 2022)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from nucleate.crystals import Crystals
from nucleate.geometry.lattice import volume

MIN_DISTANCE = 0.5
"""In Å, between different atoms or their images."""

MIN_VOLUME = 0.1
"""In Å³."""


class StructuralValidity(NamedTuple):
    """Columns of one entry a crystal.

    Attributes:
        valid: whether both conditions hold, bool.
        min_distance: between different atoms or their images in Å; infinity for one atom.
        self_image_distance: between an atom and its nearest own image in Å. The published metric leaves it out, so that
            it has no say in `valid`.
        volume: of the cell in Å³.
    """

    valid: np.ndarray
    min_distance: np.ndarray
    self_image_distance: np.ndarray
    volume: np.ndarray


def structural_validity(crystals: Crystals) -> StructuralValidity:
    """Judges all crystals. What a crystal that is flat, not finite or without atoms lacks is NaN, and it is not valid.

    Distances are those to the nearest image, exact for every cell.
    """
    from nucleate.evaluation.closest import closest

    lattice = crystals.lattice.cpu().to(torch.float64)
    frac = crystals.frac.cpu().to(torch.float64)
    distances, translations = closest(frac.numpy(), lattice.numpy(), crystals.offsets.cpu().numpy())
    distances[crystals.counts.cpu().numpy() == 0] = np.nan
    volumes = volume(lattice).numpy()
    valid = (distances >= MIN_DISTANCE) & (volumes >= MIN_VOLUME)
    return StructuralValidity(valid, distances, translations, volumes)
