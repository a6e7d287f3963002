"""The libraries that read crystal files are optional; whoever lacks them is told what to install."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nucleate.errors import UserError

LIBRARIES = ("pymatgen", "ase")


@contextmanager
def files_extra() -> Iterator[None]:
    """Turns a missing pymatgen or ASE, imported in the block or in the function it decorates, into one clear line.

    Raises:
        UserError: with the command that installs them.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        library = (error.name or "").split(".")[0]
        if library not in LIBRARIES:
            raise
        raise UserError(f"{library} is not installed; it comes with: pip install 'nucleate[files]'") from error
