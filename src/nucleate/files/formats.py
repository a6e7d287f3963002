"""Which format a file has: by its name, and where the name says nothing, by its first bytes."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from enum import StrEnum
from pathlib import PurePath

from nucleate.errors import UserError

MAX_BYTES = 4 << 30
"""A compressed file that unpacks to more than this, 4 GiB, is refused before it fills the memory."""


class Format(StrEnum):
    """Formats that are read and written."""

    CIF = "cif"
    POSCAR = "poscar"
    EXTXYZ = "extxyz"
    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"
    ZIP = "zip"


SUFFIXES = {
    ".cif": Format.CIF,
    ".mcif": Format.CIF,
    ".vasp": Format.POSCAR,
    ".poscar": Format.POSCAR,
    ".contcar": Format.POSCAR,
    ".extxyz": Format.EXTXYZ,
    ".xyz": Format.EXTXYZ,
    ".json": Format.JSON,
    ".csv": Format.CSV,
    ".parquet": Format.PARQUET,
    ".zip": Format.ZIP,
}

VASP_NAME = re.compile(r"(^|[._-])(POSCAR|CONTCAR)([._-]|$)")

NUMBERS = rb"\s*([+-]?[0-9.]+([eE][+-]?[0-9]+)?\s+){%d}"


def of_name(name: str) -> Format | None:
    """The format that a file's name promises, `.gz` aside; None if it promises none."""
    bare = PurePath(name.removesuffix(".gz"))
    return SUFFIXES.get(bare.suffix.lower()) or (Format.POSCAR if VASP_NAME.search(bare.name) else None)


def of_content(data: bytes) -> Format | None:
    """The format that the first bytes of a file show; None if they show none."""
    if data.startswith(b"PAR1"):
        return Format.PARQUET
    if data.startswith(b"PK\x03\x04"):
        return Format.ZIP
    if data.lstrip()[:1] in (b"{", b"["):
        return Format.JSON
    if re.search(rb"^\s*data_", data, re.MULTILINE):
        return Format.CIF
    if re.match(rb"\s*[0-9]+[ \t\r]*\n[^\n]*\n\s*[A-Z][a-z]?\s", data):
        return Format.EXTXYZ
    if re.match(rb"[^\n]*\n" + NUMBERS % 1 + NUMBERS % 9, data):
        return Format.POSCAR
    return None


def known() -> str:
    """The suffixes that are read, for a message."""
    return ", ".join(SUFFIXES)


def unpacked(data: bytes) -> bytes:
    """The content of a file that may be compressed with gzip, whatever its name.

    Raises:
        UserError: the compressed data are damaged, or unpack to more than `MAX_BYTES`.
    """
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"damaged gzip data: {error}") from error
    if len(content) > MAX_BYTES:
        raise UserError(f"it unpacks to more than {MAX_BYTES:,} bytes")
    return content
