"""JSON: structures of pymatgen, OPTIMADE, JARVIS and ASE's database, alone, in lists, in records or in data frames.

Written is one pymatgen `Structure` if there is one crystal, or else a list of them, with the `info` in their
`properties`; as JSON lines, one a line. A crystal that could not be built is `{"structure": null, "failure": …}`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import torch

from nucleate.crystals import FAILURE, Crystals
from nucleate.elements import SYMBOLS
from nucleate.errors import UserError
from nucleate.files import dialects, structure_column
from nucleate.files.dialects import ase_database, optimade, pymatgen
from nucleate.files.entries import Entry, Scalar, each, scalars
from nucleate.files.failures import DETAIL, BadEntryError, Failure
from nucleate.files.ownership import is_reason, of_crystal, of_written_crystal
from nucleate.geometry import lattice as lattices

STRUCTURE, SITES = "structure", "sites"

SHOWN = 8
"""Names that a message lists at most."""


def split(text: str) -> Iterator[Mapping[str, Any]]:
    """Finds the records in a file, each a structure or a mapping that holds one.

    Raises:
        UserError: the file is not JSON, or there is no structure in it.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        lines = "; a file with one record a line is named .jsonl" if "Extra data" in str(error) else ""
        raise UserError(f"not JSON: {error}{lines}") from error
    yield from (record if isinstance(record, Mapping) else {STRUCTURE: record} for record in _records(data))


def lines(text: Iterable[str]) -> Iterator[str]:
    """Gives the records of JSON lines, each still as text; blank lines hold none."""
    return (line for line in text if line.strip())


def _records(data: Any) -> list[Any]:
    if isinstance(data, list):
        return data
    if not isinstance(data, Mapping):
        raise UserError("there is no structure in it")
    if ase_database.is_database(data):
        return list(ase_database.rows(data))
    if _is_record(data):
        return [data]
    if (found := optimade.resources(data)) is not None:
        return found
    if _has_column(data):  # a data frame by columns, each a list or a mapping from the index
        columns = {name: _column(values) for name, values in data.items()}
        if len({len(values) for values in columns.values()}) != 1:
            raise UserError("the columns are of different lengths")
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    if "data" in data and _has_column(names := dict.fromkeys(_column(data.get("columns")))):  # a data frame, "split"
        return [dict(zip(names, row, strict=False)) for row in data["data"]]
    if data and all(isinstance(value, Mapping) and _is_record(value) for value in data.values()):
        return [
            {"id": key, **(value if dialects.find(value) is None else {STRUCTURE: value})}
            for key, value in data.items()
        ]
    raise UserError(f"there is no structure in it, only {', '.join(list(data)[:SHOWN]) or 'nothing'}")


def _is_record(data: Mapping[str, Any]) -> bool:
    """Whether a mapping holds one structure, or the place of one."""
    if dialects.find(data) is not None:
        return not isinstance(data.get("lattice_vectors"), Mapping)  # which a data frame by columns has
    return any(_is_cell(data[name]) for name in structure_column.candidates(data))


def _is_cell(value: Any) -> bool:
    return value is None or isinstance(value, str) or (isinstance(value, Mapping) and dialects.find(value) is not None)


def _has_column(data: Mapping[str, Any]) -> bool:
    return bool(structure_column.candidates(data)) or "atoms" in data


def _column(values: Any) -> list[Any]:
    if not isinstance(values, (Mapping, list)):
        return []
    return list(values.values() if isinstance(values, Mapping) else values)


def parse(record: Mapping[str, Any] | str) -> Entry:
    """Reads one record, or the line that it stands on.

    Raises:
        BadEntryError: with the reason; and whatever pymatgen raises.
    """
    if isinstance(record, str):
        record = _of_line(record)
    try:
        return _entry(record)
    except BadEntryError as error:
        columns = record.get("properties") if pymatgen.holds(record) else record
        items = columns.items() if isinstance(columns, Mapping) else ()
        stated = {name: value for name, value in items if isinstance(value, (bool, int, float, str))}
        error.info = of_crystal(
            {name: stated[name] for name in stated if name not in structure_column.candidates(stated)}
        )
        raise


def _entry(record: Mapping[str, Any]) -> Entry:
    if (dialect := dialects.find(record)) is not None:
        entry = dialect.parse(record)
        return replace(entry, info=of_crystal(entry.info))
    names = structure_column.candidates(record)
    name = structure_column.find(record) if names else STRUCTURE
    info = scalars({other: value for other, value in record.items() if other != name and not other.startswith("@")})
    if structure_column.is_blank(record.get(name)):
        if is_reason(info.get(FAILURE)):
            return Entry.failed(str(info[FAILURE]), str(info.get(DETAIL) or ""), info)
        raise BadEntryError(Failure.UNPARSEABLE, "there is no structure")
    entry = structure_column.parse(record[name])
    return replace(entry, info=of_crystal({**info, **entry.info}))


def _of_line(text: str) -> Mapping[str, Any]:
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadEntryError(Failure.UNPARSEABLE, f"not JSON: {error}") from error
    return record if isinstance(record, Mapping) else {STRUCTURE: record}


def dump(crystals: Crystals) -> str:
    """Writes one `Structure`, or a list of them with one a line."""
    records = _written(crystals)
    return f"{records[0]}\n" if len(records) == 1 else "[\n" + ",\n".join(records) + "\n]\n"


def dump_lines(crystals: Crystals) -> str:
    """Writes one `Structure` a line."""
    return "".join(f"{record}\n" for record in _written(crystals))


def _written(crystals: Crystals) -> list[str]:
    lattice = crystals.lattice.to("cpu", torch.float64)
    cells = torch.cat([*lattices.parameters(lattice), lattices.volume(lattice)[:, None]], 1).tolist()
    return [
        json.dumps(_failed(entry) if entry.failure else _structure(entry, cell))
        for entry, cell in zip(each(crystals), cells, strict=True)
    ]


def _structure(entry: Entry, cell: list[float]) -> dict[str, Any]:
    cartesian = (entry.frac @ entry.lattice).tolist()
    sites = [
        {"species": [{"element": symbol, "occu": 1}], "abc": abc, "properties": {}, "label": symbol, "xyz": xyz}
        for symbol, abc, xyz in zip([SYMBOLS[z] for z in entry.numbers], entry.frac.tolist(), cartesian, strict=True)
    ]
    lattice = {
        "matrix": entry.lattice.tolist(),
        "pbc": [True, True, True],
        **dict(zip(("a", "b", "c", "alpha", "beta", "gamma", "volume"), cell, strict=True)),
    }
    kind = {"@module": "pymatgen.core.structure", "@class": "Structure"}
    return {
        **kind,
        "charge": 0,
        "lattice": lattice,
        "properties": _strict(of_written_crystal(entry.info)),
        SITES: sites,
    }


def _failed(entry: Entry) -> dict[str, Any]:
    return {STRUCTURE: None, **_strict(entry.info)}


def _strict(info: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """The `info` without what JSON has no number for: NaN is a blank, infinity a text."""
    return {name: _strict_value(value) for name, value in info.items()}


def _strict_value(value: Scalar) -> Scalar:
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return None if math.isnan(value) else str(value)
