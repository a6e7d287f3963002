"""What each CSP sample is a prediction of, and which reference crystals were asked for."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from nucleate.crystals import Crystals
from nucleate.errors import UserError

REFERENCE_INDEX = "reference_index"
"""Name of the `info` column with the row of the reference that a sample predicts."""

RANK = "rank"
"""Name of the `info` column that counts the samples for one reference crystal from 0."""


class Pairing(NamedTuple):
    """Samples and the reference crystals that they predict.

    Attributes:
        index: row of the reference, (S,).
        rank: 0 for the first prediction of a reference crystal, 1 for the second, …, (S,).
        asked: consecutive rows of the reference that were asked for, (R,).
    """

    index: Int[np.ndarray, " s"]
    rank: Int[np.ndarray, " s"]
    asked: Int[np.ndarray, " r"]

    @property
    def place(self) -> Int[np.ndarray, " s"]:
        """Place of each sample's reference crystal among those that were asked for."""
        return self.index - self.asked[0]

    @property
    def per_reference(self) -> int:
        """How many samples a reference crystal has at most: the N in "best of N"."""
        return int(self.rank.max()) + 1

    @property
    def missing(self) -> Int[np.ndarray, " m"]:
        """Rows of the reference that were asked for and have no sample."""
        return np.setdiff1d(self.asked, self.index)


def pair(samples: Crystals, reference: Crystals) -> Pairing:
    """Reads from the columns `reference_index` and `rank` what each sample predicts; without them row i predicts row i.

    The reference crystals that were asked for are those from the first to the last that a sample refers to: one in
    between without a sample is a miss, not a crystal that nobody asked for.

    Raises:
        UserError: rows of the reference that do not exist, two samples of one rank, or, without `reference_index`,
            another number of samples than of reference crystals.
    """
    if not len(samples):
        raise UserError("there are no samples")
    if REFERENCE_INDEX not in samples.info:
        return _row_by_row(len(samples), len(reference))
    index = _whole_numbers(samples, REFERENCE_INDEX)
    outside = index[(index < 0) | (index >= len(reference))]
    if len(outside):
        raise UserError(
            f"a sample has {REFERENCE_INDEX} {outside[0]}, but the reference has {len(reference):,} crystals"
        )
    rank = _whole_numbers(samples, RANK) if RANK in samples.info else _occurrence(index)
    if rank.min() < 0:
        raise UserError(f"a sample has {RANK} {rank.min()}; ranks start at 0")
    pairs, times = np.unique(np.stack([index, rank], 1), axis=0, return_counts=True)
    if times.max() > 1:
        row, place = pairs[times.argmax()]
        raise UserError(f"{times.max()} samples have {REFERENCE_INDEX} {row} and {RANK} {place}")
    return Pairing(index, rank, np.arange(index.min(), index.max() + 1))


def _row_by_row(samples: int, reference: int) -> Pairing:
    if samples != reference:
        raise UserError(
            f"there are {samples:,} samples for {reference:,} reference crystals; without a column {REFERENCE_INDEX} "
            "they are compared row by row, and must be as many"
        )
    rows = np.arange(samples)
    return Pairing(rows, np.zeros_like(rows), rows)


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


def _occurrence(index: Int[np.ndarray, " s"]) -> Int[np.ndarray, " s"]:
    """How often each value came before."""
    order = np.argsort(index, kind="stable")
    ordered = index[order]
    occurrence = np.empty_like(index)
    occurrence[order] = np.arange(len(index)) - np.searchsorted(ordered, ordered)
    return occurrence
