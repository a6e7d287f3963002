"""Shares of kinds, such as crystal systems: a bar a row of samples, on the wider bar of the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from nucleate.report.comparison.figures.svg import Scale, box, figure, frame, line, panel, percent, text
from nucleate.report.comparison.style import Style

_WIDTH, _LEFT, _RIGHT, _ROW = 320, 92, 272, 24


class Shares(NamedTuple):
    """Shares of kinds by their names, of a row and of its reference, and a number to be said beside the name."""

    style: Style
    samples: Mapping[str, float]
    reference: Mapping[str, float]
    aside: str = ""


def bar_figure(rows: Sequence[Shares], heading: str, caption: str, kinds: Sequence[str]) -> str:
    """Draws one panel a row, all on the same axes.

    Args:
        rows: what to draw.
        heading: of the figure.
        caption: below it.
        kinds: in the order from above; those that nobody has are left out.
    """
    kinds = [kind for kind in kinds if any(row.samples.get(kind) or row.reference.get(kind) for row in rows)]
    if not kinds:
        return ""
    top = max(max((*row.samples.values(), *row.reference.values()), default=0.0) for row in rows)
    panels = "".join(_panel(row, kinds, top, heading) for row in rows)
    return figure(heading, f'<div class="panels">{panels}</div>', caption)


def _panel(row: Shares, kinds: Sequence[str], top: float, heading: str) -> str:
    across = Scale(0, top, _LEFT, _RIGHT)
    height = _ROW * len(kinds) + 6
    body = line(_LEFT, 0, _LEFT, height, "axis")
    said = []
    for place, kind in enumerate(kinds):
        y, ours, theirs = place * _ROW + 3, row.samples.get(kind, 0.0), row.reference.get(kind, 0.0)
        tip = f"{kind}: {row.style.name} {percent(ours)}, reference {percent(theirs)}"
        said.append(f"{kind} {percent(ours)}")
        body += text(_LEFT - 8, y + 14, kind, anchor="end")
        body += box(_LEFT, y + 1, across(theirs) - _LEFT, _ROW - 6, "silhouette")
        body += f'<g class="{row.style.css}">{box(_LEFT, y + 6, across(ours) - _LEFT, _ROW - 16, "bar")}</g>'
        body += text(
            max(across(ours), across(theirs)) + 6, y + 14, f"{100 * ours:.1f}" if ours else "", "value", "start"
        )
        body += box(0, y - 2, _WIDTH, _ROW, "hit", tip)
    drawing = frame(_WIDTH, height, body, title=f"{heading}, {row.style.name}", description=", ".join(said))
    return panel(row.style.label(), row.aside, drawing)
