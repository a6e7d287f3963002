"""A table of a comparison as HTML, with what its rows share and where they do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from nucleate.report.comparison.columns import HIGH, LOW, Column
from nucleate.report.comparison.entry import Entry
from nucleate.report.comparison.ranking import Mark
from nucleate.report.comparison.style import Style
from nucleate.report.comparison.table import Block, Cell, Comparison
from nucleate.report.sections import MISSING

_BETTER = {HIGH: ("↑", "more is better"), LOW: ("↓", "less is better")}
_WORDS = {Mark.BEST: "best", Mark.TIE: "does not differ from the best"}

# Keys of `metrics.reference`: what the reference itself would score.
_OF_REFERENCE = frozenset(
    {
        "structural_validity",
        "composition_validity",
        "validity",
        "composition_diversity",
        "structure_diversity",
        "p1_share",
    }
)


def table_html(comparison: Comparison, styles: Mapping[str, Style], differing: Sequence[str] = ()) -> str:
    """Renders a table.

    Args:
        comparison: what it shows.
        styles: of the rows, by name.
        differing: names of rows whose versions differ from others', which get a light mark.
    """
    head = "".join(_head(column) for column in comparison.columns)
    body = "".join(
        _block(block, comparison.columns, styles, differing, letter)
        for block, letter in zip(comparison.blocks, comparison.letters, strict=True)
    )
    title = escape(comparison.sheet.title)
    return (
        f'<div class="block" id="{comparison.sheet.slug}"><h3>{title}</h3>{_warning(comparison)}'
        f'<div class="scroll" tabindex="0" role="region" aria-label="{title}"><table class="compare">'
        f"<thead><tr><td></td>{head}</tr></thead>{body}</table></div></div>"
    )


def _warning(comparison: Comparison) -> str:
    """Says in words why the rows stand in several blocks."""
    if len(comparison.blocks) < 2:
        return ""
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in comparison.differences)
    return (
        '<div class="warning" role="note"><p><b>These rows were not judged alike.</b> They stand in blocks, and the '
        f"best of a column is marked within its block only. What differs:</p><ul>{items}</ul></div>"
    )


def _head(column: Column) -> str:
    unit = "%" if column.is_rate else column.unit
    arrow, words = _BETTER.get(column.better, ("", ""))
    sign = f'&nbsp;<abbr title="{words}">{arrow}</abbr>' if arrow else ""
    return f'<th scope="col" class="number">{escape(column.label)}{sign}<small>{unit or "&nbsp;"}</small></th>'


def _block(
    block: Block, columns: Sequence[Column], styles: Mapping[str, Style], differing: Sequence[str], letter: str
) -> str:
    rows = f'<tr class="protocol"><td colspan="{len(columns) + 1}">{_protocol(block, letter)}</td></tr>'
    for entry, cells in zip(block.entries, block.cells, strict=True):
        light = ' <sup title="other versions, see below">v</sup>' if entry.name in differing else ""
        values = "".join(_cell(cell, column) for cell, column in zip(cells, columns, strict=True))
        style = styles[entry.name]
        rows += f'<tr class="{style.css}"><th scope="row">{style.label()}{light}</th>{values}</tr>'
    return f"<tbody>{rows}{_reference(block.entries[0], columns)}</tbody>"


def _protocol(block: Block, letter: str) -> str:
    """The first two conditions in sight, all of them on demand."""
    parts = [
        f"{escape(text)} {escape(label)}" if label == "samples" else f"{escape(label)} {escape(text)}"
        for label, text in block.protocol.items()
    ]
    badge = f'<b class="badge">{letter}</b> ' if letter else ""
    return f"{badge}<details><summary>{' · '.join(parts[:3])}</summary><p>{'; '.join(parts[3:])}</p></details>"


def _cell(cell: Cell, column: Column) -> str:
    if cell.number is None:
        return f'<td class="number">{MISSING}</td>'
    value, low, high = cell.number
    ends = ""
    if low is not None and high is not None:
        ends = f"<small>{column.text(low)} – {column.text(high)}</small>"
    sign = "<i>≈</i>" if cell.mark == Mark.TIE else ""
    words = f'<span class="unseen"> ({_WORDS[cell.mark]})</span>' if cell.mark else ""
    kind = f" {cell.mark}" if cell.mark else ""
    return f'<td class="number{kind}"><span>{sign}{column.text(value)}</span>{words}{ends}</td>'


def _reference(entry: Entry, columns: Sequence[Column]) -> str:
    """What the reference itself has, where that says something."""
    known = entry.metrics.get("reference", {})
    if not _OF_REFERENCE.intersection(column.key for column in columns) or not known:
        return ""
    values = ""
    for column in columns:
        value = known.get(column.key)
        values += f'<td class="number">{column.text(value) if isinstance(value, (int, float)) else ""}</td>'
    return f'<tr class="own"><th scope="row">the reference itself</th>{values}</tr>'
