"""`pair`: which rule says what each sample predicts, and what speaks against it."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from nucleate.crystals import Crystals
from nucleate.errors import UserError
from nucleate.evaluation.pairing.columns import (
    RANK,
    REFERENCE_INDEX,
    by_index,
    check_start,
    occurrence,
    stated_rank,
)
from nucleate.evaluation.pairing.compositions import NONE, Compositions, by_composition, possible
from nucleate.evaluation.pairing.names import by_name, known_names, other_order
from nucleate.evaluation.pairing.pairing import UNPAIRED, Pairing, PairingError, Rule


def pair(samples: Crystals, reference: Crystals, by: str | None = None) -> Pairing:
    """Finds what each sample predicts.

    By `reference_index` the crystals asked for are those from the first to the last that a sample refers to: one in
    between without a sample is a miss, not a crystal that nobody asked for. By any other rule all reference crystals
    were asked for.

    Args:
        samples: all that were requested.
        reference: all reference crystals.
        by: one of `Rule`: `reference_index` and `rows` are defined there, `composition` in
            `compositions.by_composition` and `name` in `names.by_name`. By default the column `reference_index`, and
            if there is none `rows`, unless names or compositions say another order.

    Raises:
        UserError: there are no samples or no such rule; rows of the reference that do not exist; ranks that do not
            start at 0, or two samples of one rank; names that do not fit; no sample with the composition of a
            reference crystal.
        PairingError: by `rows`, another number of samples than of reference crystals, or ranks other than 0; by
            default also if names say another order, or if by composition more reference crystals would have a sample
            of their composition than row by row.
    """
    if not len(samples):
        raise UserError("there are no samples")
    rule = _rule(samples, by)
    ours, theirs = Compositions.of(samples, reference)
    definition, chosen, asked = {"by": str(rule)}, np.zeros(len(samples), dtype=bool), np.arange(len(reference))
    match rule:
        case Rule.REFERENCE_INDEX:
            index, rank = by_index(samples, len(reference))
            asked = np.arange(index.min(), index.max() + 1)
        case Rule.COMPOSITION:
            order = _dealing_order(samples)
            index, chosen = by_composition(ours, theirs, order)
            if (index == UNPAIRED).all():
                raise UserError("no sample has the composition of a reference crystal")
            rank = np.full(len(index), UNPAIRED)
            rank[order] = np.where(index[order] == UNPAIRED, UNPAIRED, occurrence(index[order]))
        case Rule.NAME:
            index, rank, fit = by_name(samples, reference)
            definition |= {"samples": fit.naming.column, "reference": fit.reference}
        case Rule.ROWS:
            _check_rows(samples, reference, ours, theirs)
            if by is None:
                _check_order(samples, reference, ours, theirs)
            index, rank = np.arange(len(samples)), np.zeros(len(samples), dtype=np.int64)
    pairing = Pairing(index, rank, asked, definition, {})
    return pairing._replace(counts=agreement(pairing, ours, theirs) | {"ambiguous": int(chosen.sum())})


def agreement(pairing: Pairing, samples: Compositions, reference: Compositions) -> dict[str, int]:
    """Counts how well the compositions agree, up to a common factor, and what is missing.

    Returns:
        `same_composition`, `other_composition`, `without_composition`: samples with the composition of their reference
        crystal, with another, and pairs in which one has no atoms; `unpaired`: samples without a reference crystal.
        `crystals_of_same_composition`: reference crystals that have a sample of their composition, and
        `possible_by_composition`, how many that could be. `without_first`: reference crystals with samples, but none of
        rank 0; `incomplete`: those with fewer samples than others.
    """
    paired = pairing.paired
    index = pairing.index[paired]
    ours, theirs = samples.reduced[paired], reference.reduced[index]
    known = (ours != NONE) & (theirs != NONE)
    same = known & (ours == theirs)
    _, tries = np.unique(index, return_counts=True)
    return {
        "same_composition": int(same.sum()),
        "other_composition": int((known & ~same).sum()),
        "without_composition": int((~known).sum()),
        "unpaired": int((~paired).sum()),
        "crystals_of_same_composition": len(np.unique(index[same])),
        "possible_by_composition": possible(samples, reference),
        "without_first": len(pairing.without_first),
        "incomplete": int((tries < pairing.per_reference).sum()),
    }


def _rule(samples: Crystals, by: str | None) -> Rule:
    if by is None:
        return Rule.REFERENCE_INDEX if REFERENCE_INDEX in samples.info else Rule.ROWS
    if by not in set(Rule):
        raise UserError(f"no way of pairing is called {by!r}; there are {', '.join(Rule)}")
    if by == Rule.REFERENCE_INDEX and REFERENCE_INDEX not in samples.info:
        raise UserError(f"the samples have no column {REFERENCE_INDEX}")
    return Rule(by)


def _dealing_order(samples: Crystals) -> Int[np.ndarray, " s"]:
    """First predictions first, if a column `rank` says which they are."""
    rank = stated_rank(samples)
    if rank is None:
        return np.arange(len(samples))
    check_start(rank)
    return np.argsort(rank, kind="stable")


def _check_rows(samples: Crystals, reference: Crystals, ours: Compositions, theirs: Compositions) -> None:
    """Refuses what cannot be paired row by row."""
    rank = stated_rank(samples)
    if len(samples) != len(reference):
        reason = (
            f"there are {len(samples):,} samples for {len(reference):,} reference crystals; without a column "
            f"{REFERENCE_INDEX} they are compared row by row, and must be as many"
        )
    elif rank is not None and rank.any():
        reason = (
            f"row by row, each sample is the first prediction of its reference crystal, of {RANK} 0, but the column "
            f"{RANK} has {rank[rank != 0][0]}"
        )
    else:
        return
    found = possible(ours, theirs)
    choices = Rule.COMPOSITION if found else None, Rule.NAME if known_names(samples, reference) else None
    if found:
        reason += f" (paired by composition, {found:,} reference crystals would have a sample)"
    raise PairingError(reason, tuple(filter(None, choices)))


def _check_order(samples: Crystals, reference: Crystals, ours: Compositions, theirs: Compositions) -> None:
    """Refuses row by row what names or compositions say to be in another order."""
    fit = other_order(samples, reference)
    if fit is not None:
        right = int((fit.index == np.arange(len(samples))).sum())
        raise PairingError(
            f"row by row {right:,} of {len(samples):,} samples are at the reference crystal that they are called as "
            f"({fit.words})",
            (Rule.NAME, Rule.ROWS),
        )
    same = int(((ours.reduced == theirs.reduced) & (ours.reduced != NONE)).sum())
    found = possible(ours, theirs)
    if found > same:
        raise PairingError(
            f"row by row {same:,} of {len(reference):,} reference crystals have a sample of their composition; paired "
            f"by composition {found:,} of {len(reference):,} would",
            (Rule.COMPOSITION, Rule.ROWS),
        )
