"""`read`: any structure file, or a folder or a zip of them, becomes one batch of crystals."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from rich.console import Console
from rich.progress import Progress

from nucleate.crystals import FAILURE, Crystals
from nucleate.errors import UserError
from nucleate.files import archive, cif, csv, extxyz, json, parquet, poscar
from nucleate.files.entries import Entry, Scalar, collect
from nucleate.files.extras import files_extra
from nucleate.files.failures import DETAIL, BadEntryError, Failure
from nucleate.files.formats import Format, known, of_content, of_name, unpacked
from nucleate.parallel import available_cores, map_in_order

MESSAGE_LENGTH = 300

PARSER_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What pymatgen and ASE raise on text that is not what it should be. Each becomes a counted failure."""

FILE = "file"
"""Name of the `info` column with the name of the file within a folder or a zip."""


class Reader(Protocol):
    """What a module of a text format has."""

    def split(self, text: str, /) -> Iterator[Any]:
        """Cuts a file into what `parse` takes, one a crystal. Cheap."""
        ...

    def parse(self, content: Any, /) -> Entry:
        """Reads one crystal. Dear, and so done in many processes."""
        ...


READERS: dict[Format, Reader] = {Format.CIF: cif, Format.POSCAR: poscar, Format.EXTXYZ: extxyz, Format.JSON: json}

TABLES = (Format.CSV, Format.PARQUET, Format.ZIP)


class Piece(NamedTuple):
    """What one crystal is made of: the function that parses it, its content, where it stands, and its `info`."""

    parse: Callable[[Any], Entry]
    content: Any
    place: str
    info: dict[str, Scalar]


@files_extra()
def read(path: str | Path, *, limit: int | None = None, jobs: int | None = None, progress: bool = False) -> Crystals:
    """Reads crystals from a file, or from all structure files of a folder or a zip, sorted by name.

    The format follows from the name (CIF, POSCAR, extended XYZ, pymatgen JSON, CSV with a `cif` column, Parquet, zip;
    any of them with `.gz`), and for a name without suffix from the content. Everything else that a table, a frame or a
    record says becomes `info`; of a folder or a zip `info["file"]` is the name of the file in it.

    An entry that cannot be read is a row without atoms: `info["failure"]` is a `Failure` and `info["detail"]` says what
    is wrong, and where. Its neighbours are read all the same. So no row is lost, and row i is entry i.

    Args:
        path: a file or a folder.
        limit: read only the first entries.
        jobs: processes at most; all cores by default. The result does not depend on it.
        progress: show a bar on stderr, if that is a terminal.

    Raises:
        UserError: there is no such file, its format is unknown or not what its name says, it is empty, or it is a
            single crystal that cannot be read.
    """
    path = Path(path)
    try:
        if path.is_file() and path.suffix == ".parquet" and parquet.holds_crystals(path):
            return parquet.load(path, limit)
        pieces, single = _found(path, limit)
        if single:
            return collect([_entry(piece) for piece in pieces])
        return collect(_all_parsed(pieces, jobs, f"Reading {path.name}" if progress else None))
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def _found(path: Path, limit: int | None) -> tuple[list[Piece], bool]:
    """The pieces up to the limit, and whether the path is a file for one crystal, and not a table with one row."""
    found = list(islice(_pieces(path), None if limit is None else limit + 1))
    if not found:
        raise UserError("there are no structures in it")
    single = len(found) == 1 and path.is_file() and of_name(path.name) not in TABLES
    return found[:limit], single


def _pieces(path: Path) -> Iterator[Piece]:
    if path.is_dir():
        yield from _pieces_of_all(archive.folder(path))
        return
    data = unpacked(archive.content(path))
    kind = of_name(path.name) or (None if path.suffix else of_content(data))
    if kind is None:
        raise UserError(f"this kind of file is not known; known are {known()}, POSCAR and CONTCAR")
    if kind is Format.ZIP:
        yield from _pieces_of_all(archive.unzipped(data))
        return
    yield from _pieces_of(path.name, kind, data)


def _pieces_of_all(documents: Iterable[archive.Document]) -> Iterator[Piece]:
    """The pieces of the files of a folder or a zip. A file that cannot be cut into pieces is a failure of its own."""
    for name, kind, load in documents:
        try:
            pieces = list(_pieces_of(name, kind, load()))
        except UserError as error:
            failed = Entry.failed(Failure.UNPARSEABLE, f"{name}: {error}")
            pieces = [Piece(parquet.parse, failed, name, {})]
        for piece in pieces:
            yield piece._replace(info={FILE: name, **piece.info})


def _pieces_of(name: str, kind: Format, data: bytes) -> Iterator[Piece]:
    data = unpacked(data)
    if not data or data.isspace():
        raise UserError("the file is empty")
    contents: list[tuple[Any, dict[str, Scalar]]]
    if kind is Format.PARQUET:
        parse, contents = parquet.parse, list(parquet.split(data))
    elif kind is Format.CSV:
        parse, contents = csv.parse, list(csv.split(_text(data)))
    elif kind in READERS:
        reader = READERS[kind]
        parse, contents = reader.parse, [(content, {}) for content in reader.split(_text(data))]
    else:
        raise UserError(f"a {kind} in a folder or in a zip is not read")
    for row, (content, info) in enumerate(contents):
        yield Piece(parse, content, name if len(contents) == 1 else f"{name}, row {row}", info)


def _text(data: bytes) -> str:
    return data.decode("utf-8-sig", errors="replace")


def _all_parsed(pieces: Sequence[Piece], jobs: int | None, title: str | None) -> list[Entry]:
    console = Console(stderr=True)
    silent = title is None or not console.is_terminal
    with Progress(console=console, transient=True, disable=silent) as bar:
        task = bar.add_task(title or "", total=1.0)
        show = partial(bar.update, task)
        return map_in_order(
            _parsed, pieces, jobs=jobs or available_cores(), on_progress=lambda share: show(completed=share)
        )


def _parsed(piece: Piece) -> Entry:
    try:
        return _entry(piece)
    except BadEntryError as error:
        return Entry.failed(error.reason, f"{piece.place}: {error.message}", piece.info)


def _entry(piece: Piece) -> Entry:
    """Parses a piece; whatever goes wrong is a `BadEntryError`."""
    if piece.info.get(FAILURE):  # it failed before it was written
        return Entry.failed(str(piece.info[FAILURE]), str(piece.info.get(DETAIL) or ""), piece.info)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what would be wrong is refused; the rest is noise, times 10,000
            entry = piece.parse(piece.content)
    except BadEntryError:
        raise
    except PARSER_ERRORS as error:
        message = " ".join(f"{type(error).__name__}: {error}".split())
        raise BadEntryError(Failure.UNPARSEABLE, message[:MESSAGE_LENGTH]) from error
    return replace(entry, info={**piece.info, **entry.info})
