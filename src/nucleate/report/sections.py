"""What a page is made of, apart from its gallery: key numbers, tables and pictures, each rendered to HTML."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import isfinite
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from nucleate.errors import UserError

Value = str | bool | int | float | None
"""What a card or a cell of a table shows; None and NaN are shown as a dash."""


MISSING = "–"


@runtime_checkable
class Section(Protocol):
    """A part of a page."""

    def html(self) -> str:
        """Renders the section; whatever comes from outside is escaped."""
        ...


@dataclass(frozen=True)
class KeyNumbers:
    """A row of cards, one a number.

    Attributes:
        values: what each card shows, by its label.
    """

    values: Mapping[str, Value]

    def html(self) -> str:
        """Renders a description list."""
        cards = "".join(
            f"<div><dt>{escape(label)}</dt><dd>{escape(format_value(value))}</dd></div>"
            for label, value in self.values.items()
        )
        return f'<section class="numbers"><dl>{cards}</dl></section>'


@dataclass(frozen=True)
class Table:
    """A table with a heading; numbers stand right.

    Attributes:
        columns: heads of the columns.
        rows: cells, one a column.
        heading: of the section.
        note: a sentence below.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Value]]
    heading: str = "Metrics"
    note: str = ""

    def html(self) -> str:
        """Renders the table in a box that scrolls sideways where it is wider than the page.

        Raises:
            UserError: a row has not as many cells as there are columns.
        """
        for row in self.rows:
            if len(row) != len(self.columns):
                raise UserError(f"table {self.heading!r}: {len(row)} cells in a row of {len(self.columns)} columns")
        numeric = [any(_is_number(row[i]) for row in self.rows) for i in range(len(self.columns))]
        head = "".join(
            f'<th scope="col"{_aligned(right)}>{escape(name)}</th>'
            for name, right in zip(self.columns, numeric, strict=True)
        )
        body = "".join(f"<tr>{self._cells(row, numeric)}</tr>" for row in self.rows)
        note = f'<p class="note">{escape(self.note)}</p>' if self.note else ""
        return (
            f'<section><h2>{escape(self.heading)}</h2><div class="scroll" tabindex="0" role="region" '
            f'aria-label="{escape(self.heading)}"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
            f"</div>{note}</section>"
        )

    @staticmethod
    def _cells(row: Sequence[Value], numeric: Sequence[bool]) -> str:
        texts = [escape(format_value(value)) for value in row]
        first = f'<th scope="row"{_aligned(numeric[0])}>{texts[0]}</th>'
        return first + "".join(
            f"<td{_aligned(right)}>{text}</td>" for text, right in zip(texts[1:], numeric[1:], strict=True)
        )


@dataclass(frozen=True)
class Picture:
    """A PNG that is put into the page.

    Attributes:
        path: of the PNG.
        heading: of the section.
        caption: a sentence below, which also describes the picture to those who cannot see it.
    """

    path: str | Path
    heading: str
    caption: str = ""

    def html(self) -> str:
        """Renders the picture as a data URI.

        Raises:
            UserError: the file cannot be read.
        """
        try:
            code = b64encode(Path(self.path).read_bytes()).decode()
        except OSError as error:
            raise UserError(f"cannot read {self.path}: {error.strerror}") from error
        alt = escape(self.caption or self.heading)
        caption = f"<figcaption>{escape(self.caption)}</figcaption>" if self.caption else ""
        return (
            f'<section><h2>{escape(self.heading)}</h2><figure><img alt="{alt}" src="data:image/png;base64,{code}">'
            f"{caption}</figure></section>"
        )


def format_value(value: Any) -> str:
    """Writes a value for readers: four significant digits, thousands apart, a dash for what is missing."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value == "" or (isinstance(value, float) and not isfinite(value)):
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _is_number(value: Value) -> bool:
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)


def _aligned(right: bool) -> str:
    return ' class="number"' if right else ""
