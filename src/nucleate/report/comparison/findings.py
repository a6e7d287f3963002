"""What stands out, in sentences that say no more than the tables."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from nucleate.report.comparison.columns import Column
from nucleate.report.comparison.ranking import Mark
from nucleate.report.comparison.style import Style
from nucleate.report.comparison.table import Block, Cell, Comparison

_HEADLINES = (
    "validity",
    "cov_recall",
    "wdist_density",
    "unique_novel_valid",
    "k1.match_rate",
    "k1.rmse",
    "kN.match_rate",
)

_NOT_ALIKE = (
    '<p class="note">Not all rows were judged alike. Each card is about the rows of one block of the tables below, and '
    "says nothing of the others.</p>"
)


def findings_html(comparisons: list[Comparison], styles: Mapping[str, Style]) -> str:
    """A card for each headline number: who has the best one, and who does not differ from that.

    Where rows were not judged alike, each card is about one block, which stands in its title.
    """
    cards = ""
    for comparison in comparisons:
        for block, letter in zip(comparison.blocks, comparison.letters, strict=True):
            for i, column in enumerate(comparison.columns):
                if column.key in _HEADLINES and len(block.entries) > 1:
                    cards += _card(column, block, [row[i] for row in block.cells], styles, letter)
    if not cards:
        return ""
    several = any(len(comparison.blocks) > 1 for comparison in comparisons)
    return f'{_NOT_ALIKE if several else ""}<div class="findings">{cards}</div>'


def _card(column: Column, block: Block, cells: list[Cell], styles: Mapping[str, Style], letter: str) -> str:
    rows = list(zip(block.entries, cells, strict=True))
    best = [(entry, cell) for entry, cell in rows if cell.mark == Mark.BEST]
    if not best:
        return ""
    ties = [entry.name for entry, cell in rows if cell.mark == Mark.TIE]
    entry, cell = best[0]
    assert cell.number is not None  # noqa: S101
    unit = " %" if column.is_rate else f" {column.unit}"
    names = "".join(styles[e.name].label() for e, _ in best[:3])
    also = (
        f"{', '.join(ties)} {'do' if len(ties) > 1 else 'does'} not differ from it" if ties else "ahead of all others"
    )
    if len(best) == len(rows):
        also = "all the same"
    if letter:
        also += f", among {block.names}"
    title = (
        f"{'Lowest' if column.better < 0 else 'Highest'} {_lower(column.label)}{f' in block {letter}' * bool(letter)}"
    )
    return (
        f'<div class="finding {styles[entry.name].css}"><p>{escape(title)}</p>'
        f'<p class="big">{column.text(cell.number.value)}<small>{escape(unit)}</small></p>'
        f'<p>{names}</p><p class="also">{escape(also)}</p></div>'
    )


def _lower(label: str) -> str:
    return label if label[:2].isupper() else label[0].lower() + label[1:]
