"""What a family says of crystals before it learns from them, kept in a folder for the next training."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable
from pathlib import Path

from jaxtyping import Float
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from nucleate.crystals import Crystals
from nucleate.errors import UserError
from nucleate.evaluation.kept import content_hash
from nucleate.models.generator import Generator
from nucleate.models.saving import save_tensors


def described(
    generator: Generator,
    crystals: Crystals,
    keep_in: Path | None = None,
    *,
    jobs: int = 1,
    on_progress: Callable[[float], None] | None = None,
) -> Float[Tensor, "c p"] | None:
    """Asks the family, or the folder if the same crystals were described before.

    Args:
        generator: whose description; only one with a `description` is kept.
        crystals: that were built.
        keep_in: folder; None keeps nothing.
        jobs: processes at most.
        on_progress: called with the share done.
    """
    if not len(crystals):
        return None
    if keep_in is None or generator.description is None:
        return generator.describe(crystals, jobs=jobs, on_progress=on_progress)
    place = keep_in / f"{generator.description}-{_key(crystals)}.safetensors"
    if place.is_file():
        try:
            return load_file(place)["rows"]
        except (SafetensorError, KeyError, OSError):
            place.unlink(missing_ok=True)  # damaged: described again
    rows = generator.describe(crystals, jobs=jobs, on_progress=on_progress)
    if rows is not None:
        try:
            save_tensors({"rows": rows.contiguous()}, place)
        except UserError as error:  # a folder that is full or read-only costs time, not the run
            warnings.warn(f"the next run describes these crystals again: {error}", stacklevel=2)
    return rows


def _key(crystals: Crystals) -> str:
    """Changes with any crystal and with anything that is known of it."""
    digest = hashlib.sha256(content_hash(crystals).encode())
    for name, column in sorted(crystals.info.items()):
        digest.update(name.encode())
        digest.update("\0".join(map(str, column.tolist())).encode())
    return digest.hexdigest()[:32]
