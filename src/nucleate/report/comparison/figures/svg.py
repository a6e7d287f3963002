"""Pieces that figures are made of: a frame with a text alternative, scales, ticks and axes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10


@dataclass(frozen=True)
class Scale:
    """Maps values from `low` … `high` to places from `start` … `stop`."""

    low: float
    high: float
    start: float
    stop: float

    def __call__(self, value: float) -> float:
        """The place of a value."""
        span = (self.high - self.low) or 1.0
        return self.start + (value - self.low) / span * (self.stop - self.start)


def frame(width: float, height: float, body: str, *, title: str, description: str, kind: str = "") -> str:
    """A whole drawing. `title` and `description` are for those who cannot see it."""
    label = escape(f"{title}. {description}")
    return f'<svg class="chart {kind}" viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{label}">{body}</svg>'


def text(x: float, y: float, words: str, kind: str = "tick", anchor: str = "middle") -> str:
    """A line of text."""
    place = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}"{place}>{escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str = "grid") -> str:
    """A straight line."""
    return f'<path class="{kind}" d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"/>'


def box(x: float, y: float, width: float, height: float, kind: str, tip: str = "", extra: str = "") -> str:
    """A rectangle; with a tip, the page shows it under the pointer."""
    says = f' data-tip="{escape(tip)}"' if tip else ""
    return (
        f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{max(height, 0):.1f}"'
        f"{says}{extra}/>"
    )


def ticks(low: float, high: float, count: int = 4) -> list[float]:
    """About `count` round numbers between two values."""
    if not high > low:
        return [low]
    rough = (high - low) / count
    unit = 10 ** floor(log10(rough))
    step = next(factor * unit for factor in (1, 2, 2.5, 5, 10) if factor * unit >= rough * 0.999)
    first = ceil(low / step - 1e-9)
    return [round(k * step, 12) for k in range(first, floor(high / step + 1e-9) + 1)]


def widened(
    values: Iterable[float], *, share: float = 0.08, low: float = -1e300, high: float = 1e300
) -> tuple[float, float]:
    """Range of values with some room at both ends, within limits."""
    values = list(values)
    bottom, top = min(values), max(values)
    room = share * (top - bottom) or abs(top) * 0.05 or 0.05
    return max(bottom - room, low), min(top + room, high)


def plain(value: float) -> str:
    """A tick's number without idle zeros."""
    return f"{value:.6f}".rstrip("0").rstrip(".") if abs(value) < 1e5 else f"{value:g}"


def percent(share: float) -> str:
    """A share for readers."""
    return f"{share:.1%}".replace("%", " %")


def panel(label: str, side: str, drawing: str) -> str:
    """A small drawing below the name of its row; `side` stands right."""
    aside = f'<span class="aside">{escape(side)}</span>' if side else ""
    return f'<div class="panel"><p>{label}{aside}</p>{drawing}</div>'


def figure(heading: str, inside: str, caption: str, *, kind: str = "") -> str:
    """A figure below its heading."""
    note = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f'<figure class="figure {kind}"><h4>{escape(heading)}</h4>{inside}{note}</figure>'
