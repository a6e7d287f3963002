"""Quality against diversity: one point a row, with a choice of what is on the axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from nucleate.report.comparison.columns import Column
from nucleate.report.comparison.entry import Entry, Number
from nucleate.report.comparison.figures.svg import Scale, figure, frame, line, text, ticks, widened
from nucleate.report.comparison.figures.switch import Choice, switch
from nucleate.report.comparison.style import Style

QUALITY = (
    Column("validity", "Validity"),
    Column("cov_precision", "COV-P"),
    Column("cov_precision_joint", "COV-P, joint"),
    Column("composition_validity", "Composition validity"),
)
DIVERSITY = (
    Column("novelty", "Novelty"),
    Column("uniqueness", "Uniqueness"),
    Column("cov_recall", "COV-R"),
    Column("structure_diversity", "Diversity of structures", is_rate=False),
    Column("composition_diversity", "Diversity of compositions", is_rate=False, digits=2),
)

_WIDTH, _HEIGHT = 640, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 54, 622, 30, 366


def tradeoff_figure(entries: Sequence[Entry], styles: Mapping[str, Style], heading: str) -> str:
    """Draws every pair of axes that all rows together have numbers for; empty if there are not two rows or no pair."""
    drawings = {
        (y.key, x.key): drawing for y in QUALITY for x in DIVERSITY if (drawing := _scatter(entries, styles, x, y))
    }
    if not drawings or len(entries) < 2:
        return ""
    kept = [{key[side] for key in drawings} for side in (0, 1)]
    choices = [
        Choice(name, {column.key: column.label for column in columns if column.key in keys})
        for name, columns, keys in (("Quality", QUALITY, kept[0]), ("Diversity", DIVERSITY, kept[1]))
    ]
    caption = (
        "One point a row: a model and its way of sampling. Crosses are intervals of 95 %. A model that repeats what it "
        "has seen is valid and not novel, noise is novel and not valid: what is good stands up and to the right."
    )
    return figure(heading, switch(choices, drawings), caption, kind="wide")


def _scatter(entries: Sequence[Entry], styles: Mapping[str, Style], x: Column, y: Column) -> str:
    points = [(styles[e.name], a, b) for e in entries if (a := e.number(x.key)) and (b := e.number(y.key))]
    if len(points) < 2:
        return ""
    across = _scale(x, [a for _, a, _ in points], _LEFT, _RIGHT)
    up = _scale(y, [b for _, _, b in points], _BOTTOM, _TOP)
    body = _axes(x, y, across, up)
    places: list[tuple[float, float]] = []
    for style, a, b in points:
        body += _point(style, a, b, x, y, across, up)
        places.append((across(a.value), up(b.value)))
    body += _names([style for style, _, _ in points], places)
    said = "; ".join(f"{s.name}: {x.label} {x.text(a.value)}, {y.label} {y.text(b.value)}" for s, a, b in points)
    return frame(_WIDTH, _HEIGHT, body, title=f"{y.label} against {x.label}", description=said, kind="big")


def _scale(column: Column, numbers: Sequence[Number], start: float, stop: float) -> Scale:
    ends = [end for number in numbers for end in number if end is not None]
    low, high = widened(ends, share=0.16, low=0.0, high=1.0 if column.is_rate else 1e300)
    return Scale(low, high, start, stop)


def _axes(x: Column, y: Column, across: Scale, up: Scale) -> str:
    body = ""
    for tick in ticks(across.low, across.high, 5):
        body += line(across(tick), _TOP, across(tick), _BOTTOM)
        body += text(across(tick), _BOTTOM + 20, x.tick(tick))
    for tick in ticks(up.low, up.high, 5):
        body += line(_LEFT, up(tick), _RIGHT, up(tick))
        body += text(_LEFT - 9, up(tick) + 4, y.tick(tick), anchor="end")
    body += line(_LEFT, _BOTTOM, _RIGHT, _BOTTOM, "axis")
    body += text(_RIGHT, _BOTTOM + 43, f"{x.heading} →", "axis-name", "end")
    return body + text(_LEFT - 48, 13, f"↑ {y.heading}", "axis-name", "start")


def _point(style: Style, a: Number, b: Number, x: Column, y: Column, across: Scale, up: Scale) -> str:
    left, top = across(a.value), up(b.value)
    cross = ""
    if a.low is not None and a.high is not None:
        cross += line(across(a.low), top, across(a.high), top, "whisker")
    if b.low is not None and b.high is not None:
        cross += line(left, up(b.low), left, up(b.high), "whisker")
    tip = f"{style.name}: {x.label} {x.text(a.value)}, {y.label} {y.text(b.value)}"
    return f'<g class="{style.css}" data-tip="{escape(tip)}">{cross}{style.marker(left, top, 7.5)}</g>'


def _names(styles: Sequence[Style], places: Sequence[tuple[float, float]]) -> str:
    """Names beside their points, moved down where they would stand on another's."""
    body, taken = "", []
    for style, (x, y) in sorted(zip(styles, places, strict=True), key=lambda pair: pair[1][1]):
        width = 7.6 * len(style.name)
        right = x + 14 + width < _WIDTH
        left, level = (x + 14, y - 9) if right else (x - 14 - width, y - 9)
        while any(abs(level - other) < 15 and left < end and begin < left + width for other, begin, end in taken):
            level += 15
        taken.append((level, left, left + width))
        anchor, at = ("start", x + 14) if right else ("end", x - 14)
        body += f'<g class="{style.css}">{text(at, level, style.name, "name", anchor)}</g>'
    return body
