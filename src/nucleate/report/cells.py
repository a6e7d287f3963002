"""Pictures of unit cells: one on a given axes, or a contact sheet of many."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import track

from nucleate.crystals import Crystals
from nucleate.drawing.raster import render
from nucleate.drawing.scene import build_scene, why_not_drawn
from nucleate.elements import reduced_formula
from nucleate.errors import UserError
from nucleate.report.plotting import INK, MUTED, PALE, figure, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_TITLE_SIZE, _SMALLEST_TITLE, _TITLE_LETTERS = 11.0, 6.0, 22
_TILE, _STRIP = 2.2, 0.36  # inches: a tile and the strip above it for the title
_GAP = 0.04  # of a tile, on each side
_DPI, _MOST_PIXELS = 150, 60_000  # matplotlib draws pictures of less than 2**16 pixels on a side


def draw_cell(ax: Axes, crystal: Crystals, title: str | None = None, pixels: int = 420) -> None:
    """Draws the unit cell of one crystal: its edges, its atoms with their images on the boundary, and its bonds.

    Args:
        ax: matplotlib axes, which the picture fills; ticks and frame are taken away.
        crystal: a batch of one. If it has no picture, a tile with the reason takes its place.
        title: written above; by default the reduced formula.
        pixels: width and height of the picture.

    Raises:
        ValueError: there is not one crystal.
    """
    if len(crystal) != 1:
        raise ValueError(f"draw_cell draws one crystal, not {len(crystal)}")
    ax.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    ax.set_axis_off()
    reason = why_not_drawn(crystal)
    if reason:
        _draw_tile(ax, reason)
    else:
        picture = (render(build_scene(crystal), pixels) * 255).round().astype("uint8")
        ax.imshow(picture, extent=(0, 1, 0, 1), interpolation="antialiased")
    text = _cut(formula_title(crystal) if title is None else title, 2 * _TITLE_LETTERS)
    size = max(_SMALLEST_TITLE, _TITLE_SIZE * min(1.0, _TITLE_LETTERS / max(len(text), 1)))
    ax.set_title(text, size=size, color=MUTED if reason else INK, pad=4, parse_math=False)


def contact_sheet(crystals: Crystals, path: str | Path, titles: Sequence[str] | None = None, columns: int = 5) -> None:
    """Draws many unit cells, row by row, into one picture.

    Args:
        crystals: the cells, in reading order; those that failed show their reason.
        path: where to write; the suffix picks the format, such as `.png`.
        titles: one a crystal; by default the reduced formulas.
        columns: tiles per row.

    Raises:
        UserError: there is nothing to draw, the titles do not match, the suffix is no format, or matplotlib is missing.
    """
    if not len(crystals):
        raise UserError("a contact sheet needs at least one crystal")
    if titles is not None and len(titles) != len(crystals):
        raise UserError(f"{len(titles)} titles for {len(crystals)} crystals")
    columns = min(max(columns, 1), len(crystals))
    rows = -(-len(crystals) // columns)
    sheet = figure(columns * _TILE, rows * (_TILE + _STRIP))
    dpi = min(_DPI, _MOST_PIXELS / max(sheet.get_size_inches()))
    console = Console(stderr=True)
    numbered = track(
        enumerate(crystals), "drawing", len(crystals), console=console, transient=True, disable=not console.is_terminal
    )
    for i, crystal in numbered:
        row, column = divmod(i, columns)
        ax = sheet.add_axes(
            ((column + _GAP) / columns, 1 - (row + 1) / rows, (1 - 2 * _GAP) / columns, _TILE / (_TILE + _STRIP) / rows)
        )
        draw_cell(ax, crystal, None if titles is None else titles[i], max(int(_TILE * dpi), 1))
    save(sheet, path, dpi)


def formula_title(crystal: Crystals) -> str:
    """Reduced formula with subscripts, such as `LiFePO₄`; a dash where there are no atoms."""
    return reduced_formula(crystal.numbers.tolist()).translate(_SUBSCRIPTS) or "–"


def _draw_tile(ax: Axes, reason: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    shape = "round,pad=0,rounding_size=0.04"
    ax.add_patch(FancyBboxPatch((0.06, 0.06), 0.88, 0.88, boxstyle=shape, facecolor=PALE, edgecolor="none"))
    # `parse_math=False`: a reason or a title may hold a dollar sign.
    ax.text(0.5, 0.5, fill(_cut(reason, 150), 26), ha="center", va="center", size=8, color=MUTED, parse_math=False)


def _cut(text: str, letters: int) -> str:
    return text if len(text) <= letters else f"{text[: letters - 1]}…"
