"""A table of a comparison: rows in blocks of one protocol, the best of a column marked within its block only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from nucleate.report.comparison.columns import Column, Condition, Sheet
from nucleate.report.comparison.entry import Entry, Number
from nucleate.report.comparison.ranking import Mark, marks


@dataclass(frozen=True)
class Cell:
    """A number, None where there is none, and what it is beside the others of its column."""

    number: Number | None
    mark: Mark = Mark.NONE


@dataclass(frozen=True)
class Block:
    """Rows that may be compared.

    Attributes:
        protocol: the text of each condition that they share, by its label.
        entries: the rows.
        cells: of each row, one a column.
    """

    protocol: Mapping[str, str]
    entries: tuple[Entry, ...]
    cells: tuple[tuple[Cell, ...], ...]

    @property
    def names(self) -> str:
        """Names of the rows."""
        return ", ".join(entry.name for entry in self.entries)


@dataclass(frozen=True)
class Comparison:
    """A filled sheet.

    Attributes:
        sheet: what it is about.
        blocks: rows of one protocol each, in the order in which their first row was given.
    """

    sheet: Sheet
    blocks: tuple[Block, ...]

    @property
    def columns(self) -> tuple[Column, ...]:
        """Its metrics."""
        return self.sheet.columns

    @property
    def letters(self) -> list[str]:
        """What each block is called, A, B, …; empty strings where there is only one."""
        if len(self.blocks) < 2:
            return [""] * len(self.blocks)
        return [chr(ord("A") + i) if i < 26 else str(i + 1) for i in range(len(self.blocks))]

    @property
    def differences(self) -> list[str]:
        """What differs between the blocks, one sentence a condition."""
        return [
            sentence
            for condition in self.sheet.conditions
            if (sentence := _difference(condition.label, [(b.protocol[condition.label], b.names) for b in self.blocks]))
        ]


def compare(sheet: Sheet, entries: Iterable[Entry]) -> Comparison | None:
    """Fills a sheet with the rows that belong into it; None if none does."""
    rows = [entry for entry in entries if entry.task == sheet.task and sheet.wanted(entry)]
    blocks = tuple(_block(protocol, group, sheet.columns) for protocol, group in grouped(rows, sheet.conditions))
    return Comparison(sheet, blocks) if blocks else None


def grouped(entries: Sequence[Entry], conditions: Sequence[Condition]) -> list[tuple[dict[str, str], list[Entry]]]:
    """Rows that share all conditions, with the text of each condition."""
    groups: dict[tuple[str, ...], list[Entry]] = {}
    for entry in entries:
        groups.setdefault(tuple(condition.of(entry) for condition in conditions), []).append(entry)
    labels = [condition.label for condition in conditions]
    return [(dict(zip(labels, texts, strict=True)), group) for texts, group in groups.items()]


def light_differences(entries: Sequence[Entry]) -> list[str]:
    """What differs between rows and hardly matters: versions, the seed, how many valid samples there were to draw."""
    names = list(dict.fromkeys(name for entry in entries for name in entry.definition.get("versions", {})))
    told = [
        _difference(name, [(str(e.definition.get("versions", {}).get(name, "absent")), e.name) for e in entries])
        for name in names
    ]
    told.append(_difference("seed of the draw", [(str(e.definition.get("seed", 0)), e.name) for e in entries]))
    draws = [(f"{e.definition.get('wasserstein', {}).get('draw', 0):,}", e.name) for e in entries]
    told.append(_difference("valid samples behind wdist", draws))
    return [sentence for sentence in told if sentence]


def _difference(label: str, values: Sequence[tuple[str, str]]) -> str:
    """Says which rows have which value; empty if all have one."""
    names: dict[str, list[str]] = {}
    for value, name in values:
        names.setdefault(value, []).append(name)
    if len(names) < 2:
        return ""
    return f"{label}: " + "; ".join(f"{value} for {', '.join(who)}" for value, who in names.items())


def _block(protocol: Mapping[str, str], entries: Sequence[Entry], columns: Sequence[Column]) -> Block:
    numbers = [[entry.number(column.key) for entry in entries] for column in columns]
    marked = [marks(values, column.better) for values, column in zip(numbers, columns, strict=True)]
    by_column = [[Cell(*pair) for pair in zip(*both, strict=True)] for both in zip(numbers, marked, strict=True)]
    return Block(protocol, tuple(entries), tuple(zip(*by_column, strict=True)))
