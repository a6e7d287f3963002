"""Training curves: the loss and its terms against the step, from a run's metrics."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nucleate.errors import UserError
from nucleate.report.plotting import BLUE, GREEN, MUTED, ORANGE, figure, save, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_AXES = ("step", "epoch", "seconds", "split")
_SPLITS = {"train": (BLUE, "training"), "val": (ORANGE, "validation")}
_LOG_PEAK = 5.0  # a curve that towers this much over its median, as a falling loss does, gets a logarithmic axis
_SMOOTHED_OVER = 40  # a smoothed curve has about this many independent points
_ALONE_SIZE = 6.0  # of a curve's only point, which has no line that leads the eye to it
_COLUMNS = 3
_PANEL_INCHES = (3.7, 2.5)

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]


def training_curves(metrics_jsonl_path: str | Path, picture_path: str | Path) -> None:
    """Draws every number in a run's metrics against the step: the loss first, then its terms, then whatever else.

    Many training rows are drawn faintly with their running mean over them; validation rows as points joined by a line.

    Args:
        metrics_jsonl_path: one JSON object a line, such as `{"step": 10, "split": "train", "loss": 0.7, "frac": 0.4}`.
            A last line that an interruption cut is left out; of rows with the same step the last counts.
        picture_path: where to write; the suffix picks the format, such as `.png`.

    Raises:
        UserError: the file cannot be read or holds nothing to draw, or matplotlib is missing.
    """
    curves = _curves(_rows(Path(metrics_jsonl_path)))
    if not curves:
        raise UserError(f"{metrics_jsonl_path}: no numbers to draw")
    names = sorted(curves, key=lambda name: name != "loss")  # a stable sort: the others keep their order
    columns = min(_COLUMNS, len(names))
    rows = -(-len(names) // columns)
    width, height = _PANEL_INCHES
    sheet = figure(columns * width, rows * height + 0.35)
    sheet.set_layout_engine("constrained", w_pad=0.12, h_pad=0.1)
    grid = sheet.subplots(rows, columns, squeeze=False)
    for ax in grid.flat[len(names) :]:
        ax.remove()
    for ax, name in zip(grid.flat, names, strict=False):
        _draw(ax, name, curves[name])
    for ax in grid.flat[max(len(names) - columns, 0) : len(names)]:
        ax.set_xlabel("step", color=MUTED, size=9)
    labelled = [ax.get_legend_handles_labels() for ax in grid.flat[: len(names)]]
    lines = {label: line for pair in labelled for line, label in zip(*pair, strict=True)}
    sheet.legend(lines.values(), lines.keys(), loc="outside upper left", ncols=4, frameon=False, fontsize=9)
    save(sheet, picture_path)


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    rows = []
    for i, line in enumerate(lines):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            if i == len(lines) - 1:
                break  # the run was stopped while it wrote
            raise UserError(f"{path}: line {i + 1} is not JSON: {error.msg}") from error
        if not isinstance(row, dict) or not _is_number(row.get("step")):
            raise UserError(f"{path}: line {i + 1} has no step")
        rows.append(row)
    return rows


def _curves(rows: list[dict[str, Any]]) -> dict[str, dict[str, Curve]]:
    """Steps and values by term and split. Terms come in the order of their first row; NaN is kept and leaves a gap."""
    values: dict[str, dict[str, dict[float, float]]] = defaultdict(lambda: defaultdict(dict))
    for row in rows:
        for name, value in row.items():
            if name not in _AXES and _is_number(value):
                values[name][str(row.get("split", "train"))][float(row["step"])] = float(value)
    return {
        name: {split: _sorted(points) for split, points in sorted(splits.items())} for name, splits in values.items()
    }


def _sorted(points: dict[float, float]) -> Curve:
    steps = sorted(points)
    return np.array(steps), np.array([points[step] for step in steps])


def _draw(ax: Axes, name: str, splits: dict[str, Curve]) -> None:
    for split, (steps, values) in splits.items():
        colour, label = _SPLITS.get(split, (GREEN, split))
        if split == "train" and len(steps) > 2 * _SMOOTHED_OVER:
            ax.plot(steps, values, color=colour, alpha=0.22, linewidth=0.8)
            ax.plot(steps, _running_mean(values), color=colour, linewidth=1.6, label=label)
        else:
            marker = "o" if len(steps) <= _SMOOTHED_OVER else ""
            size = _ALONE_SIZE if len(steps) == 1 else 3.2
            ax.plot(steps, values, color=colour, linewidth=1.4, marker=marker, markersize=size, label=label)
    _use_whole_steps(ax, np.unique(np.concatenate([steps for steps, _ in splits.values()])))
    if _towers(np.concatenate([values for _, values in splits.values()])):
        _use_log_axis(ax)
    tidy(ax, name.replace("_", " "))


def _use_whole_steps(ax: Axes, steps: NDArray[np.float64]) -> None:
    """Ticks at whole numbers; a step that is alone is in the middle of its two neighbours."""
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(nbins="auto", integer=True, min_n_ticks=1))
    if len(steps) == 1:
        ax.set_xlim(steps[0] - 1.5, steps[0] + 1.5)
        ax.margins(y=0.5)


def _use_log_axis(ax: Axes) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _running_mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over a centred window, cut at the ends; values that are not finite do not count."""
    half = max(len(values) // (2 * _SMOOTHED_OVER), 1)
    finite = np.isfinite(values)
    sums = np.concatenate([[0.0], np.cumsum(np.where(finite, values, 0.0))])
    counts = np.concatenate([[0], np.cumsum(finite)])
    place = np.arange(len(values))
    low, high = np.maximum(place - half, 0), np.minimum(place + half + 1, len(values))
    number = counts[high] - counts[low]
    return np.where(number > 0, (sums[high] - sums[low]) / np.maximum(number, 1), np.nan)


def _towers(values: NDArray[np.float64]) -> bool:
    finite = values[np.isfinite(values)]
    return bool(len(finite) and finite.min() > 0 and finite.max() > _LOG_PEAK * np.median(finite))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
