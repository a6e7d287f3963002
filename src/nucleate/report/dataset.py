"""The picture of a data set: its elements on the periodic table, and how its crystals are distributed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nucleate.elements import MAX_NUMBER, SYMBOLS, group, period
from nucleate.errors import UserError
from nucleate.files.atomic import replacing
from nucleate.report.plotting import figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INK, _MUTED, _GRID = "#1d2329", "#6a737d", "#e4e7ea"
_BAR = "#0072B2"
_ABSENT, _ABSENT_INK = "#f3f5f6", "#bcc5ce"
_COLOURS, _PALEST = "YlGnBu", 0.08  # the lowest end of the map is too close to white
_INK_TURNS_WHITE = 0.55
_F_BLOCK = (range(57, 72), range(89, MAX_NUMBER + 1))
_F_ROWS = (7.4, 8.4)
_MOST_BARS = 60
_BINS = 40


def dataset_picture(
    path: str | Path,
    *,
    title: str,
    with_element: NDArray[np.int64],
    atoms_per_cell: NDArray[np.int64],
    volume_per_atom: NDArray[np.float64],
    elements_per_crystal: NDArray[np.int64],
) -> None:
    """Draws a data set of B crystals.

    Args:
        path: where to write; the suffix picks the format, such as `.png`.
        title: over the picture.
        with_element: crystals that contain each element, by atomic number, shape (119,).
        atoms_per_cell: shape (B,).
        volume_per_atom: in Å³, shape (B,).
        elements_per_crystal: shape (B,).

    Raises:
        UserError: there are no crystals, the suffix is no format of pictures, or matplotlib is not installed.
    """
    if not len(atoms_per_cell):
        raise UserError(f"{title}: no crystals to draw")
    sheet = figure(11, 8.4)
    sheet.suptitle(title, x=0.073, y=0.97, ha="left", fontsize=15, fontweight="bold", color=_INK, parse_math=False)
    _table(sheet.add_axes((0.035, 0.33, 0.93, 0.6)), with_element)
    panels = [sheet.add_axes((left, 0.075, 0.25, 0.2)) for left in (0.065, 0.385, 0.705)]
    _bars(panels[0], atoms_per_cell, "atoms per cell")
    _histogram(panels[1], volume_per_atom, "volume per atom (Å³)")
    _bars(panels[2], elements_per_crystal, "elements per crystal")
    _save(sheet, Path(path))


def _save(sheet: Figure, path: Path) -> None:
    formats = sheet.canvas.get_supported_filetypes()
    if path.suffix.lower().removeprefix(".") not in formats:
        raise UserError(f"{path}: no format of pictures; there are {', '.join(sorted(formats))}")
    with replacing(path) as temporary:
        sheet.savefig(temporary, dpi=150, facecolor="white")


def _table(axes: Axes, with_element: NDArray[np.int64]) -> None:
    from matplotlib.patches import FancyBboxPatch

    most = int(with_element.max())
    for z in range(1, MAX_NUMBER + 1):
        count = int(with_element[z])
        x, y = _seat(z)
        height = float(np.sqrt(count / most))  # oxygen is so frequent that all others would be pale on a linear scale
        box = FancyBboxPatch((x + 0.04, y + 0.04), 0.92, 0.92, boxstyle="round,pad=0,rounding_size=0.09", linewidth=0)
        box.set_facecolor(_shade(height) if count else _ABSENT)
        axes.add_patch(box)
        ink = _ABSENT_INK if not count else "white" if height > _INK_TURNS_WHITE else _INK
        axes.text(x + 0.5, y + 0.42, SYMBOLS[z], ha="center", va="center", color=ink, size=12, weight="bold")
        if count:
            axes.text(x + 0.5, y + 0.77, f"{count:,}", ha="center", va="center", color=ink, size=6.5)
    _scale_bar(axes, most)
    axes.set(xlim=(0, 18), ylim=(9.5, -0.1), aspect="equal")
    axes.axis("off")


def _seat(z: int) -> tuple[float, float]:
    """Left and upper edge of an element's unit square."""
    for elements, row in zip(_F_BLOCK, _F_ROWS, strict=True):
        if z in elements:
            return 2.0 + elements.index(z), row
    return group(z) - 1.0, period(z) - 1.0


def _shade(height: float) -> tuple[float, float, float, float]:
    from matplotlib import colormaps

    return colormaps[_COLOURS](_PALEST + (1 - _PALEST) * height)


def _scale_bar(axes: Axes, most: int) -> None:
    """The colours with their numbers, in the gap over the transition metals."""
    left, right, top, bottom = 3.0, 11.0, 1.15, 1.45
    colours = np.array([[_shade(height) for height in np.linspace(0, 1, 256)]])
    axes.imshow(colours, extent=(left, right, bottom, top), aspect="auto", interpolation="bilinear")
    axes.text(left, top - 0.22, "crystals with the element", color=_INK, size=9.5)
    for count in sorted({round(most * height**2) for height in (0, 0.25, 0.5, 0.75, 1)}):
        place = left + (right - left) * np.sqrt(count / most)
        axes.text(place, bottom + 0.32, f"{count:,}", ha="center", va="center", color=_MUTED, size=8)


def _bars(axes: Axes, values: NDArray[np.int64], name: str) -> None:
    """How many crystals have each whole number; a histogram if there are many different ones."""
    if values.max() > _MOST_BARS:
        _histogram(axes, values, name)
        return
    from matplotlib.ticker import MaxNLocator

    heights = np.bincount(values)
    axes.bar(np.arange(len(heights)), heights, width=0.8, color=_BAR)
    axes.set_xlim(max(values.min() - 1, 0), values.max() + 1)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8, steps=[1, 2, 5, 10], min_n_ticks=1))
    _finish(axes, name)


def _histogram(axes: Axes, values: np.ndarray, name: str) -> None:
    """A histogram up to the 99.5th percentile, and what is beyond in words."""
    end = float(np.quantile(values, 0.995))
    shown = values[values <= end]
    axes.hist(shown, bins=_BINS, color=_BAR)
    if len(shown) < len(values):
        beyond = f"{len(values) - len(shown):,} more up to {values.max():,.0f}"
        axes.text(0.99, 0.95, beyond, transform=axes.transAxes, ha="right", va="top", color=_MUTED, size=8)
    _finish(axes, name)


def _finish(axes: Axes, name: str) -> None:
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    axes.set_title(name, loc="left", size=10.5, color=_INK)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=4, min_n_ticks=1))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.grid(axis="y", color=_GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=8, colors=_MUTED, length=0)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(_GRID)
