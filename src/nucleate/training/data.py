"""What a run learns from: which crystals they are, whether the model can represent them, and what they lack."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nucleate.crystals import Crystals
from nucleate.elements import MAX_NUMBER, SYMBOLS
from nucleate.errors import UserError
from nucleate.evaluation.failures import tally
from nucleate.evaluation.kept import content_hash
from nucleate.models.generator import Generator

SPLITS = ("train", "val")
"""Splits of a data set that a run learns from."""


def fingerprint(crystals: Crystals, labels: Sequence[str] = ()) -> dict[str, Any]:
    """How many crystals there are, and a SHA-256 that changes with any of them.

    Args:
        crystals: as they were read.
        labels: columns that the model learns from, and that count as well.
    """
    digest = hashlib.sha256(content_hash(crystals).encode())
    if labels:
        digest.update(crystals.numeric(labels).nan_to_num(nan=-1e30).cpu().numpy().tobytes())
    return {"crystals": len(crystals), "sha256": digest.hexdigest()}


def check_same(folder: str, source: str, recorded: Mapping[str, Any] | None, found: Mapping[str, Any]) -> str | None:
    """Holds the crystals that were read for a run that goes on against those that it began with.

    Args:
        folder: of the run, for the line.
        source: name of the data set, for the line.
        recorded: fingerprints by split, as the run's folder has them; None in runs of earlier versions.
        found: the same of the crystals that were read.

    Returns:
        A line for the user where nothing could be compared.

    Raises:
        UserError: they are others.
    """
    if not recorded:
        return f"{folder} does not say which crystals it began with; whether those of {source} are the same is unknown"
    for split in SPLITS:
        was, now = recorded[split], found[split]
        if was["crystals"] != now["crystals"]:
            raise UserError(
                f"{folder} began with {was['crystals']:,} crystals to {_USE[split]}, and {source} has "
                f"{now['crystals']:,}: a run goes on with the same data"
            )
        if was["sha256"] != now["sha256"]:
            raise UserError(
                f"{folder} began with other crystals to {_USE[split]} than {source} has, or with other labels of them: "
                "a run goes on with the same data"
            )
    return None


def check_representable(generator: Generator, crystals: Crystals, source: str) -> None:
    """Refuses crystals that the model has no numbers for, before anything is fitted to them.

    Raises:
        UserError: they have elements beyond the table that models share, or more atoms than the family can write.
    """
    built = crystals[crystals.built]
    beyond = Counter(int(z) for numbers in built.numbers_of_each() for z in np.unique(numbers) if z > MAX_NUMBER)
    if beyond:
        counts = ", ".join(f"{SYMBOLS[z]} in {_count(n)}" for z, n in sorted(beyond.items()))
        last = f"{SYMBOLS[MAX_NUMBER]} (Z = {MAX_NUMBER})"
        raise UserError(f"{source} has {counts}: models know the elements up to {last}")
    limit = generator.atoms_limit
    if limit is not None and (large := int((built.counts > limit).sum())):
        raise UserError(
            f"{source} has {_count(large)} with more than {limit} atoms, up to {int(built.counts.max())}: "
            f"{generator.family} cannot represent them"
        )


def unread(crystals: Crystals, source: str) -> list[str]:
    """One line on the crystals that are left out because they could not be read, if there are any."""
    failed = int((~crystals.built).sum())
    if not failed:
        return []
    reasons = tally(crystals.failures)
    return [f"{source}: {failed:,} of {len(crystals):,} crystals could not be read and are left out: {reasons}"]


def unlabelled(generator: Generator, crystals: Crystals, source: str) -> list[str]:
    """One line for each label that the model learns from and that is not known of all crystals that were read."""
    lines = []
    built = crystals[crystals.built]
    for name in generator.labels:
        missing = int(built.numeric([name]).isnan().sum())
        if missing == len(built):
            where = "has no number" if name in crystals.info else "is not a column"
            lines.append(f"{source}: {name} {where}; the model does not learn it as a condition")
        elif missing:
            lines.append(f"{source}: {name} is unknown for {missing:,} of {len(built):,} crystals; they go without it")
    return lines


def _count(number: int) -> str:
    return f"{number:,} crystal" + "s" * (number != 1)


_USE = {"train": "train on", "val": "validate on"}
