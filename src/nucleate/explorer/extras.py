"""Whoever lacks a library that an embedding or a projection needs is told what to install."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nucleate.errors import UserError

SOAP_LIBRARIES = ("dscribe", "sparse")
LIBRARIES = ("chgnet", "sklearn", "umap", "numba", "moyopy", "scipy", "pymatgen")


@contextmanager
def explore_extra() -> Iterator[None]:
    """Turns a missing library, imported in the block or in the function it decorates, into one clear line.

    Raises:
        UserError: with the command that installs it.
    """
    with _extra("explore", LIBRARIES):
        yield


@contextmanager
def soap_extra() -> Iterator[None]:
    """Does the same for DScribe."""
    with _extra("soap", SOAP_LIBRARIES):
        yield


@contextmanager
def _extra(name: str, libraries: tuple[str, ...]) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        library = (error.name or "").split(".")[0]
        if library not in libraries:
            raise
        raise UserError(f"{library} is not installed; it comes with: pip install 'nucleate[{name}]'") from error
