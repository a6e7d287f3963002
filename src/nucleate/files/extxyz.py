"""Extended XYZ: read by ASE; written by hand, so that a machine without ASE can write, and with more digits than ASE's.

The keys and values of a frame's comment line are its `info`. Values are quoted so that ASE reads back what was written:
text that looks like a number, a truth value or a list is marked as JSON, which ASE's dialect knows.
"""

from __future__ import annotations

import io
import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from itertools import islice, pairwise

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

HEAD = re.compile("[0-9]{1,9}", re.ASCII)
"""The first line of a frame."""

KEYS = re.compile(r"\b(lattice|properties|pbc)\s*=", re.IGNORECASE)
"""What the second line of a frame has, and no other line."""

ATOM = re.compile(r"\s*[A-Za-z]{1,2}\s+[-+.0-9]", re.ASCII)
"""How the line of an atom starts."""

CELL = "VEC"
"""How the lines start that some programs write the cell on, after the atoms."""

WORD = re.compile(r"[A-Za-z][\w .:/()+-]*", re.ASCII)
"""Text that needs no JSON, unless it starts with a word of `VALUES`."""

VALUES = re.compile(r"(t|f|true|false|nan|inf|infinity)\b", re.IGNORECASE)


def split(text: str) -> Iterator[str]:
    """Cuts a file into frames, each from its number of atoms on.

    A frame that is longer or shorter than it says, and text between frames, goes up to where the next frame surely
    begins: so what is broken is one piece, and its neighbours are whole.
    """
    lines = text.split("\n")
    sure = [place for place, (line, following) in enumerate(pairwise(lines)) if _begins(line, following)]
    sure.append(len(lines))
    start = 0
    while start < len(lines):
        if not lines[start].strip():
            start += 1
            continue
        end = sure[bisect_right(sure, start)]
        if _is_head(lines[start]):
            end = min(end, _end_of_whole(lines, start) or end)
        yield "\n".join(lines[start:end])
        start = end


def _begins(line: str, following: str) -> bool:
    """Whether a frame surely begins with these two lines, even if the first says no number."""
    return KEYS.search(following) is not None and ATOM.match(line) is None and bool(line.strip())


def _is_head(line: str) -> bool:
    """Whether a line is a number of atoms."""
    return HEAD.fullmatch(line.strip()) is not None


def _end_of_whole(lines: list[str], start: int) -> int | None:
    """Where the frame ends that begins at `start`; None if more atoms follow than it says."""
    end = start + 2 + int(lines[start])
    while end < len(lines) and lines[end].lstrip().startswith(CELL):
        end += 1
    following = next((line for line in islice(lines, end, None) if line.strip()), None)
    return None if following is not None and ATOM.match(following) else end


def parse(text: str) -> Entry:
    """Reads one frame.

    Raises:
        BadEntryError: with the reason; and whatever ASE raises.
    """
    from ase.io.extxyz import read_xyz

    head, comment, atoms = [*text.split("\n", 2), "", ""][:3]
    if not _is_head(head):
        raise BadEntryError(Failure.UNPARSEABLE, f"{head.strip()[:60]!r} is no number of atoms")
    stated = sum(bool(line.strip()) and not line.lstrip().startswith(CELL) for line in atoms.split("\n"))
    if stated != int(head):
        raise BadEntryError(Failure.UNPARSEABLE, f"the frame says {int(head)} atoms and has {stated} lines of them")
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
