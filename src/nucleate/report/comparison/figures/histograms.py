"""Distributions of a number on fixed bins: each row as a line before the silhouette of its reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nucleate.report.comparison.figures.svg import Scale, box, figure, frame, line, panel, percent, plain, text, ticks
from nucleate.report.comparison.style import Style

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 320, 168, 6, 314, 8, 142
_COVERED = 0.997  # share of everybody's crystals that the axis reaches


@dataclass(frozen=True)
class Histogram:
    """Counts in bins from 0.

    Attributes:
        style: of the row.
        width: of a bin.
        samples: counts; the last is all that is beyond the bins.
        reference: likewise; empty if there is none.
        aside: a number to be said beside the name.
    """

    style: Style
    width: float
    samples: Sequence[int]
    reference: Sequence[int]
    aside: str = ""


def histogram_figure(histograms: Sequence[Histogram], heading: str, unit: str, caption: str) -> str:
    """Draws one panel a row, all on the same axes; empty if there is nothing to draw."""
    drawn = [h for h in histograms if sum(h.samples)]
    if not drawn:
        return ""
    bins = max(_bins_needed(counts) for h in drawn for counts in (h.samples, h.reference) if sum(counts))
    top = max(max(shares) for h in drawn for counts in (h.samples, h.reference) if (shares := _shares(counts)[:bins]))
    panels = "".join(_panel(h, bins, top, heading, unit) for h in drawn)
    return figure(heading, f'<div class="panels">{panels}</div>', caption)


def _shares(counts: Sequence[int]) -> list[float]:
    total = sum(counts)
    return [count / total for count in counts] if total else []


def _bins_needed(counts: Sequence[int]) -> int:
    reached, total = 0, sum(counts)
    for place, count in enumerate(counts[:-1]):
        reached += count
        if reached >= _COVERED * total:
            return place + 1
    return len(counts) - 1


def _panel(histogram: Histogram, bins: int, top: float, heading: str, unit: str) -> str:
    ours, theirs = _shares(histogram.samples), _shares(histogram.reference)
    width, style = histogram.width, histogram.style
    across, up = Scale(0, bins * width, _LEFT, _RIGHT), Scale(0, top, _BOTTOM, _TOP)
    body = _axis(across, unit)
    if theirs:
        body += f'<path class="silhouette" d="{_steps(theirs[:bins], across, up, width, closed=True)}"/>'
    body += f'<g class="{style.css}"><path class="wash" d="{_steps(ours[:bins], across, up, width, closed=True)}"/>'
    body += f'<path class="curve" d="{_steps(ours[:bins], across, up, width)}"/></g>'
    for place in range(bins):
        left = place * width
        tip = f"{plain(left)} to {plain(left + width)} {unit}: {style.name} {percent(ours[place])}"
        tip += f", reference {percent(theirs[place])}" if theirs else ""
        body += box(across(left), _TOP, across(width) - _LEFT, _BOTTOM - _TOP, "hit", tip)
    beyond = sum(ours[bins:])
    if beyond >= 0.0005:
        body += text(_RIGHT, _TOP + 9, f"{100 * beyond:.1f} % beyond", "note", "end")
    mode = max(range(bins), key=lambda place: ours[place]) * width
    description = f"Most frequent from {plain(mode)} to {plain(mode + width)} {unit}. {histogram.aside}"
    drawing = frame(_WIDTH, _HEIGHT, body, title=f"{heading}, {style.name}", description=description)
    return panel(style.label(), histogram.aside, drawing)


def _steps(shares: Sequence[float], across: Scale, up: Scale, width: float, *, closed: bool = False) -> str:
    """A stairway over the bins, down to the axis at both ends."""
    path = f"M{_LEFT} {_BOTTOM}"
    for place, share in enumerate(shares):
        path += f"V{up(share):.1f}H{across((place + 1) * width):.1f}"
    return path + (f"V{_BOTTOM}Z" if closed else "")


def _axis(across: Scale, unit: str) -> str:
    body = line(_LEFT, _BOTTOM, _RIGHT, _BOTTOM, "axis")
    marks = ticks(0, across.high, 5)
    for place, tick in enumerate(marks):
        last = place == len(marks) - 1
        anchor = "start" if tick == 0 else "end" if across(tick) > _RIGHT - 12 else "middle"
        body += text(across(tick), _BOTTOM + 18, plain(tick) + (f" {unit}" if last else ""), anchor=anchor)
    return body
