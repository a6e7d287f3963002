"""Extended XYZ: read by ASE; written by hand, so that a machine without ASE can write, and with more digits than ASE's.

The keys and values of a frame's comment line are its `info`. Values are quoted so that ASE reads back what was written:
text that looks like a number, a truth value or a list is marked as JSON, which ASE's dialect knows.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice, pairwise
from typing import Any

from nucleate.crystals import FAILURE, Crystals
from nucleate.elements import SYMBOLS
from nucleate.files import plain_frames
from nucleate.files.convert import atoms_entry
from nucleate.files.entries import Entry, Scalar, each, scalars, shield, unshield
from nucleate.files.failures import DETAIL, BadEntryError, Failure
from nucleate.files.ownership import is_reason, of_crystal, of_written_crystal

RESERVED = (
    *("lattice", "properties", "pbc", "uid"),
    *("stress", "virial", "dipole", "polarization", "dielectric_tensor"),
)
"""Keys that the format, or ASE, gives a meaning of their own; as names of `info` columns they are written as `_pbc`."""

HEAD = re.compile("[0-9]{1,9}", re.ASCII)
"""The first line of a frame."""

KEYS = re.compile(r"\b(lattice|properties|pbc)\s*=", re.IGNORECASE)
"""What the second line of a frame has, and no other line."""

ATOM = re.compile(r"\s*([A-Za-z]{1,2}|[0-9]{1,3})[ \t]+[-+.0-9]", re.ASCII)
"""How the line of an atom starts."""

BLOCK = 1024
"""Lines of a frame that are taken at a time, so that one that says far too many atoms does not take the file."""

CELL = "VEC"
"""How the lines start that some programs write the cell on, after the atoms."""

WORD = re.compile(r"[A-Za-z][\w .:/()+-]*", re.ASCII)
"""Text that needs no JSON, unless it starts with a word of `plain_frames.VALUES`."""


def split(text: str) -> Iterator[str]:
    """Cuts a text into frames, as `frames` does."""
    return frames(io.StringIO(text))


def frames(lines: Iterable[str]) -> Iterator[str]:
    """Cuts the lines of a file into frames, each from its number of atoms on, in time linear in their number.

    A frame that is longer or shorter than it says, and text between frames, goes up to where the next frame surely
    begins: so what is broken is one piece, and its neighbours are whole.

    Args:
        lines: with their ends, such as an open file, of which no more than a frame is held at a time.
    """
    source = _Lines(lines)
    while head := source.take(1):
        if head[0].strip():
            yield _whole_frame(head, source) if _is_head(head[0]) else _up_to_next(head, source)


def _whole_frame(frame: list[str], source: _Lines) -> str:
    """Takes what belongs to a number of atoms: as many lines as it says, up to where another frame surely begins."""
    missing = int(frame[0]) + 1
    while missing and (lines := source.take(min(missing, BLOCK))):
        missing -= len(lines)
        frame += lines
        end = _next_begin(frame, source.peek(), len(frame) - len(lines))
        if end is not None:
            source.give_back(frame[end:])
            return "".join(frame[:end])
    while source.peek().lstrip().startswith(CELL):
        line = source.take(1)
        if _begins(line[0], source.peek()):
            source.give_back(line)
            break
        frame += line
    if ATOM.match(source.peek_text()):
        return _up_to_next(frame, source)  # more atoms than it says
    return "".join(frame)


def _up_to_next(frame: list[str], source: _Lines) -> str:
    """Takes all lines up to where a frame surely begins."""
    while line := source.take(1):
        if _begins(line[0], source.peek()):
            source.give_back(line)
            break
        frame += line
    return "".join(frame)


class _Lines:
    """Lines that can be looked at before they are taken, and given back."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._returned: list[str] = []
        """Given back, the next one last."""

    def take(self, count: int) -> list[str]:
        """The next lines, fewer at the end of the file."""
        back = [self._returned.pop() for _ in range(min(count, len(self._returned)))]
        return back + list(islice(self._lines, count - len(back)))

    def give_back(self, lines: list[str]) -> None:
        """Makes these the next lines."""
        self._returned += reversed(lines)

    def peek(self) -> str:
        """The next line; empty at the end of the file."""
        line = self.take(1)
        self.give_back(line)
        return line[0] if line else ""

    def peek_text(self) -> str:
        """The next line that is not blank; empty at the end of the file."""
        passed = self.take(1)
        while passed and not passed[-1].strip():
            more = self.take(1)
            if not more:
                break
            passed += more
        self.give_back(passed)
        return passed[-1] if passed else ""


def _next_begin(frame: list[str], following: str, first: int) -> int | None:
    """The first place in a frame, from `first` on, where another one surely begins."""
    lines = [*frame[first:], following]
    if "=" not in "".join(lines[1:]):  # quick to see, and so in nearly every frame
        return None
    return next((first + place for place, pair in enumerate(pairwise(lines)) if _begins(*pair)), None)


def _begins(line: str, following: str) -> bool:
    """Whether a frame surely begins with these two lines, even if the first says no number."""
    return "=" in following and KEYS.search(following) is not None and ATOM.match(line) is None and bool(line.strip())


def _is_head(line: str) -> bool:
    """Whether a line is a number of atoms."""
    return HEAD.fullmatch(line.strip()) is not None


def parse(text: str) -> Entry:
    """Reads one frame.

    Raises:
        BadEntryError: with the reason; and whatever ASE raises.
    """
    head, comment, atoms = [*text.split("\n", 2), "", ""][:3]
    if not _is_head(head):
        raise BadEntryError(Failure.UNPARSEABLE, f"{head.strip()[:60]!r} is no number of atoms")
    lines = [line for line in atoms.split("\n") if line and not line.isspace()]
    cells = sum(line.lstrip().startswith(CELL) for line in lines) if CELL in atoms else 0
    if len(lines) - cells != int(head):
        message = f"the frame says {int(head)} atoms and has {len(lines) - cells} lines of them"
        raise BadEntryError(Failure.UNPARSEABLE, message)
    try:
        found = None if cells else plain_frames.read(comment, lines)
    except BadEntryError as error:
        error.info = of_crystal({unshield(name, RESERVED): value for name, value in error.info.items()})
        raise
    return _read_by_ase(head, comment, atoms) if found is None else _entry(*found)


def _entry(entry: Entry | None, info: Mapping[str, Any]) -> Entry:
    """Puts the `info` into what a frame holds; a frame without atoms and cell is the place of a failure, if it says so.

    Raises:
        BadEntryError: there is neither a crystal nor a reason.
    """
    if entry is None and not is_reason(info.get(FAILURE)):
        raise BadEntryError(Failure.BAD_LATTICE, "there are 0 lattice vectors")
    known = scalars({unshield(name, RESERVED): value for name, value in info.items()})
    if entry is None:
        return Entry.failed(str(known[FAILURE]), str(known.get(DETAIL) or ""), known)
    return replace(entry, info=of_crystal(known))


def _read_by_ase(head: str, comment: str, atoms: str) -> Entry:
    from ase.io.extxyz import per_config_properties, read_xyz

    hydrogen = re.sub(r"^([ \t]*)[DT](?=[ \t])", r"\1H", atoms, flags=re.MULTILINE)  # ASE knows no isotopes
    try:
        (frame,) = read_xyz(io.StringIO(f"{head}\n{comment}\n{hydrogen}\n"), index=0)
    except KeyError as error:
        raise BadEntryError(Failure.UNKNOWN_ELEMENT, f"{error} is not an element") from error
    results = {} if frame.calc is None else frame.calc.results
    info = {**frame.info, **{name: value for name, value in results.items() if name in per_config_properties}}
    if not len(frame) and not frame.cell.rank:
        return _entry(None, info)
    frame.info, frame.calc = {}, None
    return _entry(atoms_entry(frame), info)


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
        if not entry.failure
    ]
    return "\n".join([str(len(atoms)), " ".join(words), *atoms, ""])


def _stated(entry: Entry) -> Iterator[tuple[str, Scalar]]:
    """What is worth writing: not a blank, nor that nothing failed."""
    info = entry.info if entry.failure else of_written_crystal(entry.info)
    for name, value in info.items():
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
    plain = WORD.fullmatch(value) and not plain_frames.VALUES.match(value)
    return _quoted(value if plain else f"_JSON {json.dumps(value)}")


def _quoted(text: str) -> str:
    """Quotes for ASE, which takes whatever follows a backslash as it is."""
    if WORD.fullmatch(text) and " " not in text:
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
