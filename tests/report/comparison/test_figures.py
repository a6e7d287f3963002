from __future__ import annotations

import re
from math import log2

import numpy as np
import pytest
from scipy.stats import binomtest

from nucleate.elements import MAX_NUMBER
from nucleate.report.comparison.columns import SHEET
from nucleate.report.comparison.figures.bars import Shares, bar_figure
from nucleate.report.comparison.figures.elements import _ratio, _seat, element_figure
from nucleate.report.comparison.figures.histograms import Histogram, histogram_figure
from nucleate.report.comparison.figures.intervals import interval_figure
from nucleate.report.comparison.figures.sizes import Sizes, size_figure, wilson
from nucleate.report.comparison.figures.space_groups import space_group_figure
from nucleate.report.comparison.figures.svg import Scale, ticks, widened
from nucleate.report.comparison.figures.tradeoff import tradeoff_figure
from nucleate.report.comparison.style import styles
from nucleate.report.comparison.table import compare
from tests.report.comparison.conftest import dng, entry
from tests.report.conftest import Page

HOSTILE = '<b>"&'
STYLES = styles(["a", "b", HOSTILE])
A, B = STYLES["a"], STYLES["b"]


def labels(html: str) -> list[str]:
    """What those hear who cannot see the drawings; every drawing must have something to say."""
    drawings = [attributes for tag, attributes in Page(html).elements if tag == "svg"]
    said = [d["aria-label"] or "" for d in drawings if d.get("role") == "img"]
    assert all(d.get("role") == "img" or d.get("aria-hidden") == "true" for d in drawings)
    assert all(said)
    return said


def stairs(html: str) -> list[list[float]]:
    """Heights of the bins of each curve, over the axis."""
    curves = re.findall(r'class="curve" d="M[\d.]+ ([\d.]+)([^"]+)"', html)
    return [[float(base) - float(level) for level in re.findall(r"V([\d.]+)", path)] for base, path in curves]


def test_a_histogram_has_the_heights_of_the_shares():
    counts = [[0, 30, 70, 0], [10, 50, 30, 10]]
    html = histogram_figure(
        [Histogram(A, 0.5, counts[0], counts[1], "W 1"), Histogram(B, 0.5, counts[1], [])], "Density", "g/cm³", ""
    )
    first, second = stairs(html)
    assert np.array(first) / max(first) == pytest.approx([0, 3 / 7, 1], abs=0.01)
    assert max(second) / max(first) == pytest.approx(0.5 / 0.7, abs=0.01)
    assert "10.0 % beyond" in html
    assert html.count("silhouette") == 1
    assert "0.5 to 1 g/cm³: a 30.0 %, reference 50.0 %" in html
    assert labels(html)[0] == "Density, a. Most frequent from 1 to 1.5 g/cm³. W 1"
    assert histogram_figure([Histogram(A, 0.5, [0, 0], [1, 1])], "Density", "", "") == ""


def test_bars_are_as_long_as_their_shares():
    html = bar_figure([Shares(A, {"x": 0.5, "y": 0.25}, {"x": 1.0})], "Kinds", "", ["y", "x", "z"])
    bars, behind = (
        [float(width) for width in re.findall(rf'class="{kind}" x="[\d.]+" y="[\d.]+" width="([\d.]+)"', html)]
        for kind in ("bar", "silhouette")
    )
    assert bars[1] / behind[1] == pytest.approx(0.5, abs=0.01)
    assert bars[0] / bars[1] == pytest.approx(0.5, abs=0.01)
    assert behind[0] == 0
    assert "z" not in labels(html)[0]
    assert bar_figure([Shares(A, {}, {})], "Kinds", "", ["x"]) == ""


def test_space_groups_stand_at_their_numbers():
    html = space_group_figure([Shares(A, {"0": 0.1, "1": 0.4, "225": 0.5}, {"62": 1.0})], "")
    bars = re.findall(r'class="bar" x="([\d.]+)" y="[\d.]+" width="[\d.]+" height="([\d.]+)"', html)
    assert len(bars) == 2
    (x1, h1), (x225, h225) = (tuple(map(float, bar)) for bar in bars)
    (x62,) = re.findall(r'class="silhouette strong" x="([\d.]+)"', html)
    assert (float(x62) - x1) / (x225 - x1) == pytest.approx(61 / 224, abs=0.002)
    assert h1 / h225 == pytest.approx((0.4 / 0.5) ** 0.5, abs=0.01)
    assert "number 225 50.0 %, number 1 40.0 %" in labels(html)[0]


def test_every_element_has_its_own_seat():
    assert len({_seat(z) for z in range(1, MAX_NUMBER + 1)}) == MAX_NUMBER
    assert _seat(1) == (0, 0)
    assert _seat(2) == (17, 0)
    assert _seat(26) == (7, 3)


def test_ratios_of_elements():
    assert _ratio(0.02, 0.01) == (1, "2.00")
    assert _ratio(0.3, 0.01)[1] == "30"
    assert _ratio(0.01, 0.03)[0] == pytest.approx(log2(1 / 3))
    assert (_ratio(0, 0.1), _ratio(0.1, 0), _ratio(0, 0)) == ((-2, "none"), (2, "new"), (0, ""))


def test_elements_of_rows_and_of_the_reference():
    rows = [Shares(A, {"O": 0.8, "Si": 0.2}, {"O": 0.5, "Si": 0.5}), Shares(B, {"O": 1.0}, {"O": 0.5, "Si": 0.5})]
    html = element_figure(rows, "")
    keys = [attributes["data-key"] for _, attributes in Page(html).elements if "data-key" in attributes]
    assert keys == ["a|ratio", "a|share", "b|ratio", "b|share", "reference|share"]
    assert "Furthest from it: Si 0.40, O 1.60" in labels(html)[0]
    others = element_figure([rows[0], rows[1]._replace(reference={"O": 1.0})], "")
    assert "reference|share" not in others
    assert element_figure([Shares(A, {}, {})], "") == ""


@pytest.mark.parametrize(("hits", "count"), [(0, 5), (3, 7), (90, 100), (40, 40)])
def test_wilson(hits, count):
    exact = binomtest(hits, count).proportion_ci(0.95, method="wilson")
    assert wilson(hits, count) == pytest.approx((exact.low, exact.high), abs=1e-6)


def test_sizes_are_put_into_bins():
    row = Sizes(A, [1, 4, 5, 20, 21, 60], [2, 3, 4, 5, 6, 7], [1, 1, 1, 1, 1, 1])
    assert row.binned() == {0: (5, 2), 1: (4, 1), 4: (5, 1), 5: (6, 1), 7: (7, 1)}
    html = size_figure([row, row._replace(style=None)], "Validity", "valid", "")
    assert "a: 1 to 4 atoms 40 %, 5 to 8 atoms 25 %" in labels(html)[0]
    assert "51 and more" in html
    assert html.count("reference-line") == 1
    assert size_figure([Sizes(A, [], [], [])], "Validity", "valid", "") == ""


def test_intervals_are_drawn_where_they_are():
    rows = [entry("a", dng(0.9)), entry("b", dng(0.8))]
    comparison = compare(SHEET["dng"], rows)
    assert comparison is not None
    html = interval_figure(comparison.blocks[0], comparison.columns, STYLES, "Numbers")
    assert labels(html)[2] == "Validity (%). a 90.0, b 80.0"
    assert "a: 90.0 (88.0 to 92.0)" in html
    panels = html.split('class="panel"')
    whiskers = re.findall(r'class="whisker" d="M([\d.]+) [\d.]+L([\d.]+)', panels[3])
    places = re.findall(r'class="marker[^"]*" d="[^"]+" transform="translate\(([\d.]+)', panels[3])
    for (low, high), place in zip(whiskers, places, strict=True):
        assert float(place) == pytest.approx((float(low) + float(high)) / 2, abs=0.1)
    assert panels[3].count("hollow") == 1
    assert interval_figure(compare(SHEET["dng"], rows[:1]).blocks[0], comparison.columns, STYLES, "") == ""


def test_every_pair_of_quality_and_diversity_is_there():
    rows = [entry(name, dng(value)) for name, value in (("a", 0.9), (HOSTILE, 0.8))]
    html = tradeoff_figure(rows, STYLES, "Trade-off")
    page = Page(html)
    keys = [attributes["data-key"] for _, attributes in page.elements if "data-key" in attributes]
    menus = [attributes["value"] for tag, attributes in page.elements if tag == "option"]
    assert len(keys) == 4 * 5
    assert {part for key in keys for part in (key or "").split("|")} == set(menus)
    assert [("hidden" in a) for _, a in page.elements if "data-key" in a] == [False] + [True] * 19
    assert (
        labels(html)[0]
        == f"Validity against Novelty. a: Novelty 90.0, Validity 90.0; {HOSTILE}: Novelty 80.0, Validity 80.0"
    )
    unknown = [entry(name, dng(metrics__novelty=None)) for name in ("a", "b")]
    assert "novelty" not in tradeoff_figure(unknown, STYLES, "Trade-off")
    assert tradeoff_figure(rows[:1], STYLES, "Trade-off") == ""


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0.93, 0.961), (0, 25), (15.02, 15.6), (0, 0.5), (-3, 4)])
def test_ticks_are_round_and_inside(low, high):
    found = ticks(low, high, 4)
    assert 2 <= len(found) <= 6
    assert all(low - 1e-9 <= tick <= high + 1e-9 for tick in found)
    steps = np.diff(found)
    assert steps == pytest.approx(steps[0])
    assert float(f"{steps[0]:.0e}"[0]) in (1, 2, 5) or f"{steps[0]:.1e}".startswith("2.5")
    assert ticks(1, 1) == [1]


def test_scale_and_room():
    assert Scale(0, 10, 100, 0)(2.5) == 75
    assert Scale(3, 3, 0, 1)(3) == 0
    assert widened([0.5, 1.0], high=1.0) == pytest.approx((0.46, 1.0))
    low, high = widened([2.0, 2.0])
    assert low < 2 < high
