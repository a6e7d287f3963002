"""`read`: any structure file, or a folder or a zip of them, becomes one batch of crystals."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from io import BufferedIOBase
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from rich.console import Console
from rich.progress import Progress

from nucleate.crystals import FAILURE, Crystals
from nucleate.errors import UserError
from nucleate.files import archive, cif, csv, extxyz, json, parquet, poscar, torch_samples
from nucleate.files.compression import content, of_suffix, opened
from nucleate.files.entries import Entry, Scalar, collect, each, shield
from nucleate.files.extras import files_extra
from nucleate.files.failures import DETAIL, BadEntryError, Failure
from nucleate.files.formats import Format, has_suffix, known, of_content, of_source
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

NUMBER_EXPECTED = re.compile(
    r"(?:could not convert string to float|invalid literal for int\(\) with base 10): ('[^']*')"
)
"""What Python says of a word that should be a number."""

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


READERS: dict[Format, Reader] = {Format.CIF: cif, Format.POSCAR: poscar, Format.JSON: json}

TABLES = (Format.CSV, Format.TSV, Format.PARQUET, Format.ZIP)


Contents = tuple[Callable[[Any], Entry], Iterable[tuple[Any, dict[str, Scalar]]]]
"""The function that parses what one crystal is made of; and that of each crystal, with its `info`."""


class Piece(NamedTuple):
    """What one crystal is made of: the function that parses it, its content, where it stands, and its `info`."""

    parse: Callable[[Any], Entry]
    content: Any
    place: str
    info: dict[str, Scalar]
    file: str | None = None
    """The name of its file within a folder or a zip."""


@files_extra()
def read(path: str | Path, *, limit: int | None = None, jobs: int | None = None, progress: bool = False) -> Crystals:
    """Reads crystals from a file, or from all structure files of a folder or a zip.

    The format follows from the name (CIF, POSCAR, extended XYZ, JSON and JSON lines, CSV, Parquet, zip, and the `.pt`
    of CDVAE, DiffCSP and FlowMM), and for a name without suffix from the content; any of them may be compressed, with
    gzip, bzip2, xz or Zstandard. Everything else that a table, a frame or a record says becomes `info`; of a folder or
    a zip `info["file"]` is the name of the file in it. Files are sorted by name, numbers as numbers.

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
        if path.is_file() and of_source(path.name) is Format.PARQUET:
            source = path if of_suffix(path.name) is None else io.BytesIO(_whole(path))
            if parquet.holds_crystals(source):
                return parquet.load(source, limit)
        pieces, single = _found(path, limit)
        if single:
            return collect([_entry(piece) for piece in pieces])
        return collect(_all_parsed(pieces, jobs, f"Reading {path.name}" if progress else None))
    except UserError as error:
        raise UserError(f"{path}: {' '.join(str(error).split())}") from error  # names of columns may have lines


def _found(path: Path, limit: int | None) -> tuple[list[Piece], bool]:
    """The pieces up to the limit, and whether the path is a file for one crystal, and not a table with one row."""
    found = list(islice(_pieces(path), None if limit is None else limit + 1))
    if not found:
        raise UserError("there are no structures in it")
    single = len(found) == 1 and path.is_file() and of_source(path.name) not in TABLES
    return found[:limit], single


def _pieces(path: Path) -> Iterator[Piece]:
    if path.is_dir():
        yield from _pieces_of_all(archive.folder(path))
        return
    kind = of_source(path.name)
    if kind is None and not has_suffix(path.name):
        kind = of_content(_whole(path))
    if kind is None:
        opened(path).close()  # a file that is not there is the greater mistake
        raise UserError(f"this kind of file is not known; known are {known()}, .pt, POSCAR and CONTCAR")
    with opened(path) as source:
        if kind is Format.ZIP:
            yield from _pieces_of_all(archive.unzipped(_seekable(content(source))))
        else:
            yield from _pieces_of(path.name, kind, content(source))


def _seekable(source: BufferedIOBase) -> BufferedIOBase:
    """A stream in which one can go back; that of a compressed file is read into memory for it."""
    return source if source.seekable() else io.BytesIO(source.read())


def _whole(path: Path) -> bytes:
    with opened(path) as source:
        return content(source).read()


def _pieces_of_all(documents: Iterable[archive.Document]) -> Iterator[Piece]:
    """The pieces of the files of a folder or a zip. A file that cannot be cut into pieces is a failure of its own."""
    for name, kind, open_ in documents:
        try:
            with open_() as source:
                pieces = list(_pieces_of(name, kind, content(source)))
        except UserError as error:
            failed = Entry.failed(Failure.UNPARSEABLE, f"{name}: {error}")
            pieces = [Piece(_as_it_is, failed, name, {})]
        for piece in pieces:
            yield piece._replace(file=name)


def _pieces_of(name: str, kind: Format, source: BufferedIOBase) -> Iterator[Piece]:
    """The pieces of one file, cut while it is read where the format allows.

    Raises:
        UserError: the file is empty, or cannot be cut.
    """
    parse, contents = _contents(kind, source)
    found = iter(contents)
    first = list(islice(found, 2))
    for row, (item, info) in enumerate(chain(first, found)):
        yield Piece(parse, item, name if len(first) == 1 else f"{name}, row {row}", info)


def _contents(kind: Format, source: BufferedIOBase) -> Contents:
    """Finds what the crystals of a file are made of.

    Raises:
        UserError: the file is empty or damaged, or is not in its format.
    """
    if kind is Format.EXTXYZ:
        return extxyz.parse, _without_info(extxyz.frames(_lines(source)))
    if kind is Format.JSON_LINES:
        return json.parse, _without_info(json.lines(_lines(source)))
    if kind is Format.TORCH:
        return torch_samples.parse, torch_samples.split(source)
    data = source.read()
    if not data or data.isspace():
        raise UserError("the file is empty")
    if kind is Format.PARQUET:
        if parquet.holds_crystals(io.BytesIO(data)):
            return _as_it_is, ((entry, {}) for entry in each(parquet.load(io.BytesIO(data))))
        return parquet.parse, parquet.split(data)
    text = data.decode("utf-8-sig", errors="replace")
    del data  # the text may be large
    if kind in (Format.CSV, Format.TSV):
        return csv.parse, csv.split(text)
    if kind in READERS:
        return READERS[kind].parse, _without_info(READERS[kind].split(text))
    raise UserError(f"a {kind} in a folder or in a zip is not read")


def _as_it_is(entry: Entry) -> Entry:
    return entry


def _without_info(contents: Iterable[Any]) -> Iterator[tuple[Any, dict[str, Scalar]]]:
    return ((item, {}) for item in contents)


def _lines(source: BufferedIOBase) -> Iterator[str]:
    """The lines of a file, decoded while it is read.

    Raises:
        UserError: there is nothing in it.
    """
    text = io.TextIOWrapper(source, encoding="utf-8-sig", errors="replace")  # pyright: ignore[reportArgumentType]
    try:
        for line in text:
            if line.strip():
                yield line
                yield from text
                return
        raise UserError("the file is empty")
    finally:
        if not text.closed:
            text.detach()  # the file is not ours to close


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
        return Entry.failed(
            error.reason, f"{piece.place}: {error.message}", _with_file(piece, {**piece.info, **error.info})
        )


def _entry(piece: Piece) -> Entry:
    """Parses a piece; whatever goes wrong is a `BadEntryError`."""
    if piece.info.get(FAILURE):  # it failed before it was written
        return Entry.failed(str(piece.info[FAILURE]), str(piece.info.get(DETAIL) or ""), _with_file(piece, piece.info))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what would be wrong is refused; the rest is noise, times 10,000
            entry = piece.parse(piece.content)
    except BadEntryError:
        raise
    except PARSER_ERRORS as error:
        raise BadEntryError(Failure.UNPARSEABLE, _in_words(error)) from error
    return replace(entry, info=_with_file(piece, {**piece.info, **entry.info}))


def _with_file(piece: Piece, info: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """The `info` with the name of the file; a column of that name, which the file itself has, becomes `_file`."""
    if piece.file is None:
        return dict(info)
    return {FILE: piece.file, **{shield(name, (FILE,)): value for name, value in info.items()}}


def _in_words(error: Exception) -> str:
    """What a parser stumbled over, where its message says so; its own affairs, such as an index, say nothing."""
    message = " ".join(str(error).split())[:MESSAGE_LENGTH]
    message = NUMBER_EXPECTED.sub(r"\1 is not a number", message)
    if type(error) in (ValueError, UserError) and message:
        return message
    return "the text is not in the format that its name promises"
