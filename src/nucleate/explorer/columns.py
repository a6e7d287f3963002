"""Columns of the sources' files as properties of the map: all of them, and unknown wherever a source lacks one."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nucleate.crystals import FAILURE, Crystals
from nucleate.explorer.atlas import Property

NAMES = ("id", "material_id", "name")
"""Columns of `info` that name a crystal; its name is in the first of them that has one."""

ROW = "source_row"
"""Name of the `info` column with the row that a crystal has in its source."""

UNITS = {
    "energy": "eV",
    "energy_per_atom": "eV/atom",
    "formation_energy_per_atom": "eV/atom",
    "e_above_hull": "eV/atom",
    "band_gap": "eV",
}
"""Of columns that the field calls so."""

LONGEST = 200
"""Characters of a text that reach the page; what is longer is cut, and counted."""

BUDGET = 1_500_000
BUDGET_PER_CRYSTAL = 75
"""Bytes, compressed, that the columns may add to a page: the larger of the two, and 4/3 of it in the page's base64."""

_RESERVED = ("source", "id", "row", "map", "distance")  # words of the page's address, search and exported files
_EXACT = 2**53  # from here on not every whole number is one of double precision


@dataclass(frozen=True, eq=False)
class Columns:
    """What is shown of the columns.

    Attributes:
        properties: one a column that is shown, in the order of their names.
        facts: what to know about those that are cut or not shown, by label.
    """

    properties: tuple[Property, ...]
    facts: dict[str, str]


def file_columns(crystals: Crystals, names: Sequence[str], taken: Collection[Property] = ()) -> Columns:
    """Turns columns of `info` into properties.

    A column is of numbers, of booleans or of texts, by the values that are known. None, NaN and blank texts are not.

    Args:
        crystals: all on the map.
        names: of the columns; those that only repeat the name of each crystal are left out, as it is shown already.
        taken: properties that are there already, whose keys and labels cannot be used again.
    """
    notes = _Notes()
    found = [_property(name, crystals.info[name], notes) for name in _worth_showing(crystals, names)]
    found = [prop for prop in found if prop is not None]
    shown = _affordable(found, max(BUDGET, BUDGET_PER_CRYSTAL * len(crystals)), notes)
    keys, labels = {*_RESERVED, *(prop.key for prop in taken)}, {prop.label.casefold() for prop in taken}
    named = []
    for prop in shown:
        key, label = _unlike(prop.key, keys), _unlike(prop.label, labels)
        keys.add(key)
        labels.add(label.casefold())
        named.append(replace(prop, key=key, label=label))
    return Columns(tuple(named), notes.facts([prop.key for prop in named]))


def crystal_names(crystals: Crystals) -> list[str] | None:
    """What each crystal is called by its file, without line breaks; None if no file calls any."""
    columns = [crystals.info[name] for name in NAMES if name in crystals.info]
    if not columns:
        return None
    return [next((_text(value) for value in values if _is_known(value)), "") for values in zip(*columns, strict=True)]


class _Notes:
    """What is not shown as it stands in the files."""

    def __init__(self) -> None:
        self.cut: list[str] = []
        self.infinite: list[str] = []
        self.left_out: list[str] = []

    def facts(self, shown: Sequence[str]) -> dict[str, str]:
        """By label, those that there are."""
        facts = {
            "columns of the files": _listed(shown),
            f"texts cut to {LONGEST} characters": _listed(self.cut),
            "infinite values, shown as unknown": _listed(self.infinite),
            "columns left out": _listed(self.left_out),
        }
        return {label: text for label, text in facts.items() if text}


def _listed(names: Sequence[str], most: int = 40) -> str:
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def _worth_showing(crystals: Crystals, names: Sequence[str]) -> list[str]:
    called = crystal_names(crystals)
    wanted = []
    for name in sorted(set(names) - {ROW, FAILURE}):
        if name in NAMES and called is not None:
            column = crystals.info[name]
            if all(not _is_known(value) or _text(value) == one for value, one in zip(column, called, strict=True)):
                continue
        wanted.append(name)
    return wanted


def _property(name: str, column: np.ndarray, notes: _Notes) -> Property | None:
    """The column as numbers, flags or texts; None if no value is known."""
    known = np.array([_is_known(value) for value in column])
    if not known.any():
        notes.left_out.append(f"{name} (no value among the crystals shown)")
        return None
    values = column[known]
    about = {"key": name, "label": name.replace("_", " "), "of_file": True}
    if all(isinstance(value, (bool, np.bool_)) for value in values):
        flags = np.array([value if one else None for value, one in zip(column, known, strict=True)], dtype=object)
        return Property(values=flags.astype(bool) if known.all() else flags, **about)
    if all(_is_number(value) for value in values):
        numbers = np.full(len(column), np.nan)
        numbers[known] = values.astype(np.float64)
        if infinite := int(np.isinf(numbers).sum()):
            notes.infinite.append(f"{name} ({infinite:,})")
        return Property(values=numbers, unit=UNITS.get(name, ""), **about)
    texts = np.full(len(column), "", dtype=object)
    texts[known] = [_text(value) for value in values]
    if cut := sum(len(text) > LONGEST for text in texts):
        notes.cut.append(f"{name} ({cut:,})")
        texts[:] = [text if len(text) <= LONGEST else f"{text[:LONGEST]}…" for text in texts]
    return Property(values=texts, **about)


def _is_known(value: Any) -> bool:
    if value is None or (isinstance(value, (float, np.floating)) and value != value):
        return False
    return not isinstance(value, str) or bool(value.strip())


def _is_number(value: Any) -> bool:
    if isinstance(value, (bool, np.bool_)):
        return False
    if isinstance(value, (int, np.integer)):
        return abs(int(value)) <= _EXACT  # a longer one is a name that happens to be written in digits
    return isinstance(value, (float, np.floating))


def _text(value: Any) -> str:
    """The value on one line."""
    return " ".join(str(value).split())


def _affordable(found: Sequence[Property], budget: int, notes: _Notes) -> list[Property]:
    """The smallest columns as long as there is room for them, in the order they came in."""
    sizes = [_packed_size(prop.values) for prop in found]
    room, shown = budget, set()
    for place in sorted(range(len(found)), key=lambda i: sizes[i]):
        room -= sizes[place]
        if room < 0:
            megabytes = f"{sizes[place] / 1e6:.1f} MB; all may have {budget / 1e6:.1f} MB"
            notes.left_out.append(f"{found[place].key} (would take {megabytes})")
        else:
            shown.add(place)
    return [prop for place, prop in enumerate(found) if place in shown]


def _packed_size(values: np.ndarray) -> int:
    """About how many bytes a column takes in a compressed page."""
    if values.dtype == object:
        data = "\n".join(str(value) for value in values).encode()
    else:
        data = values.astype(np.float32).tobytes()
    return len(zlib.compress(data, 1))


def _unlike(text: str, taken: Collection[str]) -> str:
    """The text, or with a word more if it is taken."""
    found, number = text, 1
    while found.casefold() in taken or found in taken:
        found, number = f"{text} (file{'' if number == 1 else f' {number}'})", number + 1
    return found
