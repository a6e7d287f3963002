"""Pairing by the columns `reference_index` and `rank`, which `nucleate generate` writes."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from nucleate.crystals import Crystals
from nucleate.errors import UserError

REFERENCE_INDEX = "reference_index"
"""Name of the `info` column with the row of the reference that a sample predicts."""

RANK = "rank"
"""Name of the `info` column that counts the samples for one reference crystal from 0."""


def by_index(samples: Crystals, reference: int) -> tuple[Int[np.ndarray, " s"], Int[np.ndarray, " s"]]:
    """Returns the row of the reference that each sample predicts, and its rank.

    Args:
        samples: with a column `reference_index`; without a column `rank` they are counted in their order.
        reference: number of reference crystals.

    Raises:
        UserError: rows of the reference that do not exist, or ranks that are none.
    """
    index = _whole_numbers(samples, REFERENCE_INDEX)
    outside = index[(index < 0) | (index >= reference)]
    if len(outside):
        raise UserError(f"a sample has {REFERENCE_INDEX} {outside[0]}, but the reference has {reference:,} crystals")
    return index, ranked(samples, index)


def ranked(samples: Crystals, index: Int[np.ndarray, " s"]) -> Int[np.ndarray, " s"]:
    """Rank of each sample among those for one reference crystal: the column `rank`, or else counted in their order."""
    rank = stated_rank(samples)
    if rank is None:
        return occurrence(index)
    check_ranks(index, rank)
    return rank


def stated_rank(samples: Crystals) -> Int[np.ndarray, " s"] | None:
    """The column `rank`; None if there is none.

    Raises:
        UserError: it has something other than whole numbers.
    """
    return _whole_numbers(samples, RANK) if RANK in samples.info else None


def check_ranks(index: Int[np.ndarray, " s"], rank: Int[np.ndarray, " s"], what: str = REFERENCE_INDEX) -> None:
    """Refuses ranks that do not start at 0, and two samples of one rank for one reference crystal.

    A rank without a sample between others is a sample that was lost on the way, and so no error but a miss.

    Args:
        index: row of the reference for each sample.
        rank: of each sample.
        what: says that a sample predicts a reference crystal, before its row.

    Raises:
        UserError: see above.
    """
    if rank.min() < 0:
        raise UserError(f"a sample has {RANK} {rank.min()}; ranks start at 0")
    check_start(rank)
    pairs, times = np.unique(np.stack([index, rank], 1), axis=0, return_counts=True)
    if times.max() > 1:
        row, place = pairs[times.argmax()]
        raise UserError(f"{times.max()} samples have {what} {row} and {RANK} {place}")


def check_start(rank: Int[np.ndarray, " s"]) -> None:
    """Refuses ranks of which the smallest is not 0.

    Raises:
        UserError: see above.
    """
    if rank.min() != 0:
        raise UserError(f"the smallest {RANK} of the samples is {rank.min()}; ranks start at 0, the first prediction")


def occurrence(index: Int[np.ndarray, " s"]) -> Int[np.ndarray, " s"]:
    """How often each value came before."""
    order = np.argsort(index, kind="stable")
    ordered = index[order]
    counts = np.empty_like(index)
    counts[order] = np.arange(len(index)) - np.searchsorted(ordered, ordered)
    return counts


def _whole_numbers(samples: Crystals, name: str) -> Int[np.ndarray, " s"]:
    """A column as integers; files may have made text or floats of them."""
    column = samples.info[name]
    try:
        numbers = np.array([float(value) for value in column])
    except (TypeError, ValueError) as error:
        raise UserError(f"the column {name} of the samples has something other than numbers: {error}") from error
    bad = np.flatnonzero(~(np.isfinite(numbers) & (numbers == np.round(numbers))))
    if len(bad):
        raise UserError(f"the column {name} of the samples has {column[bad[0]]} in row {bad[0]}: not a whole number")
    return numbers.astype(np.int64)
