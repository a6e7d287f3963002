"""Numbers of a table as points with their intervals, one panel a metric."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from nucleate.report.comparison.columns import HIGH, LOW, Column
from nucleate.report.comparison.figures.svg import Scale, box, figure, frame, line, panel, text, ticks, widened
from nucleate.report.comparison.ranking import Mark
from nucleate.report.comparison.style import Style
from nucleate.report.comparison.table import Block, Cell

_WIDTH, _ROW, _RIGHT = 300, 25, 290
_LETTER, _MOST_LETTERS = 6.9, 15
_DIRECTIONS = {HIGH: "↑ better", LOW: "↓ better"}


def interval_figure(block: Block, columns: tuple[Column, ...], styles: Mapping[str, Style], heading: str) -> str:
    """Draws a block of a table; empty if there are not two rows to lay beside each other."""
    if len(block.entries) < 2:
        return ""
    panels = [
        _panel(column, [(styles[e.name], row[i]) for e, row in zip(block.entries, block.cells, strict=True)])
        for i, column in enumerate(columns)
    ]
    caption = "Lines are intervals of 95 %. Filled points are the best or do not differ from it; hollow ones do."
    return figure(heading, f'<div class="panels small">{"".join(panels)}</div>', caption)


def _panel(column: Column, rows: list[tuple[Style, Cell]]) -> str:
    known = [cell.number for _, cell in rows if cell.number is not None]
    if not known:
        return ""
    ends = [end for number in known for end in number if end is not None]
    low, high = widened(ends, low=0.0, high=1.0 if column.is_rate else 1e300)
    gutter = 14 + _LETTER * min(max(len(style.name) for style, _ in rows), _MOST_LETTERS)
    scale = Scale(low, high, gutter, _RIGHT)
    height = _ROW * len(rows) + 26
    body = ""
    for tick in ticks(low, high, 3):
        body += line(scale(tick), 2, scale(tick), height - 20)
        end = scale(tick) > _RIGHT - 8
        body += text(scale(tick), height - 5, column.tick(tick), anchor="end" if end else "middle")
    said = []
    for place, (style, cell) in enumerate(rows):
        body += _row(column, style, cell, scale, 14 + place * _ROW)
        said.append(f"{style.name} {'none' if cell.number is None else column.text(cell.number.value)}")
    drawing = frame(_WIDTH, height, body, title=column.heading, description=", ".join(said))
    return panel(f"<b>{escape(column.heading)}</b>", _DIRECTIONS.get(column.better, ""), drawing)


def _row(column: Column, style: Style, cell: Cell, scale: Scale, y: float) -> str:
    cut = style.name if len(style.name) <= _MOST_LETTERS else f"{style.name[: _MOST_LETTERS - 1]}…"
    body = text(0, y + 4, cut, "name", "start")
    number, tip = cell.number, f"{style.name}: none"
    if number is not None:
        tip = f"{style.name}: {column.text(number.value)}"
        if number.low is not None and number.high is not None:
            body += line(scale(number.low), y, scale(number.high), y, "whisker")
            tip += f" ({column.text(number.low)} to {column.text(number.high)})"
        hollow = cell.mark == Mark.NONE and column.better != 0
        body += style.marker(scale(number.value), y, hollow=hollow)
    return f'<g class="{style.css}">{body}</g>{box(0, y - _ROW / 2, _WIDTH, _ROW, "hit", tip)}'
