"""The user's cache folder: downloads, and data sets prepared once as Parquet, which then load in milliseconds."""

from __future__ import annotations

import hashlib
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

from nucleate import files
from nucleate.crystals import Crystals
from nucleate.errors import UserError

VERSION = 1
"""Raised whenever the same file would be prepared differently."""


def folder() -> Path:
    """The cache folder, which need not exist: `$NUCLEATE_CACHE`, or else where the platform keeps caches."""
    if chosen := os.environ.get("NUCLEATE_CACHE"):
        return Path(chosen).expanduser()
    return _platform_folder() / "nucleate"


def _platform_folder() -> Path:
    if xdg := os.environ.get("XDG_CACHE_HOME"):
        return Path(xdg)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    return Path.home() / ".cache"


def sha256(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def prepared(path: Path, prepare: Callable[[], Crystals]) -> Crystals:
    """Returns what `prepare` made of a file, from the cache if the same content has been prepared before.

    Args:
        path: the file that is prepared; its content, not its name or date, decides.
        prepare: called the first time. It may take minutes and shows its own progress.
    """
    place = folder() / "prepared" / f"{sha256(path)[:32]}-v{VERSION}.parquet"
    if place.is_file():
        try:
            return files.read(place)
        except UserError as error:
            warnings.warn(f"preparing {path} again, since the cached copy is damaged: {error}", stacklevel=2)
    crystals = prepare()
    try:
        files.write(crystals, place, overwrite=True)
    except UserError as error:  # a home folder that is full or read-only costs time, not the result
        warnings.warn(f"not cached, the next start prepares {path} again: {error}", stacklevel=2)
    return crystals
