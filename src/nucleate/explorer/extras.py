"""Whoever lacks a library that an embedding or a projection needs is told what to install."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nucleate.files.extras import extra

SOAP_LIBRARIES = ("dscribe", "sparse")
LIBRARIES = ("chgnet", "sklearn", "umap", "numba", "moyopy", "scipy", "pymatgen")


@contextmanager
def explore_extra() -> Iterator[None]:
    """Turns a missing library, imported in the block or in the function it decorates, into one clear line.

    Raises:
        UserError: with the command that installs it.
    """
    with extra("explore", LIBRARIES):
        yield


@contextmanager
def soap_extra() -> Iterator[None]:
    """Does the same for DScribe."""
    with extra("soap", SOAP_LIBRARIES):
        yield
