"""Durations as people write them."""

from __future__ import annotations

import re

from nucleate.errors import UserError

_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def parse_duration(text: str | None) -> float | None:
    """Reads `90s`, `20m`, `1.5h` or `2d` into seconds; None stays None.

    Raises:
        UserError: it is not a duration, or not positive.
    """
    if text is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd])", text.strip())
    if match is None or float(match[1]) == 0:
        raise UserError(f"{text!r} is not a duration such as 90s, 20m or 8h")
    return float(match[1]) * _SECONDS[match[2]]
