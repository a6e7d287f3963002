"""Whose a column `failure` or `detail` is: this package's, or the user's, who may have columns of any name.

The package writes a reason exactly where it writes no structure. So a column of reasons beside structures, of blanks
beside missing ones, or of anything but text is the user's. In `info` the user's column is named `_failure`, since
`failure` decides there what is a crystal; and it is written as `failure` again where no reason of the package stands.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from nucleate.crystals import FAILURE
from nucleate.files.failures import DETAIL

NAMES = (FAILURE, DETAIL)

Value = TypeVar("Value")


def is_reason(value: Any) -> bool:
    """Whether a value can be the reason of a failure: text, and not blank."""
    return isinstance(value, str) and value != ""


def is_own(reasons: Iterable[Any], there: Iterable[bool]) -> bool:
    """Whether a column `failure` is this package's.

    Args:
        reasons: its cells.
        there: whether each row has a structure.
    """
    return all(_is_blank(reason) if has else is_reason(reason) for reason, has in zip(reasons, there, strict=True))


def renamed(name: str) -> str:
    """The name in `info` of a column of the user's."""
    return f"_{name}" if name.lstrip("_") in NAMES else name


def given_back(name: str) -> str:
    """The inverse of `renamed`."""
    return name[1:] if name.startswith("_") and name.lstrip("_") in NAMES else name


def of_table(columns: Mapping[str, Sequence[Any]], there: Sequence[bool]) -> dict[str, str]:
    """The name in `info` of each column of a table, whose rows have a structure or not."""
    own = FAILURE in columns and is_own(columns[FAILURE], there)
    return {name: name if own else renamed(name) for name in columns}


def of_written_table(names: Collection[str], *, all_built: bool) -> dict[str, str]:
    """The inverse of `of_table`: the names that are written; the user's replace blanks of the package."""
    if not all_built:
        return {name: name for name in names}
    taken = {given_back(name) for name in names if given_back(name) != name}
    return {name: given_back(name) for name in names if not (name in NAMES and name in taken)}


def of_crystal(info: Mapping[str, Value]) -> dict[str, Value]:
    """The `info` of an entry that holds a structure, which therefore has no reason of the package: see `renamed`."""
    return {name if name in NAMES and _is_blank(value) else renamed(name): value for name, value in info.items()}


def of_written_crystal(info: Mapping[str, Value]) -> dict[str, Value]:
    """The inverse of `of_crystal`; a column of the user's replaces the blank of the package's."""
    taken = {given_back(name) for name, value in info.items() if given_back(name) != name and not _is_blank(value)}
    return {
        given_back(name): value
        for name, value in info.items()
        if not (name in NAMES and name in taken) and not (given_back(name) != name and _is_blank(value))
    }


def _is_blank(value: Any) -> bool:
    return value is None or value == "" or value != value
