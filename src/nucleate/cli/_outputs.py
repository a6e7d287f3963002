"""Outputs are looked at before the work, so that an hour is not spent on what cannot be written."""

from __future__ import annotations

from pathlib import Path

from nucleate.errors import UserError


def check_output(path: Path, *, overwrite: bool) -> None:
    """Refuses an output that exists, unless it may be replaced, or whose format nobody knows.

    Raises:
        UserError: see above.
    """
    from nucleate.files.formats import known, of_name

    if of_name(path.name) is None and path.suffix:
        raise UserError(f"{path}: this kind of file is not known; known are {known()} and POSCAR")
    check_new(path, overwrite=overwrite)


def check_new(path: Path, *, overwrite: bool) -> None:
    """Refuses a file that exists or a folder with something in it, unless it may be replaced.

    Raises:
        UserError: see above.
    """
    occupied = any(path.iterdir()) if path.is_dir() else path.exists()
    if occupied and not overwrite:
        raise UserError(f"{path} exists; use --overwrite")
