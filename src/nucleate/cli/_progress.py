"""Progress on stderr: a bar on a terminal, and a line now and then elsewhere, as in the log of a batch job."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

FIRST = 2.0
"""Seconds of work that need no line."""

PAUSE, LONGEST_PAUSE, SHARE = 30.0, 600.0, 0.05
"""Seconds between two lines of one phase: at least, at most, and between these as a share of the time so far, so that
the log of a week is not a million lines."""


@contextmanager
def bar(title: str, *, shown: bool = True) -> Iterator[Callable[..., None]]:
    """Shows a bar; where stderr is no terminal, lines as `lines` does.

    Args:
        title: what is going on.
        shown: whether to show it at all (only one of several processes does).

    Yields:
        A function of the share done in [0, 1] and, optionally, a short line of numbers or the name of a phase.
    """
    console = Console(stderr=True)
    if not (shown and console.is_terminal):
        with lines(title, shown=shown) as show:
            yield show
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[line]}"),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(title, total=1.0, line="")

        def show(share: float, line: str = "") -> None:
            progress.update(task, completed=share, line=line)

        yield show


@contextmanager
def lines(title: str, *, shown: bool = True) -> Iterator[Callable[..., None]]:
    """Prints a line as each phase begins and now and then within it, unless stderr is a terminal or the work is short.

    A phase is what the line says but for its numbers: `loss 0.31` and `loss 0.29` are one.

    Args:
        title: what is going on.
        shown: whether to print at all.

    Yields:
        A function as of `bar`.
    """
    console = Console(stderr=True)
    if not shown or console.is_terminal:
        yield _say_nothing
        return
    report = _Report(title, console)
    report.start()
    try:
        yield report.update
    finally:
        report.stop()


class _Report:
    """Prints the last state reported, from a thread of its own, since some phases report nothing while they last."""

    def __init__(self, title: str, console: Console) -> None:
        self._title, self._console = title, console
        self._begun = time.monotonic()
        self._share: float | None = None
        self._line = ""
        self._phases: set[str] = set()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        """Begins to watch the time."""
        self._thread.start()

    def stop(self) -> None:
        """Prints no more."""
        self._ended.set()
        self._thread.join()

    def update(self, share: float, line: str = "") -> None:
        """Takes note of where the work is, and prints it if a phase begins."""
        with self._lock:
            self._share, self._line = share, line
            if self._elapsed() >= FIRST and _phase(line) not in self._phases:
                self._print()

    def _watch(self) -> None:
        pause = FIRST
        while not self._ended.wait(pause):
            with self._lock:
                self._print()
            pause = _pause(self._elapsed())

    def _print(self) -> None:
        self._phases.add(_phase(self._line))
        what = f"{self._title}: {self._line}" if self._line else self._title
        share = "" if self._share is None else f", {100 * self._share:.0f} %"
        text = f"{what}{share}, {timedelta(seconds=round(self._elapsed()))}"
        plain = "".join(letter if letter.isprintable() else " " for letter in text)
        self._console.print(plain, markup=False, highlight=False, emoji=False, soft_wrap=True)

    def _elapsed(self) -> float:
        return time.monotonic() - self._begun


def _say_nothing(share: float, line: str = "") -> None:
    del share, line


def _pause(elapsed: float) -> float:
    return min(max(PAUSE, SHARE * elapsed), LONGEST_PAUSE)


def _phase(line: str) -> str:
    return re.sub(r"[-+]?\d[\d.,]*(e[-+]?\d+)?", "#", line)
