"""What a log says of work in progress."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from nucleate.cli import _progress
from nucleate.cli._progress import bar, lines


class Clock:
    """Time that passes when a test moves it."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    """Stands for the time; the thread that prints now and then sleeps."""
    clock = Clock()
    monkeypatch.setattr(_progress, "FIRST", 2.0)
    monkeypatch.setattr(_progress, "time", clock)
    monkeypatch.setattr(_progress._Report, "_watch", lambda self: None)
    return clock


def test_a_line_as_a_phase_begins_with_its_share_and_time(clock, capsys):
    with bar("mapping") as show:
        for now, share, line in ((1, 0.0, "embedding"), (130, 0.4, "embedding"), (131, 0.41, "embedding")):
            clock.now = now
            show(share, line)
        clock.now = 3700
        show(0.9, "nearest reference")
    assert capsys.readouterr().err.splitlines() == [
        "mapping: embedding, 40 %, 0:02:10",
        "mapping: nearest reference, 90 %, 1:01:40",
    ]


def test_numbers_make_no_phase(clock, capsys):
    clock.now = 0
    with bar("training") as show:
        clock.now = 5
        for step in range(50):
            show(step / 50, f"train loss {1 / (step + 1):.4f} · {300 + step:,} structures/s")
        show(1.0, "val loss 1.2e-05")
        show(1.0, "val loss 3")
    said = capsys.readouterr().err.splitlines()
    assert [line.split(",")[0] for line in said] == [
        "training: train loss 1.0000 · 300 structures/s",
        "training: val loss 1.2e-05",
    ]


def test_short_work_says_nothing(clock, capsys):
    with bar("judging") as show:
        show(0.0, "a")
        clock.now = 1.9
        show(1.0, "b")
    assert capsys.readouterr().err == ""


def test_phases_that_tell_nothing_are_spoken_of_all_the_same(monkeypatch, capsys):
    monkeypatch.setattr(_progress, "FIRST", 0.01)
    monkeypatch.setattr(_progress, "PAUSE", 0.01)
    with lines("reading x.cif"):
        said = ""
        while said.count("\n") < 3:
            said += capsys.readouterr().err
    assert set(said.splitlines()) == {"reading x.cif, 0:00:00"}


def test_pauses_grow_with_the_time():
    assert [_progress._pause(seconds) for seconds in (2, 600, 1200, 6000, 86_400)] == [30, 30, 60, 300, 600]


@pytest.mark.parametrize("title", ["[red]a[/]", "\x1b[31mred\x1b[0m\r", "a\nb", ":smile:"])
def test_no_control_characters_and_no_markup(clock, capsys, title):
    with bar(title) as show:
        clock.now = 3
        show(0.5, "x")
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert re.search(r"[\x00-\x09\x0b-\x1f\x7f]", err) is None
    assert err.startswith("".join(c if c.isprintable() else " " for c in title))


def test_other_processes_say_nothing(clock, capsys):
    with bar("training", shown=False) as show:
        clock.now = 100
        show(0.5, "loss")
    assert capsys.readouterr().err == ""


def test_a_terminal_has_a_bar_and_no_lines(monkeypatch):
    screen = io.StringIO()
    monkeypatch.setattr(_progress, "FIRST", 0.0)
    monkeypatch.setattr(_progress, "Console", lambda **_: Console(file=screen, force_terminal=True, width=100))
    with bar("mapping") as show:
        show(1.0, "embedding")
    with lines("reading") as show:
        show(1.0)
    assert "mapping" in screen.getvalue()
    assert "100 %" in screen.getvalue()
    assert "reading" not in screen.getvalue()
