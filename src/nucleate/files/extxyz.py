"""Extended XYZ: read by ASE; written by hand, so that a machine without ASE can write, and with more digits than ASE's.

The keys and values of a frame's comment line are its `info`. Values are quoted so that ASE reads back what was written:
text that looks like a number, a truth value or a list is marked as JSON, which ASE's dialect knows.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator

from nucleate.crystals import FAILURE, Crystals
from nucleate.elements import SYMBOLS
from nucleate.files.convert import atoms_entry
from nucleate.files.entries import Entry, Scalar, each, shield, unshield
from nucleate.files.failures import DETAIL, BadEntryError, Failure

RESERVED = (
    *("lattice", "properties", "pbc", "uid"),
    *("stress", "virial", "dipole", "polarization", "dielectric_tensor"),
)
"""Keys that the format, or ASE, gives a meaning of their own; as names of `info` columns they are written as `_pbc`."""

WORD = re.compile(r"[A-Za-z][\w .:/()+-]*", re.ASCII)
"""Text that needs no JSON, unless it starts with a word of `VALUES`."""

VALUES = re.compile(r"(t|f|true|false|nan|inf|infinity)\b", re.IGNORECASE)


def split(text: str) -> Iterator[str]:
    """Cuts a file into frames, each from its number of atoms on. What follows a line that is no number is one piece."""
    lines = text.split("\n")
    start = 0
    while start < len(lines):
        head = lines[start].strip()
        end = start + 2 + int(head) if re.fullmatch("[0-9]{1,9}", head) else len(lines)
        while end < len(lines) and lines[end].lstrip().startswith("VEC"):  # the cell, as some programs write it
            end += 1
        if head:
            yield "\n".join(lines[start:end])
        start = end if head else start + 1


def parse(text: str) -> Entry:
    """Reads one frame.

    Raises:
        BadEntryError: with the reason; and whatever ASE raises.
    """
    from ase.io.extxyz import read_xyz

    head, comment, atoms = [*text.split("\n", 2), "", ""][:3]
    hydrogen = re.sub(r"^([ \t]*)[DT](?=[ \t])", r"\1H", atoms, flags=re.MULTILINE)  # ASE knows no isotopes
    try:
        (frame,) = read_xyz(io.StringIO(f"{head}\n{comment}\n{hydrogen}\n"), index=0)
    except KeyError as error:
        raise BadEntryError(Failure.UNKNOWN_ELEMENT, f"{error} is not an element") from error
    frame.info = {unshield(name, RESERVED): value for name, value in frame.info.items()}
    return atoms_entry(frame)


def dump(crystals: Crystals) -> str:
    """Writes one frame a crystal; one that could not be built has no atoms, and says why in its comment line."""
    return "".join(_frame(entry) for entry in each(crystals))


def _frame(entry: Entry) -> str:
    words = [] if entry.failure else [f"Lattice={_quoted(' '.join(map(repr, entry.lattice.ravel().tolist())))}"]
    words.append("Properties=species:S:1:pos:R:3")
    words += [f"{_key(shield(name, RESERVED))}={_value(value)}" for name, value in _stated(entry)]
    words.append('pbc="T T T"')
    atoms = [
        f"{SYMBOLS[z]:2s} {x:18.12f} {y:18.12f} {height:18.12f}"
        for z, (x, y, height) in zip(entry.numbers, (entry.frac @ entry.lattice).tolist(), strict=True)
    ]
    return "\n".join([str(len(atoms)), " ".join(words), *atoms, ""])


def _stated(entry: Entry) -> Iterator[tuple[str, Scalar]]:
    """What is worth writing: not a blank, nor that nothing failed."""
    for name, value in entry.info.items():
        if value is not None and not (value == "" and name in (FAILURE, DETAIL)):
            yield name, value


def _key(name: str) -> str:
    name = re.sub(r"[\r\n]+", " ", name)
    return name if re.fullmatch(r"[A-Za-z_][\w-]*", name, re.ASCII) else _quoted(name)


def _value(value: Scalar) -> str:
    if isinstance(value, bool):
        return "T" if value else "F"
    if not isinstance(value, str):
        return repr(value)
    plain = WORD.fullmatch(value) and not VALUES.match(value)
    return _quoted(value if plain else f"_JSON {json.dumps(value)}")


def _quoted(text: str) -> str:
    """Quotes for ASE, which takes whatever follows a backslash as it is."""
    if WORD.fullmatch(text) and " " not in text:
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
