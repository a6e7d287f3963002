"""Pairing by name: a sample is called as the reference crystal that it predicts, or so and with a number behind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from nucleate.crystals import FAILURE, Crystals
from nucleate.errors import UserError
from nucleate.evaluation.pairing.columns import RANK, REFERENCE_INDEX, check_ranks, occurrence, stated_rank
from nucleate.files import DETAIL, FILE
from nucleate.files.compression import bare as bare_name
from nucleate.files.formats import SUFFIXES, VASP_NAME, Format, of_name

IDS = (FILE, "material_id", "id", "name")
"""Columns that the field names crystals by."""

NUMBERED = re.compile(r"(?P<name>.+)[_-](?P<number>[0-9]{1,6})")

_NO_NAMES = {FAILURE, DETAIL, RANK, REFERENCE_INDEX}
_LONGEST = 200  # characters; a longer text is no name
_ATTEMPTS = 4  # in a message


class Naming(NamedTuple):
    """Names of the samples.

    Attributes:
        column: of `info`.
        names: one a sample.
        numbers: what stood behind each name, from 0; None if the names are taken whole.
        whole: whether the column has numbers, not text.
    """

    column: str
    names: list[str]
    numbers: Int[np.ndarray, " s"] | None
    whole: bool


class Fit(NamedTuple):
    """Names of the samples that are those of reference crystals.

    Attributes:
        naming: of the samples.
        reference: the column of the reference.
        index: row of the reference for each sample; -1 where no crystal has its name, (S,).
    """

    naming: Naming
    reference: str
    index: Int[np.ndarray, " s"]

    @property
    def found(self) -> int:
        """How many samples are called as a reference crystal."""
        return int((self.index >= 0).sum())

    @property
    def words(self) -> str:
        """The two columns, for a message."""
        number = " without the number at the end" if self.naming.numbers is not None else ""
        return f"{self.naming.column}{number} as {self.reference}"


def by_name(samples: Crystals, reference: Crystals) -> tuple[Int[np.ndarray, " s"], Int[np.ndarray, " s"], Fit]:
    """Returns the row of the reference that each sample is called as, its rank, and the columns that say so.

    A name is the text in a column of `info` that is no formula, or the whole number if the column's own name ends in
    `id`; of `file` it is the name of the file without folder and ending (of `mp-1/POSCAR` that of the folder). The
    reference crystals have theirs in a column in which no two are the same.

    The column `rank` has the ranks. Without it they are the numbers behind the names, from 0 or from 1, if every sample
    has `_NUMBER` or `-NUMBER` behind the name of its reference crystal; else they are counted in the order of the
    samples.

    Raises:
        UserError: no two columns fit for all samples, or several that say different things.
    """
    tried = list(_fits(samples, reference))
    fits = [fit for fit in tried if fit.found == len(samples)]
    if not fits:
        raise UserError(_nothing_fits(samples, reference, tried))
    fits.sort(key=lambda fit: fit.naming.numbers is None)  # numbers say more than the order of the samples
    best, rank = fits[0], _ranked(samples, fits[0])
    for fit in fits[1:]:
        same_rank = fit.naming.numbers is None or np.array_equal(_ranked(samples, fit), rank)
        if not (np.array_equal(fit.index, best.index) and same_rank):
            raise UserError(f"names say two different things: {best.words}, and {fit.words}")
    check_ranks(best.index, rank, "the name of reference crystal")
    return best.index, rank, best


def known_names(samples: Crystals, reference: Crystals) -> list[Fit]:
    """All ways in which every sample is called as a reference crystal."""
    return [fit for fit in _fits(samples, reference) if fit.found == len(samples)]


def other_order(samples: Crystals, reference: Crystals) -> Fit | None:
    """Names by which every sample predicts a reference crystal, and not all of them the one in their row; else None."""
    fits = known_names(samples, reference)
    if any(np.array_equal(fit.index, np.arange(len(samples))) for fit in fits):
        return None
    return fits[0] if fits else None


def ids(crystals: Crystals) -> dict[str, list[str]]:
    """Columns of names (see `by_name`) in which no crystal has none and no two have the same."""
    found = {name: names for name in crystals.info if (names := _names(crystals, name)) is not None}
    return {name: names for name, names in found.items() if len(set(names)) == len(names)}


def stem(file: str) -> str:
    """Name of a structure file without folder and ending; of a `POSCAR` that of its folder."""
    path = PurePosixPath(bare_name(file))
    bare = path.stem if path.suffix.lower() in SUFFIXES else path.name
    if of_name(path.name) is Format.POSCAR:
        bare = VASP_NAME.sub("_", bare).strip("._-") or path.parent.name
    return bare


def _fits(samples: Crystals, reference: Crystals) -> Iterator[Fit]:
    """All pairs of a naming of the samples and a column that tells the reference crystals apart."""
    columns = ids(reference)
    rows = {name: {text: row for row, text in enumerate(names)} for name, names in columns.items()}
    for naming in _namings(samples):
        for name, row_of in rows.items():
            # Two columns of numbers mean the same thing only if they are called the same.
            if naming.whole and reference.info[name].dtype.kind in "iu" and naming.column != name:
                continue
            yield Fit(naming, name, np.array([row_of.get(text, -1) for text in naming.names]))


def _namings(samples: Crystals) -> Iterator[Naming]:
    for column in samples.info:
        names = _names(samples, column)
        if names is None:
            continue
        whole = samples.info[column].dtype.kind in "iu"
        yield Naming(column, names, None, whole)
        parts = [NUMBERED.fullmatch(name) for name in names]
        if not whole and all(parts):
            numbers = np.array([int(part["number"]) for part in parts if part])
            # Numbers in names of files start at 0 or at 1; the smallest of all says which.
            first = 1 if numbers.min() == 1 else 0
            yield Naming(column, [part["name"] for part in parts if part], numbers - first, whole)


def _names(crystals: Crystals, column: str) -> list[str] | None:
    """The names in a column; None if it has something other than names."""
    values = crystals.info[column]
    if column in _NO_NAMES or "formula" in column.lower() or not len(values):
        return None
    if values.dtype.kind in "iu":
        return [str(value) for value in values] if column.lower().endswith("id") else None
    if values.dtype != object or not all(isinstance(v, str) and v.strip() and len(v) <= _LONGEST for v in values):
        return None
    return [stem(value) if column == FILE else str(value) for value in values]


def _ranked(samples: Crystals, fit: Fit) -> Int[np.ndarray, " s"]:
    stated = stated_rank(samples)
    if stated is not None:
        return stated
    return occurrence(fit.index) if fit.naming.numbers is None else fit.naming.numbers


def _nothing_fits(samples: Crystals, reference: Crystals, tried: list[Fit]) -> str:
    """Says what was tried."""
    if not ids(reference):
        return "pairing by name needs a column of the reference with another name for each crystal, and there is none"
    if not tried:
        return "pairing by name needs a column of names of the samples, such as file, and there is none"
    best = sorted(tried, key=lambda fit: -fit.found)[:_ATTEMPTS]
    attempts = "; ".join(f"{fit.words} fits {fit.found:,} of {len(samples):,}" for fit in best)
    missing = best[0].naming.names[int((best[0].index < 0).argmax())]
    return f"not all samples are called as a reference crystal ({missing!r} is not): {attempts}"
