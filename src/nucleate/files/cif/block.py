"""The text of a CIF: cut into blocks, and the values of a block by tag, whatever their case, dots and quotes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from nucleate.files.failures import BadEntryError, Failure

FAILED_TAG, DETAIL_TAG = "_nucleate_failure", "_nucleate_detail"
"""Tags that keep the place of a crystal that could not be built."""

# The start of a text field, its end, and a heading outside of it: what is found first decides.
_LANDMARK = re.compile(r"^;|^[ \t]*data_", re.MULTILINE | re.IGNORECASE)

_SITES = re.compile(r"\b_atom_site[_.](?!aniso)|" + FAILED_TAG, re.IGNORECASE)

_NAME_WITHOUT_QUOTES = re.compile(
    r"^(_\S*name_H(?:-M|all)\S*[ \t]+)([A-Z-][^'\"\n#]*?[ \t][^'\"\n#]*?)[ \t]*$", re.M | re.I
)
"""A name of a space group that has spaces and no quotes: wrong by the standard, frequent, and clear."""

_PLACE = re.compile(r"string:(\d+)(?::\d+\(\d+\))?(?: in data_\S*)?:? ?")
"""How gemmi says where an error stands."""

_WORDS = {"parse error": "this is not CIF: a value too many or too few, or a quote that is not closed"}
"""Messages of gemmi, and what they mean to whoever wrote the file."""

HEADING = re.compile(r"^[ \t]*data_", re.MULTILINE | re.IGNORECASE)
"""How a block starts, and what makes a text a CIF."""

UNKNOWN = ("?", ".", "")


def split(text: str) -> Iterator[str]:
    """Cuts a CIF into its blocks. A block without sites (of a publication, of a powder pattern) is no crystal.

    A line that starts like a heading inside a text field is text.
    """
    starts, inside = [], False
    for landmark in _LANDMARK.finditer(text):
        if landmark[0] == ";":
            inside = not inside
        elif not inside:
            starts.append(landmark.start())
    blocks = [text[start:end] for start, end in pairwise([*starts, len(text)])]
    return iter([block for block in blocks if _SITES.search(block)] or blocks[:1] or [text])


class Block:
    """The values of one block of a CIF.

    Tags are looked up in the spelling of the core dictionary (`_cell_length_a`); case, and a dot for the underscore
    after the category (`_cell.length_a`), make no difference.
    """

    def __init__(self, text: str) -> None:
        """Parses the text of one block.

        Raises:
            BadEntryError: the text is no CIF.
        """
        self._columns: dict[str, list[str]] = {}
        self._twice: set[str] = set()
        for tag, column in _columns(text):
            name = tag.lower().replace(".", "_", 1)
            if self._columns.setdefault(name, column) != column:
                self._twice.add(name)

    def __contains__(self, tag: str) -> bool:
        return tag in self._columns

    def tags(self) -> Iterator[str]:
        """All tags of the block, in the spelling of the core dictionary."""
        return iter(self._columns)

    def text(self, *tags: str) -> str | None:
        """The first value that one of some tags has; None if none has one, or it is `?` or `.`."""
        for tag in tags:
            for raw in self._raw(tag)[:1]:
                value = unquoted(raw).strip()
                if value not in UNKNOWN:
                    return value
        return None

    def column(self, *tags: str) -> list[str]:
        """All values of the first of some tags that has any; none if none has."""
        return next(([unquoted(raw) for raw in found] for tag in tags if (found := self._raw(tag))), [])

    def numbers(self, tag: str) -> np.ndarray:
        """A column as numbers without their uncertainties; NaN where there is no number."""
        return np.array([number(raw) for raw in self._raw(tag)], dtype=np.float64)

    def _raw(self, tag: str) -> list[str]:
        if tag in self._twice:
            raise BadEntryError(Failure.CONTRADICTION, f"{tag} is given twice, with different values")
        return self._columns.get(tag, [])


def number(raw: str) -> float:
    """A number without its uncertainty, `0.3522(1)`; NaN for `?`, `.` and whatever is none."""
    try:
        return float(raw) if "_" not in raw else float("nan")  # Python reads `1_0` as ten
    except ValueError:
        head, bracket, uncertainty = raw.strip("'\" ").partition("(")
    if bracket and not uncertainty.rstrip(")").replace(".", "").isdigit():
        return float("nan")
    try:
        return float(head)
    except ValueError:
        return float("nan")


def unquoted(raw: str) -> str:
    """The value that a word of a CIF stands for: without quotes, or the lines of a text field."""
    if raw[:1] in ("'", '"') and raw[-1:] == raw[:1] and len(raw) > 1:
        return raw[1:-1]
    if raw.startswith(";"):
        return raw[1:].rsplit("\n;", 1)[0].strip("\n")
    return raw


def _columns(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each tag with its values, as they stand; of a pair one."""
    document = _parsed(text)
    for item in document[0] if len(document) else ():
        if item.pair is not None:
            yield item.pair[0], [item.pair[1]]
        elif item.loop is not None:
            tags, values = list(item.loop.tags), list(item.loop.values)
            for place, tag in enumerate(tags):
                yield tag, values[place :: len(tags)]


def _parsed(text: str) -> Any:
    """gemmi's document of a text that should be one block."""
    from gemmi import cif

    message = ""
    for readable in _readable(text):
        try:
            return cif.read_string(readable, 0)
        except (ValueError, RuntimeError) as error:
            message = message or str(error)
    place = _PLACE.match(message)
    words = _PLACE.sub("", message)
    if "block header" in words and not HEADING.search(text):
        raise BadEntryError(Failure.UNPARSEABLE, "there is no data_ block")
    where = f"line {place[1]} of the block: " if place is not None else ""
    raise BadEntryError(Failure.UNPARSEABLE, where + _WORDS.get(words, words))


def _readable(text: str) -> Iterator[str]:
    """The text, and where that is no CIF, the text with what cannot be misunderstood put right."""
    yield text
    mended = _NAME_WITHOUT_QUOTES.sub(r"\1'\2'", text)
    if not text.isascii():  # CIF allows other letters in quotes only
        mended = "\n".join(line if line.isascii() else _quoted(line) for line in mended.split("\n"))
    if mended != text:
        yield mended


def _quoted(line: str) -> str:
    """A line whose words beyond ASCII are in quotes, unless it has quotes of its own."""
    line = line.replace("\u00a0", " ")
    return (
        line
        if "'" in line or '"' in line
        else re.sub(r"(?<!\S)[^\s_#;]\S*[^\x00-\x7f]\S*|(?<!\S)[^\x00-\x7f]\S*", r"'\g<0>'", line)
    )
