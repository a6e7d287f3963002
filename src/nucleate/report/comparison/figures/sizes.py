"""Shares by the number of atoms in the cell: validity of new crystals, or predictions that match."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import sqrt
from typing import NamedTuple

from nucleate.report.comparison.figures.svg import Scale, figure, frame, line, plain, text, ticks
from nucleate.report.comparison.style import Style

_EDGES = (1, 5, 9, 13, 17, 21, 31, 51)
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 640, 420, 54, 620, 30, 366
_Z = 1.959964


class Sizes(NamedTuple):
    """Crystals by size.

    Attributes:
        style: of the row; None for the reference.
        num_atoms: the sizes.
        crystals: of each size.
        hits: of these.
    """

    style: Style | None
    num_atoms: Sequence[int]
    crystals: Sequence[int]
    hits: Sequence[int]

    @property
    def name(self) -> str:
        """Of the row."""
        return self.style.name if self.style else "reference"

    def binned(self) -> dict[int, tuple[int, int]]:
        """Crystals and hits by place of the bin in which they are."""
        found: dict[int, tuple[int, int]] = {}
        for size, crystals, hits in zip(self.num_atoms, self.crystals, self.hits, strict=True):
            place = sum(size >= edge for edge in _EDGES) - 1
            before = found.get(place, (0, 0))
            found[place] = before[0] + crystals, before[1] + hits
        return found


def size_figure(rows: Sequence[Sizes], heading: str, axis: str, caption: str) -> str:
    """Draws one line a row; empty if there is nothing to draw."""
    binned = [(row, row.binned()) for row in rows if sum(row.crystals)]
    places = sorted({place for _, bins in binned for place in bins})
    if not places:
        return ""
    intervals = [wilson(hits, crystals) for _, bins in binned for crystals, hits in bins.values()]
    low = max(min(min(low for low, _ in intervals), 0.95) - 0.02, 0.0)
    across, up = Scale(-0.5, len(places) - 0.5, _LEFT, _RIGHT), Scale(low, 1.0, _BOTTOM, _TOP)
    body = text(_LEFT - 44, 14, f"↑ {axis} (%)", "axis-name", "start")
    for tick in ticks(low, 1.0, 5):
        body += line(_LEFT, up(tick), _RIGHT, up(tick))
        body += text(_LEFT - 9, up(tick) + 4, plain(100 * tick), anchor="end")
    for at, place in enumerate(places):
        body += text(across(at), _BOTTOM + 20, _range(place))
    body += text(_RIGHT, _BOTTOM + 43, "atoms in the cell →", "axis-name", "end")
    styled = [row for row, _ in binned if row.style]
    spread = min(0.09, 0.6 / max(len(styled), 1))
    for row, bins in sorted(binned, key=lambda pair: pair[0].style is not None):  # the reference lies behind
        shift = spread * (styled.index(row) - (len(styled) - 1) / 2) if row.style else 0.0
        points = [(across(at + shift), *bins[place], _range(place)) for at, place in enumerate(places) if place in bins]
        body += _line(row, points, up)
    said = "; ".join(_said(row, bins) for row, bins in binned)
    drawing = frame(_WIDTH, _HEIGHT, body, title=heading, description=said, kind="big")
    return figure(heading, drawing, caption, kind="wide")


def wilson(hits: int, count: int) -> tuple[float, float]:
    """Interval of 95 % of a rate (Wilson 1927)."""
    rate, share = hits / count, _Z**2 / count
    centre = (rate + share / 2) / (1 + share)
    reach = _Z / (1 + share) * sqrt(rate * (1 - rate) / count + share / (4 * count))
    return max(centre - reach, 0.0), min(centre + reach, 1.0)


def _range(place: int) -> str:
    if place + 1 == len(_EDGES):
        return f"{_EDGES[place]} and more"
    return f"{_EDGES[place]} to {_EDGES[place + 1] - 1}"


def _line(row: Sizes, points: Sequence[tuple[float, int, int, str]], up: Scale) -> str:
    path = "M" + "L".join(f"{x:.1f} {up(hits / count):.1f}" for x, count, hits, _ in points)
    body = f'<path class="curve" d="{path}"/>'
    for x, count, hits, words in points:
        low, high = wilson(hits, count)
        whisker = line(x, up(low), x, up(high), "whisker") if row.style else ""
        tip = f"{row.name}, {words} atoms: {100 * hits / count:.1f} % of {count:,}"
        marker = row.style.marker(x, up(hits / count), 5) if row.style else ""
        body += f'<g data-tip="{escape(tip)}">{whisker}{marker}'
        body += f'<circle class="hit" cx="{x:.1f}" cy="{up(hits / count):.1f}" r="9"/></g>'
    return f'<g class="{row.style.css if row.style else "reference-line"}">{body}</g>'


def _said(row: Sizes, bins: Mapping[int, tuple[int, int]]) -> str:
    rates = (f"{_range(place)} atoms {100 * hits / count:.0f} %" for place, (count, hits) in sorted(bins.items()))
    return f"{row.name}: {', '.join(rates)}"
