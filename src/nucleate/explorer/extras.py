"""Whoever lacks a library that an embedding or a projection needs is told what to install."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nucleate.errors import UserError

LIBRARIES = ("chgnet", "sklearn", "umap", "numba", "moyopy", "scipy", "pymatgen")


@contextmanager
def explore_extra() -> Iterator[None]:
    """Turns a missing library, imported in the block or in the function it decorates, into one clear line.

    Raises:
        UserError: with the command that installs it.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in LIBRARIES:
            raise
        raise UserError(f"{error.name} is not installed; it comes with: pip install 'nucleate[explore]'") from error
