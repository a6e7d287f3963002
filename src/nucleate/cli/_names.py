"""Arguments that name what they stand for."""

from __future__ import annotations

from pathlib import Path


def named(text: str) -> tuple[str | None, str]:
    """Parts `NAME=PLACE`; a file whose own name has an equals sign is taken as it is."""
    name, equals, place = text.partition("=")
    return (name, place) if equals and name and place and not Path(text).exists() else (None, text)
