"""Figures without a display and without global state, in the one style of the package's pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nucleate.errors import UserError
from nucleate.files.atomic import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTED, GRID, PALE = "#1d2329", "#6a737d", "#e4e7ea", "#f3f5f6"
BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"  # of Okabe and Ito: told apart by colour-blind eyes


def figure(width: float, height: float) -> Figure:
    """Makes an empty figure, in inches, that needs neither pyplot nor a display.

    Raises:
        UserError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise UserError("pictures need matplotlib: pip install 'nucleate[plots]'") from error
    return Figure(figsize=(width, height))


def save(sheet: Figure, path: str | Path, dpi: float = 150) -> None:
    """Writes a figure on white; the suffix picks the format, such as `.png`.

    Raises:
        UserError: the suffix is no format of pictures, or the file cannot be written.
    """
    path, formats = Path(path), sheet.canvas.get_supported_filetypes()
    if path.suffix.lower().removeprefix(".") not in formats:
        raise UserError(f"{path}: no format of pictures; there are {', '.join(sorted(formats))}")
    with replacing(path) as temporary:
        sheet.savefig(temporary, dpi=dpi, facecolor="white")


def tidy(ax: Axes, title: str) -> None:
    """Gives axes a title at the left, a pale grid behind the curves, and no frame but the bottom line."""
    ax.set_title(title, loc="left", size=10.5, color=INK, parse_math=False)
    ax.grid(color=GRID, linewidth=0.7)
    ax.set_axisbelow(True)
    ax.tick_params(which="both", labelsize=8, colors=MUTED, length=0)
    for side, spine in ax.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(GRID)
