"""How far an evaluation of several steps has come."""

from __future__ import annotations

from collections.abc import Callable, Mapping

Progress = Callable[[float, str], None]
"""Told the share done in [0, 1], and what is being done."""


class Steps:
    """Turns the progress of steps of known weight into that of the whole.

    Steps that are left out are passed over.
    """

    def __init__(self, weights: Mapping[str, float], report: Progress | None = None) -> None:
        """Prepares the steps.

        Args:
            weights: about how long each step takes, in any unit, in order.
            report: told the share of the whole.
        """
        total = sum(weights.values())
        self._shares = {line: weight / total for line, weight in weights.items()}
        self._report = report

    def start(self, line: str) -> Callable[[float], None]:
        """Begins a step; returns what is to be told the share of it that is done."""
        lines = list(self._shares)
        before = sum(self._shares[earlier] for earlier in lines[: lines.index(line)])

        def show(done: float) -> None:
            if self._report is not None:
                self._report(before + done * self._shares[line], line)

        show(0.0)
        return show
