"""Arguments that name what they stand for."""

from __future__ import annotations

from pathlib import Path

from nucleate.errors import UserError


def named(text: str) -> tuple[str | None, str]:
    """Takes `NAME=PLACE` apart, where names and files may have equals signs of their own.

    What exists as it stands has no name. Otherwise that equals sign divides behind which there is a file; the last one
    if there is none, as before the name of a data set.

    Raises:
        UserError: there is a file behind several of them.
    """
    if Path(text).exists():
        return None, text
    cuts = [(text[:i], text[i + 1 :]) for i, sign in enumerate(text) if sign == "=" and 0 < i < len(text) - 1]
    found = [cut for cut in cuts if Path(cut[1]).exists()]
    if len(found) > 1:
        ways = " or ".join(f"{place} by the name {name}" for name, place in found)
        raise UserError(f"{text} is {ways}; rename a file")
    return (found or cuts or [(None, text)])[-1]
