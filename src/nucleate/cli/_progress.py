"""A progress bar on stderr for work that reports the share that is done; silent where stderr is no terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


@contextmanager
def bar(title: str, *, shown: bool = True) -> Iterator[Callable[..., None]]:
    """Shows a bar.

    Args:
        title: what is going on.
        shown: whether to show it at all (only one of several processes does).

    Yields:
        A function of the share done in [0, 1] and, optionally, a short line of numbers.
    """
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[line]}"),
    )
    with Progress(*columns, console=console, disable=not (shown and console.is_terminal)) as progress:
        task = progress.add_task(title, total=1.0, line="")

        def show(share: float, line: str = "") -> None:
            progress.update(task, completed=share, line=line)

        yield show
