"""Comparing CSP samples with the reference: each with the crystal that it predicts, and with others of its composition.

Each crystal is reduced once, each pair is compared once, both in processes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from nucleate.crystals import Crystals
from nucleate.elements import reduced_formula
from nucleate.evaluation.alike import reduced_cells
from nucleate.evaluation.cells import Cell
from nucleate.evaluation.failures import failure_reasons
from nucleate.evaluation.matching import Match, match_pair
from nucleate.evaluation.pairing import Pairing, pair
from nucleate.evaluation.progress import Steps
from nucleate.evaluation.reduction import Convention
from nucleate.parallel import map_in_order

NOT_REDUCIBLE = "no_reduced_cell"
"""Failure of a sample that has no Niggli cell."""

NO_REFERENCE = "no_reference"
"""Failure of a sample whose reference crystal can't be compared with anything."""

UNKNOWN_COMPOSITION = "composition_not_in_reference"
"""Failure of a sample that is paired by composition, where no reference crystal has its composition."""

STEPS = {
    "reducing samples": 0.15,
    "reducing the reference": 0.15,
    "comparing": 0.5,
    "comparing others of the same composition": 0.2,
}
"""What a comparison does, and the share of the time that each step takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How the samples compare with the reference.

    Attributes:
        pairing: what each sample predicts.
        failures: why a sample can't be compared; the empty string if it can, (S,).
        rms: distance from the crystal that it predicts, in units of (V/N)^(1/3), (S,); NaN without a match.
        max_distance: largest distance of two partners, likewise.
        reference_failures: why a reference crystal that was asked for can't be compared, (R,).
        found_by_first: whether any sample of rank 0 that has its composition matches a reference crystal, (R,).
        found_by_any: whether any sample that has its composition does.
    """

    pairing: Pairing
    failures: np.ndarray
    rms: Float[np.ndarray, " s"]
    max_distance: Float[np.ndarray, " s"]
    reference_failures: np.ndarray
    found_by_first: Bool[np.ndarray, " r"]
    found_by_any: Bool[np.ndarray, " r"]


def compare(
    samples: Crystals,
    reference: Crystals,
    *,
    pairing: Pairing | None = None,
    jobs: int = 1,
    steps: Steps | None = None,
) -> Comparison:
    """Compares samples with the reference crystals that they predict.

    Args:
        samples: all that were requested.
        reference: all reference crystals.
        pairing: what each sample predicts; by default as `pair` finds it.
        jobs: processes at most; the outcome does not depend on it.
        steps: told how far each of `STEPS` has come.

    Raises:
        UserError: the samples and the reference do not fit together; see `pair`.
    """
    pairing = pairing or pair(samples, reference)
    asked = reference[pairing.asked]
    steps = steps or Steps(STEPS)

    def match(pairs: Sequence[tuple[Cell | None, Cell | None]], line: str) -> list[Match | None]:
        return map_in_order(match_pair, pairs, jobs=jobs, on_progress=steps.start(line))

    failures, ours = _reduced(samples, jobs, steps.start("reducing samples"))
    reference_failures, theirs = _reduced(asked, jobs, steps.start("reducing the reference"))

    place = pairing.place
    failures[(failures == "") & ~pairing.paired] = UNKNOWN_COMPOSITION  # and so none without a place goes on
    failures[(failures == "") & (reference_failures != "")[place]] = NO_REFERENCE
    own = np.flatnonzero(failures == "")
    found = match([(ours[i], theirs[place[i]]) for i in own], "comparing")
    rms, max_distance = np.full((2, len(samples)), np.nan)
    for i, hit in zip(own, found, strict=True):
        if hit is not None:
            rms[i], max_distance[i] = hit

    first = pairing.rank == 0
    hits = np.isfinite(rms)
    found_by_first, found_by_any = np.zeros((2, len(asked)), dtype=bool)
    found_by_first[place[hits & first]] = True
    found_by_any[place[hits]] = True
    others = [
        (i, j)
        for i, j in _same_composition(samples, asked)
        if j != place[i] and not (found_by_first[j] if first[i] else found_by_any[j])
    ]
    found = match([(ours[i], theirs[j]) for i, j in others], "comparing others of the same composition")
    for (i, j), hit in zip(others, found, strict=True):
        found_by_first[j] |= hit is not None and first[i]
        found_by_any[j] |= hit is not None
    return Comparison(
        pairing=pairing,
        failures=failures,
        rms=rms,
        max_distance=max_distance,
        reference_failures=reference_failures,
        found_by_first=found_by_first,
        found_by_any=found_by_any,
    )


def _same_composition(samples: Crystals, reference: Crystals) -> Iterator[tuple[int, int]]:
    """All pairs of a sample and a reference crystal with the same reduced formula."""
    rows: dict[str, list[int]] = defaultdict(list)
    for row, numbers in enumerate(reference.numbers_of_each()):
        rows[reduced_formula(numbers)].append(row)
    for sample, numbers in enumerate(samples.numbers_of_each()):
        yield from ((sample, row) for row in rows.get(reduced_formula(numbers), ()))


def _reduced(
    crystals: Crystals, jobs: int, on_progress: Callable[[float], None]
) -> tuple[np.ndarray, list[Cell | None]]:
    """Returns why crystals can't be compared, and the reduced cells of those that can."""
    failures = failure_reasons(crystals)
    usable = np.flatnonzero(failures == "")
    reduced: list[Cell | None] = [None] * len(crystals)
    found = reduced_cells(crystals[usable], Convention.PUBLISHED, jobs=jobs, on_progress=on_progress)
    for i, cell in zip(usable, found, strict=True):
        reduced[i] = cell
        if cell is None:
            failures[i] = NOT_REDUCIBLE
    return failures, reduced
