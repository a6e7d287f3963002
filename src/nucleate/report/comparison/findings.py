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


def findings_html(comparisons: list[Comparison], styles: Mapping[str, Style]) -> str:
    """A card for each headline number: who has the best one, and who does not differ from that."""
    cards = ""
    for comparison in comparisons:
        for block in comparison.blocks:
            for i, column in enumerate(comparison.columns):
                if column.key in _HEADLINES and len(block.entries) > 1:
                    cards += _card(column, block, [row[i] for row in block.cells], styles, len(comparison.blocks) > 1)
    return f'<div class="findings">{cards}</div>' if cards else ""


def _card(column: Column, block: Block, cells: list[Cell], styles: Mapping[str, Style], one_of_several: bool) -> str:
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
    if one_of_several:
        also += f", among {block.names}"
    return (
        f'<div class="finding {styles[entry.name].css}"><p>{"Lowest" if column.better < 0 else "Highest"} '
        f"{escape(_lower(column.label))}</p>"
        f'<p class="big">{column.text(cell.number.value)}<small>{escape(unit)}</small></p>'
        f'<p>{names}</p><p class="also">{escape(also)}</p></div>'
    )


def _lower(label: str) -> str:
    return label if label[:2].isupper() else label[0].lower() + label[1:]
