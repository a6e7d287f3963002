"""Ctrl-C and SIGTERM ask the loop to stop after the step that it is in."""

from __future__ import annotations

import signal
from types import FrameType


class Interruption:
    """Within `with`, remembers the first SIGINT or SIGTERM in `asked`; a second one interrupts at once."""

    def __init__(self) -> None:
        self.asked = False
        self._previous: dict[int, object] = {}

    def __enter__(self) -> Interruption:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._previous[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
