"""Colour and marker of each row, the same on the whole page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from math import cos, pi, sin

COLOURS = 8
"""Variables `--s0` to `--s7` of the stylesheet: hues of Okabe and Ito, moved apart until every colour-blind eye tells
all eight from each other, and from the page, in the light and in the dark."""

# Each of about the same area, in a circle of radius 1.
_ARC = "M-1 0A1 1 0 1 0 1 0A1 1 0 1 0 -1 0Z"


def _polygon(corners: int, radius: float, turn: float = 0.0) -> str:
    angles = [2 * pi * k / corners + turn for k in range(corners)]
    return "M" + "L".join(f"{radius * sin(angle):.3f} {-radius * cos(angle):.3f}" for angle in angles) + "Z"


_PLUS = "M-.36-1.1H.36V-.36H1.1V.36H.36V1.1H-.36V.36H-1.1V-.36H-.36Z"
_SHAPES = (
    _ARC,
    _polygon(4, 1.25, pi / 4),
    _polygon(3, 1.45),
    _polygon(4, 1.3),
    _polygon(3, 1.45, pi),
    _PLUS,
    _polygon(6, 1.12),
    _polygon(5, 1.2),
)


@dataclass(frozen=True)
class Style:
    """How a row is drawn.

    Attributes:
        name: of the row.
        place: among the rows; decides colour and marker.
    """

    name: str
    place: int

    @property
    def css(self) -> str:
        """Class that sets the colour, and by which the page finds what belongs to the row."""
        return f"s{self.place % COLOURS} row-{self.place}"

    def marker(self, x: float, y: float, radius: float = 5.5, *, hollow: bool = False) -> str:
        """The marker as an SVG path. After eight rows colours begin again, with other markers."""
        shape = _SHAPES[(self.place + self.place // COLOURS) % len(_SHAPES)]
        kind = "marker hollow" if hollow else "marker"
        return f'<path class="{kind}" d="{shape}" transform="translate({x:.1f} {y:.1f}) scale({radius:g})"/>'

    def swatch(self) -> str:
        """The marker for use beside text."""
        return f'<svg class="swatch {self.css}" viewBox="-9 -9 18 18" aria-hidden="true">{self.marker(0, 0, 6)}</svg>'

    def label(self) -> str:
        """Marker and name, as HTML."""
        return f'<span class="label {self.css}">{self.swatch()}<span>{escape(self.name)}</span></span>'


def styles(names: Iterable[str]) -> dict[str, Style]:
    """One style a name, in their order."""
    return {name: Style(name, place) for place, name in enumerate(dict.fromkeys(names))}
