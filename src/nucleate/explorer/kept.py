"""Vectors of crystals that are computed once, and kept by the content of each crystal.

A folder holds those of one embedding, in files that are only ever added: each of some thousand crystals, written beside
its place and renamed. So several processes may add to it at once, what an interrupted one has done stays, and a new
source of crystals costs only what is new in it.
"""

from __future__ import annotations

import hashlib
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch

from nucleate.crystals import Crystals
from nucleate.errors import UserError
from nucleate.evaluation.failures import failure_reasons
from nucleate.explorer.embed import Embedded, Embedding
from nucleate.files.atomic import replacing

TOGETHER = 2000
"""Crystals whose vectors are written at once: what an interruption may cost."""

Row = tuple[np.ndarray, str]
"""A vector, and why there is none."""


def embedded(
    embedding: Embedding,
    crystals: Crystals,
    *,
    keep_in: Path | None = None,
    jobs: int = 1,
    on_progress: Callable[[float], None] | None = None,
) -> Embedded:
    """Embeds all crystals that can be judged; equal ones, and those that were embedded before, once.

    Args:
        embedding: what makes the vectors.
        crystals: any; one that cannot be judged keeps its reason (see `nucleate.evaluation.failures`).
        keep_in: the folder of all embeddings; None keeps nothing.
        jobs: processes at most.
        on_progress: told the share done.
    """
    failures = failure_reasons(crystals)
    usable = np.flatnonzero(failures == "")
    keys = content_keys(crystals[usable])
    folder = None if keep_in is None else keep_in / _folder_name(embedding)
    known = {} if folder is None else _load(folder, set(keys))
    missing = {key: row for key, row in zip(keys, usable, strict=True) if key not in known}
    rows = list(missing.items())
    for start in range(0, len(rows), TOGETHER):
        part = dict(rows[start : start + TOGETHER])
        share = _shares(on_progress, start / len(rows), len(part) / len(rows))
        found = embedding.embed(crystals[np.array(list(part.values()))], jobs=jobs, on_progress=share)
        known |= dict(zip(part, zip(found.vectors, found.failures, strict=True), strict=True))
        if folder is not None:
            _save(folder, part, found)
    return _spread(known, keys, usable, failures)


def content_keys(crystals: Crystals) -> list[str]:
    """A hash of each crystal's atomic numbers, coordinates and cell, to the last bit."""
    crystals = crystals.to("cpu", torch.float64)
    cells = crystals.lattice.contiguous().numpy()
    each = zip(crystals.numbers_of_each(), crystals.frac_of_each(), cells, strict=True)
    return [_key(*parts) for parts in each]


def _key(*parts: np.ndarray) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()[:32]


def _folder_name(embedding: Embedding) -> str:
    return hashlib.sha256(embedding.description.encode()).hexdigest()[:32]


def _load(folder: Path, wanted: set[str]) -> dict[str, Row]:
    """What is known of the crystals that are asked for. A damaged file is passed over."""
    found: dict[str, Row] = {}
    for place in sorted(folder.glob("[!.]*.npz")):
        try:
            with np.load(place, allow_pickle=False) as arrays:
                keys, vectors, failures = arrays["keys"], arrays["vectors"], arrays["failures"]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            warnings.warn(f"computing vectors again, since {place} is damaged: {error}", stacklevel=3)
            continue
        for key, vector, failure in zip(keys.tolist(), vectors, failures.tolist(), strict=True):
            if key in wanted:
                found[key] = vector, failure
    return found


def _save(folder: Path, rows: Mapping[str, object], found: Embedded) -> None:
    keys = sorted(rows)
    place = folder / f"{hashlib.sha256(''.join(keys).encode()).hexdigest()[:32]}.npz"
    try:
        with replacing(place) as temporary, temporary.open("wb") as file:
            np.savez(file, keys=np.array(list(rows)), vectors=found.vectors, failures=found.failures.astype(str))
    except UserError as error:  # a folder that is full or read-only costs time, not the result
        warnings.warn(f"vectors are not kept: {error}", stacklevel=3)


def _spread(known: Mapping[str, Row], keys: list[str], usable: np.ndarray, failures: np.ndarray) -> Embedded:
    """Gives each crystal its vector or its reason."""
    width = len(known[keys[0]][0]) if keys else 0
    vectors = np.full((len(failures), width), np.nan, dtype=np.float32)
    failures = failures.copy()
    for key, row in zip(keys, usable, strict=True):
        vectors[row], failures[row] = known[key]
    return Embedded(vectors, failures)


def _shares(on_progress: Callable[[float], None] | None, begin: float, length: float) -> Callable[[float], None] | None:
    return None if on_progress is None else lambda share: on_progress(begin + share * length)
