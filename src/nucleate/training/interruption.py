"""Ctrl-C and SIGTERM ask the loop to stop after the step that it is in."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interruption:
    """Within `with`, SIGTERM does what SIGINT does: it interrupts at once, as a KeyboardInterrupt.

    Within `awaited`, the first of them is only remembered in `asked`, and the second one interrupts at once.
    """

    def __init__(self) -> None:
        self.asked = False
        self._awaited = False
        self._previous: dict[int, object] = {}

    def __enter__(self) -> Interruption:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._previous[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    @contextmanager
    def awaited(self) -> Iterator[None]:
        """Says that the block asks for `asked` again and again."""
        self._awaited = True
        try:
            yield
        finally:
            self._awaited = False

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked or not self._awaited:
            raise KeyboardInterrupt
        self.asked = True
