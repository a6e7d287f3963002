"""What the command line says of samples and the reference crystals that they predict."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nucleate.crystals import Crystals
    from nucleate.evaluation.result import Result

SHOWN = 5
"""Rows of the reference in a line."""


class Pair(StrEnum):
    """Values of `--pair`."""

    ROWS = "rows"
    COMPOSITION = "composition"
    NAME = "name"


def notes(result: Result, samples: Crystals) -> Iterator[str]:
    """Says how samples and reference crystals were paired, and what about it may surprise, one line each.

    Args:
        result: of `evaluation.csp.evaluate`.
        samples: that were judged.
    """
    from nucleate.evaluation.pairing import REFERENCE_INDEX, Rule

    definition, counts = result.definition["pairing"], result.counts["pairing"]
    rule = definition["by"]
    if rule != Rule.REFERENCE_INDEX:
        unused = f"; the column {REFERENCE_INDEX} is not used" if REFERENCE_INDEX in samples.info else ""
        how = {
            Rule.ROWS: "row by row",
            Rule.COMPOSITION: "by composition",
            Rule.NAME: f"by name, {definition.get('samples')} as {definition.get('reference')}",
        }[rule]
        yield f"paired {how}{unused}"
    if counts["other_composition"]:
        ours, most = counts["crystals_of_same_composition"], counts["possible_by_composition"]
        better = f"; with --pair composition {most:,} crystals, not {ours:,}, would have one of theirs"
        yield (
            f"{_of(counts['other_composition'], len(samples))} have another composition than their reference crystal, "
            f"and cannot match it{better if most > ours else ''}"
        )
    if counts["unpaired"]:
        unpaired = _of(counts["unpaired"], len(samples))
        yield f"{unpaired} have no reference crystal: none has their composition, or they could not be read"
    if counts["ambiguous"]:
        dealt = _of(counts["ambiguous"], len(samples))
        yield f"{dealt} could predict several reference crystals of their composition, which were dealt them in turn"
    yield from _incomplete(result)


def _incomplete(result: Result) -> Iterator[str]:
    """Says which reference crystals lack their first prediction, and how many have fewer predictions than others."""
    counts, k = result.counts["pairing"], result.definition["k"]
    if counts["without_first"]:
        rows = [
            (int(index), int(rank))
            for index, rank in zip(result.rows["index"], result.rows["rank"], strict=True)
            if index is not None
        ]
        lacking = sorted({index for index, _ in rows} - {index for index, rank in rows if rank == 0})
        shown = ", ".join(map(str, lacking[:SHOWN])) + (", …" if len(lacking) > SHOWN else "")
        yield (
            f"{len(lacking):,} of the reference crystals with samples have none of rank 0, and count as misses of the "
            f"first prediction: row {shown}"
        )
    if counts["incomplete"]:
        yield f"{counts['incomplete']:,} of the reference crystals with samples have fewer than {k}"


def _of(count: int, samples: int) -> str:
    return f"{count:,} of {samples:,} samples"
