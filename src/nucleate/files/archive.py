"""Folders and zip files of structure files. A zip is read and written in memory: nothing is ever unpacked to disk."""

from __future__ import annotations

import io
import os
import re
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from io import BufferedIOBase
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from nucleate.crystals import Crystals
from nucleate.errors import UserError
from nucleate.files import cif
from nucleate.files.compression import MAX_BYTES, opened
from nucleate.files.entries import names
from nucleate.files.formats import Format, of_name
from nucleate.files.natural import natural_key

WRITTEN_NAME = re.compile(r"[0-9]{5,}_\w+\.cif")
"""Names of the files that `write_folder` writes."""


class Document(NamedTuple):
    """One file of a folder or a zip: its name there, its format, and a function that opens it or raises `UserError`."""

    name: str
    format: Format
    open: Callable[[], BufferedIOBase]


def folder(path: Path) -> Iterator[Document]:
    """The structure files of a folder and of the folders in it, sorted by name. Other and hidden files are left out."""
    files = {file.relative_to(path).as_posix(): file for file in path.rglob("*") if file.is_file()}
    for name, kind in _structure_files(files):
        yield Document(name, kind, partial(opened, files[name]))


def unzipped(source: BufferedIOBase) -> Iterator[Document]:
    """The structure files of a zip, sorted by name, numbers as numbers. Other and hidden files are left out.

    Raises:
        UserError: it is not a zip, or it would unpack to more than `MAX_BYTES`.
    """
    try:
        archive = zipfile.ZipFile(source)
    except zipfile.BadZipFile as error:
        raise UserError(f"damaged zip: {error}") from error
    with archive:
        members = {member.filename: member for member in archive.infolist() if not member.is_dir()}
        found = list(_structure_files(members))
        if sum(members[name].file_size for name, _ in found) > MAX_BYTES:
            raise UserError(f"it unpacks to more than {MAX_BYTES:,} bytes")
        for name, kind in found:
            yield Document(name, kind, partial(_member, archive, members[name]))


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> BufferedIOBase:
    try:
        return io.BytesIO(archive.read(member))  # never more than its `file_size`
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise UserError(f"cannot be read: {error}") from error  # damaged, encrypted, packed in an unknown way


def _structure_files(found: Mapping[str, object]) -> Iterator[tuple[str, Format]]:
    for name in sorted(found, key=natural_key):
        hidden = any(part.startswith((".", "__MACOSX")) and part != ".." for part in PurePosixPath(name).parts)
        kind = of_name(name)
        if kind is not None and not hidden:
            yield name, kind


def zip_of_cifs(crystals: Crystals) -> bytes:
    """A zip with one CIF a crystal, named by row and formula. The same crystals give the same bytes."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in _cifs(crystals):
            member = zipfile.ZipInfo(name)  # dated 1980, not today
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, text)
    return sink.getvalue()


def write_folder(crystals: Crystals, path: Path) -> None:
    """Writes a folder with one CIF a crystal, named by row and formula, beside its place, and renames it.

    A folder that was there is replaced if it holds nothing but such files.

    Raises:
        UserError: the folder holds other files, or cannot be written.
    """
    if path.exists() and not (path.is_dir() and all(WRITTEN_NAME.fullmatch(file.name) for file in path.iterdir())):
        raise UserError(f"{path} holds other files than CIFs of a former run, and is not replaced")
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.mkdir(parents=True)
        for name, text in _cifs(crystals):
            (beside / name).write_text(text, encoding="utf-8")
        if path.exists():
            shutil.rmtree(path)
        beside.rename(path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _cifs(crystals: Crystals) -> Iterator[tuple[str, str]]:
    rows = names(crystals)
    yield from zip((f"{row}.cif" for row in rows), cif.texts(crystals, rows), strict=True)
