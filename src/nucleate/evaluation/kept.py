"""Structure fingerprints that are computed once for the same crystals, and kept in a folder."""

from __future__ import annotations

import hashlib
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from nucleate.crystals import Crystals
from nucleate.errors import UserError
from nucleate.evaluation.structure_fingerprint import StructureFingerprints
from nucleate.files.atomic import replacing

VERSION = 1
"""Raised whenever the fingerprint of some crystal changes."""


def kept(
    folder: Path | None, crystals: Crystals, compute: Callable[[], StructureFingerprints]
) -> StructureFingerprints:
    """Returns the fingerprints of crystals, from the folder if the same crystals had theirs computed before.

    Args:
        folder: where they are kept; None keeps nothing.
        crystals: cells, coordinates, atomic numbers and failures decide, to the last bit; names do not.
        compute: called the first time.
    """
    if folder is None:
        return compute()
    place = folder / f"{content_hash(crystals)[:32]}-v{VERSION}.npz"
    if place.is_file():
        try:
            with np.load(place, allow_pickle=False) as arrays:
                return StructureFingerprints(arrays["values"], arrays["failures"].astype(object))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            warnings.warn(f"computing fingerprints again, since {place} is damaged: {error}", stacklevel=2)
    found = compute()
    try:
        with replacing(place) as temporary, temporary.open("wb") as file:
            np.savez(file, values=found.values, failures=found.failures.astype(str))
    except UserError as error:  # a folder that is full or read-only costs time, not the result
        warnings.warn(f"fingerprints are not kept: {error}", stacklevel=2)
    return found


def content_hash(crystals: Crystals) -> str:
    """SHA-256 of all cells, coordinates, atomic numbers and failures, as hexadecimal digits."""
    digest = hashlib.sha256("\0".join(crystals.failures).encode())
    columns = crystals.counts, crystals.numbers, crystals.frac.to(torch.float64), crystals.lattice.to(torch.float64)
    for column in columns:
        digest.update(column.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
