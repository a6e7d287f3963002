"""Which format a file has: by its name, and where the name says nothing, by its first bytes."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import PurePath

from nucleate.files.compression import bare


class Format(StrEnum):
    """Formats that are read; all but `TORCH` are written as well."""

    CIF = "cif"
    POSCAR = "poscar"
    EXTXYZ = "extxyz"
    JSON = "json"
    JSON_LINES = "jsonl"
    CSV = "csv"
    TSV = "tsv"
    PARQUET = "parquet"
    ZIP = "zip"
    TORCH = "pt"


SUFFIXES = {
    ".cif": Format.CIF,
    ".mcif": Format.CIF,
    ".vasp": Format.POSCAR,
    ".poscar": Format.POSCAR,
    ".contcar": Format.POSCAR,
    ".extxyz": Format.EXTXYZ,
    ".xyz": Format.EXTXYZ,
    ".json": Format.JSON,
    ".jsonl": Format.JSON_LINES,
    ".ndjson": Format.JSON_LINES,
    ".csv": Format.CSV,
    ".tsv": Format.TSV,
    ".parquet": Format.PARQUET,
    ".zip": Format.ZIP,
}

READ_ONLY = {".pt": Format.TORCH}
"""Suffixes of formats that are read by their own path only: neither written, nor looked for in a folder or a zip."""

VASP_NAME = re.compile(r"(^|[._-])(POSCAR|CONTCAR)([._-]|$)")

NUMBERS = rb"\s*([+-]?[0-9.]+([eE][+-]?[0-9]+)?\s+){%d}"


def of_name(name: str) -> Format | None:
    """The format that a file's name promises, the suffix of a compression aside; None if it promises none."""
    plain = PurePath(bare(name))
    return SUFFIXES.get(plain.suffix.lower()) or (Format.POSCAR if VASP_NAME.search(plain.name) else None)


def of_source(name: str) -> Format | None:
    """The format that the name of a file to be read promises; None if it promises none."""
    return of_name(name) or READ_ONLY.get(PurePath(bare(name)).suffix.lower())


def has_suffix(name: str) -> bool:
    """Whether a file's name has a suffix that should say a format, that of a compression aside."""
    return bool(PurePath(bare(name)).suffix)


def of_content(data: bytes) -> Format | None:
    """The format that the first bytes of a file show; None if they show none."""
    if data.startswith(b"PAR1"):
        return Format.PARQUET
    if data.startswith(b"PK\x03\x04"):
        return Format.ZIP
    if data.lstrip()[:1] in (b"{", b"["):
        return Format.JSON
    if re.search(rb"^\s*data_", data, re.MULTILINE | re.IGNORECASE):
        return Format.CIF
    if re.match(rb"\s*[0-9]+[ \t\r]*\n[^\n]*\n\s*[A-Z][a-z]?\s", data):
        return Format.EXTXYZ
    if re.match(rb"[^\n]*\n" + NUMBERS % 1 + NUMBERS % 9, data):
        return Format.POSCAR
    return None


def known() -> str:
    """The suffixes that are read and written, for a message."""
    return ", ".join(SUFFIXES)
