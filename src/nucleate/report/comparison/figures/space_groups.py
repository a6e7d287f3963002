"""All 230 space groups in a row: samples stand up, the reference hangs down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import sqrt

from nucleate.evaluation.space_groups import LAST, SYSTEMS
from nucleate.report.comparison.figures.bars import Shares
from nucleate.report.comparison.figures.svg import Scale, box, figure, frame, panel, percent, text

_WIDTH, _TOP, _HEIGHT = 640, 18, 150  # the height is that of the highest bar up and the longest one down together
_BAND = 18  # between both halves, for the names of the systems
_NAMED = 4


def space_group_figure(rows: Sequence[Shares], caption: str) -> str:
    """Draws one panel a row; heights are square roots of shares, so that rare groups are seen beside P1."""
    rows = [row for row in rows if row.samples]
    if not rows:
        return ""
    highest = max(sqrt(max(row.samples.values())) for row in rows)
    deepest = max(sqrt(max(row.reference.values(), default=0.0)) for row in rows)
    middle = _TOP + _HEIGHT * highest / (highest + deepest)
    panels = "".join(_panel(row, middle, highest, deepest) for row in rows)
    return figure("Space groups", f'<div class="panels broad">{panels}</div>', caption)


def _panel(row: Shares, middle: float, highest: float, deepest: float) -> str:
    across = Scale(0.5, 230.5, 4, _WIDTH - 4)
    bottom = _TOP + _HEIGHT + _BAND
    up, down = Scale(0, highest, middle, _TOP), Scale(0, deepest, middle + _BAND, bottom)
    width = across(2) - across(1)
    body = _bands(across, middle)
    ours, theirs = _by_number(row.samples), _by_number(row.reference)
    bars, hits = "", ""
    for group in sorted({*ours, *theirs}):
        left, share, target = across(group - 0.5), ours.get(group, 0.0), theirs.get(group, 0.0)
        if share:
            bars += box(left, up(sqrt(share)), width * 0.86, middle - up(sqrt(share)), "bar")
        if target:
            body += box(left, middle + _BAND, width * 0.86, down(sqrt(target)) - middle - _BAND, "silhouette strong")
        tip = f"space group {group}: {row.style.name} {percent(share)}, reference {percent(target)}"
        hits += box(left, 0, width, bottom + 16, "hit", tip)
    body += f'<g class="{row.style.css}">{bars}</g>{_names(ours, across, up, above=True)}'
    body += _names(theirs, across, down, above=False) + hits
    said = ", ".join(f"number {group} {100 * ours[group]:.1f} %" for group in _most(ours))
    drawing = frame(_WIDTH, bottom + 16, body, title=f"Space groups, {row.style.name}", description=f"Most: {said}")
    return panel(row.style.label(), row.aside, drawing)


def _by_number(shares: Mapping[str, float]) -> dict[int, float]:
    """Shares by number; those without a group have the number 0, which is not drawn."""
    return {int(group): share for group, share in shares.items() if int(group)}


def _most(shares: Mapping[int, float]) -> list[int]:
    return sorted(shares, key=lambda group: -shares[group])[:_NAMED]


def _names(shares: Mapping[int, float], across: Scale, level: Scale, *, above: bool) -> str:
    """Numbers of the most frequent groups at the ends of their bars, unless another stands there."""
    body, taken = "", []
    for group in _most(shares):
        x, y = across(group), level(sqrt(shares[group])) + (-4 if above else 12)
        if all(abs(x - other) > 22 or abs(y - height) > 11 for other, height in taken):
            body += text(min(max(x, 8), _WIDTH - 10), y, str(group), "value")
            taken.append((x, y))
    return body


def _bands(across: Scale, middle: float) -> str:
    body = ""
    for place, (name, (before, last)) in enumerate(zip(SYSTEMS[1:], pairwise(LAST), strict=True)):
        left, right = across(before + 0.5), across(last + 0.5)
        body += box(left, middle, right - left, _BAND, f"band{' odd' if place % 2 else ''}")
        short = name if right - left > 6.4 * len(name) else ""
        body += text((left + right) / 2, middle + 13, short, "band-name") if short else ""
    return body
