from __future__ import annotations

import re
from importlib.resources import files

import numpy as np
import pytest

from nucleate.report.comparison.style import COLOURS, styles

# Linear sRGB as eyes without one kind of cone see it (Machado, Oliveira and Fernandes 2009, severity 1).
EYES = {
    "all cones": np.eye(3),
    "no red": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no green": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "no blue": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def variables(name: str, room: str) -> list[list[float]]:
    """Values of a variable in the light and in the dark, as linear red, green and blue."""
    css = files(room).joinpath("page.css" if room == "nucleate.report" else "compare.css").read_text("utf-8")
    codes = re.findall(rf"--{name}: #(\w{{6}})", css)
    assert len(codes) == 2
    return [[linear(int(code[k : k + 2], 16) / 255) for k in (0, 2, 4)] for code in codes]


def linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def lab(colours: np.ndarray) -> np.ndarray:
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = np.cbrt(np.clip(colours, 1e-4, 1) @ to_xyz.T / [0.9505, 1, 1.089]).T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


@pytest.fixture(params=[0, 1], ids=["light", "dark"])
def theme(request) -> tuple[np.ndarray, np.ndarray]:
    """The colours of rows, and that of the panel behind them."""
    rows = [variables(f"s{i}", "nucleate.report.comparison")[request.param] for i in range(COLOURS)]
    return np.array(rows), np.array(variables("panel", "nucleate.report")[request.param])


def test_colours_stand_out_from_the_page(theme):
    """3 to 1, what WCAG 2.2 asks of graphics (1.4.11)."""
    rows, panel = theme
    weights = [0.2126, 0.7152, 0.0722]
    light = np.sort(np.stack([rows @ weights, np.full(COLOURS, panel @ weights)]), axis=0)
    assert ((light[1] + 0.05) / (light[0] + 0.05)).min() >= 3


@pytest.mark.parametrize("eye", EYES)
def test_colours_are_told_apart_by_every_eye(theme, eye):
    rows, _ = theme
    seen = lab(np.clip(rows @ np.array(EYES[eye]).T, 0, 1))
    apart = np.linalg.norm(seen[:, None] - seen, axis=2)[np.triu_indices(COLOURS, 1)]
    assert apart.min() > 10


def test_a_name_has_one_colour_and_marker_and_no_two_rows_have_both():
    drawn = styles(["a", "b", "a", *map(str, range(30))])
    assert [drawn["a"].place, drawn["b"].place] == [0, 1]
    looks = {(style.css.split()[0], re.sub("transform.*", "", style.marker(0, 0))) for style in drawn.values()}
    assert len(looks) == len(drawn)


def test_a_hostile_name_stays_text():
    (style,) = styles(["<script>"]).values()
    assert "&lt;script&gt;" in style.label()
    assert "<script>" not in style.label()
