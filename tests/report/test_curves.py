from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from nucleate.errors import UserError
from nucleate.report.curves import _curves, _draw, _rows, _running_mean, _towers, training_curves
from nucleate.report.plotting import figure


def write(path, rows: list[dict], end: str = ""):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + end)
    return path


@pytest.fixture
def metrics(tmp_path):
    rows = [
        {"step": s, "epoch": 0, "seconds": 0.1 * s, "split": "train", "loss": 3 / s, "frac": 2 / s, "a_new_term": 1.0}
        for s in range(1, 200)
    ]
    rows += [{"step": s, "split": "val", "loss": 4 / s} for s in (50, 100)]
    return write(tmp_path / "metrics.jsonl", rows)


def test_one_panel_a_term_and_the_same_bytes_again(metrics, tmp_path):
    for name in ("a.png", "b.png"):
        training_curves(metrics, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    picture = Image.open(tmp_path / "a.png").convert("RGB")
    assert picture.size == (3 * 555, 427)
    colours = {tuple(pixel) for pixel in np.unique(np.asarray(picture).reshape(-1, 3), axis=0)}
    assert {(0, 114, 178), (213, 94, 0)} <= colours  # training and validation


def test_every_number_becomes_a_curve_by_term_and_split(metrics):
    curves = _curves(_rows(metrics))
    assert {name: set(splits) for name, splits in curves.items()} == {
        "loss": {"train", "val"},
        "frac": {"train"},
        "a_new_term": {"train"},
    }
    steps, values = curves["loss"]["val"]
    assert steps.tolist() == [50, 100]
    assert values.tolist() == [0.08, 0.04]


def test_a_resumed_run_overwrites_the_steps_that_it_repeats(tmp_path):
    rows = [{"step": s, "split": "train", "loss": v} for s, v in ((1, 5.0), (2, 4.0), (3, 9.0), (2, 4.5), (3, 3.0))]
    steps, values = _curves(_rows(write(tmp_path / "m.jsonl", rows)))["loss"]["train"]
    assert steps.tolist() == [1, 2, 3]
    assert values.tolist() == [5.0, 4.5, 3.0]


def test_a_last_line_that_was_cut_is_left_out_but_a_broken_file_is_refused(tmp_path):
    row = {"step": 1, "split": "train", "loss": 1.0}
    assert _rows(write(tmp_path / "m.jsonl", [row], '{"step": 2, "lo')) == [row]
    path = write(tmp_path / "m.jsonl", [row], '{"step": 2, "lo\n{"step": 3}\n')
    with pytest.raises(UserError, match="line 2 is not JSON"):
        training_curves(path, tmp_path / "a.png")
    with pytest.raises(UserError, match="line 1 has no step"):
        training_curves(write(tmp_path / "m.jsonl", [{"loss": 1.0}]), tmp_path / "a.png")
    with pytest.raises(UserError, match="no numbers"):
        training_curves(write(tmp_path / "m.jsonl", []), tmp_path / "a.png")
    with pytest.raises(UserError, match="cannot read"):
        training_curves(tmp_path / "absent.jsonl", tmp_path / "a.png")


def test_values_that_are_not_finite_or_not_numbers_do_not_stop_the_picture(tmp_path):
    rows = [{"step": 1, "loss": float("nan"), "note": "x", "ok": True}, {"step": 2, "loss": 0.0, "split": "test"}]
    training_curves(write(tmp_path / "m.jsonl", rows), tmp_path / "a.png")
    assert set(_curves(_rows(tmp_path / "m.jsonl"))) == {"loss"}


@pytest.mark.parametrize(
    ("steps", "limits", "ticks"),
    [([1], (-0.5, 2.5), [0, 1, 2]), ([40], (38.5, 41.5), [39, 40, 41]), ([20, 21, 22], None, [20, 21, 22])],
)
def test_steps_are_whole_numbers_and_a_single_point_can_be_seen(steps, limits, ticks):
    ax = figure(3.7, 2.5).subplots()
    _draw(ax, "loss", {"train": (np.array(steps, dtype=float), np.full(len(steps), 7.3))})
    low, high = ax.get_xlim()
    assert limits is None or (low, high) == limits
    assert [tick for tick in ax.get_xticks() if low <= tick <= high] == ticks
    (line,) = ax.get_lines()
    assert line.get_marker() == "o"
    bottom, top = ax.get_ylim()
    assert bottom < 7.3 < top
    assert top - bottom > 0.05


def test_running_mean_is_the_mean_of_a_window():
    values = np.random.default_rng(0).random(400)
    values[17] = np.nan
    smooth = _running_mean(values)
    half = 5
    for i in (0, 3, 17, 200, 399):
        assert smooth[i] == pytest.approx(np.nanmean(values[max(i - half, 0) : i + half + 1]))


def test_a_falling_loss_gets_a_logarithmic_axis_and_a_flat_one_does_not():
    assert _towers(np.exp(-np.arange(100) / 10))
    assert not _towers(np.linspace(1, 0.1, 100))
    assert not _towers(np.array([1e6, 1, 1, 0.0]))  # no logarithm of zero
    assert not _towers(np.array([np.nan]))
