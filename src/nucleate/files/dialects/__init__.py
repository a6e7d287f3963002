"""Structures as JSON: one module a dialect, each with `holds`, whether a mapping is in it, and `parse`.

`parse` gives the structure, and in `info` what else the mapping says. It needs no library but NumPy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from nucleate.files.dialects import ase_database, jarvis, optimade, pymatgen
from nucleate.files.entries import Entry


@runtime_checkable
class Dialect(Protocol):
    """What a module of a dialect has."""

    def holds(self, data: Mapping[str, Any], /) -> bool:
        """Whether a mapping is a structure in this dialect."""
        ...

    def parse(self, data: Mapping[str, Any], /) -> Entry:
        """Reads one structure.

        Raises:
            BadEntryError: with the reason.
        """
        ...


DIALECTS: tuple[Dialect, ...] = (pymatgen, optimade, jarvis, ase_database)


def find(data: Mapping[str, Any]) -> Dialect | None:
    """The dialect that a mapping is written in; None if it is no structure."""
    return next((dialect for dialect in DIALECTS if dialect.holds(data)), None)
