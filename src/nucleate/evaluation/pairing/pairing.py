"""The outcome of pairing: for each sample the row of the reference that it predicts, and its rank among the others."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int

from nucleate.errors import UserError

UNPAIRED = -1
"""Row of the reference, and rank, of a sample that belongs to no reference crystal."""


class Rule(StrEnum):
    """How it is decided which reference crystal a sample predicts."""

    REFERENCE_INDEX = "reference_index"
    """The samples say it in a column of this name."""
    ROWS = "rows"
    """Row i predicts row i."""
    COMPOSITION = "composition"
    """A sample predicts a reference crystal of its composition."""
    NAME = "name"
    """A sample is called as the reference crystal that it predicts."""


class PairingError(UserError):
    """Samples and reference crystals do not fit together by one rule; others may help.

    Attributes:
        reason: what is wrong.
        choices: the rules to choose from, if any helps.
    """

    def __init__(self, reason: str, choices: tuple[Rule, ...]) -> None:
        self.reason = reason
        self.choices = choices
        super().__init__(self.worded('pair="{}"'))

    def worded(self, choice: str) -> str:
        """The message, with each choice written in the words of whoever asks: `{}` in them is the rule."""
        words = " or ".join(choice.format(rule) for rule in self.choices)
        return f"{self.reason}: choose {words}" if words else self.reason


class Pairing(NamedTuple):
    """Samples and the reference crystals that they predict.

    Attributes:
        index: row of the reference, (S,); `UNPAIRED` for a sample that belongs to no reference crystal.
        rank: 0 for the first prediction of a reference crystal, 1 for the second, …, (S,); `UNPAIRED` likewise.
        asked: consecutive rows of the reference that were asked for, (R,).
        definition: the rule, as `by`, and for `Rule.NAME` the columns of the `samples` and of the `reference`.
        counts: how well the compositions agree and what is missing; see `choice.agreement`.
    """

    index: Int[np.ndarray, " s"]
    rank: Int[np.ndarray, " s"]
    asked: Int[np.ndarray, " r"]
    definition: Mapping[str, str]
    counts: Mapping[str, int]

    @property
    def paired(self) -> Bool[np.ndarray, " s"]:
        """Whether each sample belongs to a reference crystal."""
        return self.index != UNPAIRED

    @property
    def place(self) -> Int[np.ndarray, " s"]:
        """Place of each sample's reference crystal among those that were asked for; negative if it has none."""
        return np.where(self.paired, self.index - self.asked[0], UNPAIRED)

    @property
    def per_reference(self) -> int:
        """How many samples a reference crystal has at most: the N in "best of N"."""
        return int(self.rank.max()) + 1

    @property
    def missing(self) -> Int[np.ndarray, " m"]:
        """Rows of the reference that were asked for and have no sample."""
        return np.setdiff1d(self.asked, self.index)

    @property
    def without_first(self) -> Int[np.ndarray, " m"]:
        """Rows of the reference that have samples, but none of rank 0."""
        return np.setdiff1d(self.index[self.paired], self.index[self.rank == 0])
