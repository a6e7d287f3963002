"""Pairing by composition, for samples that say nothing else about what they predict.

A model of crystal structure prediction is given a composition, not a polymorph. Its samples for one composition are
therefore exchangeable, and any assignment to the polymorphs that does not look at the structures is fair: none gets
better or worse predictions than another on average. Choosing the assignment that matches best would not be.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int

from nucleate.crystals import Crystals
from nucleate.evaluation.compositions import distinct_rows, element_counts, reduced_counts
from nucleate.evaluation.pairing.pairing import UNPAIRED

NONE = -1
"""Composition of a crystal without atoms."""


class Compositions(NamedTuple):
    """Numbers that are the same for crystals of the same composition, and `NONE` for a crystal without atoms.

    Attributes:
        full: the same for the same atoms in the cell, (C,).
        reduced: the same for the same reduced formula, (C,).
    """

    full: Int[np.ndarray, " c"]
    reduced: Int[np.ndarray, " c"]

    @classmethod
    def of(cls, *parts: Crystals) -> list[Compositions]:
        """The compositions of several batches, with one numbering for all."""
        counts = np.concatenate([element_counts(part) for part in parts])
        empty = ~counts.any(1)
        full, reduced = (np.where(empty, NONE, distinct_rows(rows)[1]) for rows in (counts, reduced_counts(counts)))
        ends = np.cumsum([len(part) for part in parts])[:-1]
        return [cls(*columns) for columns in zip(np.split(full, ends), np.split(reduced, ends), strict=True)]


def possible(samples: Compositions, reference: Compositions) -> int:
    """How many reference crystals can have a sample of their reduced composition, no sample for two of them."""
    ours, theirs = _members(samples.reduced), _members(reference.reduced)
    return sum(min(len(rows), len(ours.get(kind, ()))) for kind, rows in theirs.items())


def by_composition(
    samples: Compositions, reference: Compositions, order: Int[np.ndarray, " s"]
) -> tuple[Int[np.ndarray, " s"], Bool[np.ndarray, " s"]]:
    """Assigns each sample to a reference crystal of its reduced composition, evenly, without looking at structures.

    Let K be the smallest number of samples for a crystal with which no sample is left over. A sample goes to the
    crystals with the same atoms in the cell, as long as one of them has fewer than K; the others go to any of their
    reduced composition, since cells may be primitive on one side and conventional on the other. Among several crystals
    it is the one with the fewest samples so far, the first of the reference among equals: so polymorphs are dealt
    samples in turn.

    Args:
        samples: compositions of S samples.
        reference: compositions of R reference crystals.
        order: in which the samples are dealt, a permutation.

    Returns:
        The row of the reference for each sample, `UNPAIRED` where no reference crystal has its reduced composition or
        the sample has no atoms; and whether there was a choice of several reference crystals.
    """
    same_cell, same_formula = _members(reference.full), _members(reference.reduced)
    wanted = _members(samples.reduced)
    most = max((-(-len(wanted.get(kind, ())) // len(rows)) for kind, rows in same_formula.items()), default=0)
    index, chosen = np.full(len(order), UNPAIRED), np.zeros(len(order), dtype=bool)
    load = np.zeros(len(reference.full), dtype=np.int64)

    def deal(sample: int, rows: Int[np.ndarray, " k"]) -> bool:
        row = rows[load[rows].argmin()]
        if load[row] == most:
            return False
        index[sample], chosen[sample] = row, len(rows) > 1
        load[row] += 1
        return True

    full, reduced = samples.full.tolist(), samples.reduced.tolist()
    dealt = [i for i in order.tolist() if reduced[i] in same_formula]
    others = [i for i in dealt if not (full[i] in same_cell and deal(i, same_cell[full[i]]))]
    for i in others:
        deal(i, same_formula[reduced[i]])
    return index, chosen


def _members(kinds: Int[np.ndarray, " c"]) -> dict[int, Int[np.ndarray, " k"]]:
    """Rows of each composition, in order; those without one are left out."""
    order = np.argsort(kinds, kind="stable")
    values, starts = np.unique(kinds[order], return_index=True)
    return {int(kind): rows for kind, rows in zip(values, np.split(order, starts[1:]), strict=False) if kind != NONE}
