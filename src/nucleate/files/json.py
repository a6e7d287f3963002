"""JSON of pymatgen: one `Structure`, a list of them, or records and data frames with a `structure` column.

Written is one `Structure` if there is one crystal, or else a list of them, with the `info` in their `properties`.
A crystal that could not be built is written as `{"structure": null, "failure": …}`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import torch

from nucleate.crystals import FAILURE, Crystals
from nucleate.elements import SYMBOLS
from nucleate.errors import UserError
from nucleate.files.convert import structure_entry
from nucleate.files.entries import Entry, Scalar, atomic_number, each, scalars
from nucleate.files.failures import DETAIL, BadEntryError, Failure
from nucleate.geometry import lattice as lattices

STRUCTURE, SITES = "structure", "sites"


def split(text: str) -> Iterator[Mapping[str, Any]]:
    """Finds the records in a file, each a `Structure` or a mapping with a `structure`.

    Raises:
        UserError: the file is not JSON, or there is no structure in it.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"not JSON: {error}") from error
    yield from (record if isinstance(record, Mapping) else {STRUCTURE: record} for record in _records(data))


def _records(data: Any) -> list[Any]:
    if isinstance(data, list):
        return data
    if not isinstance(data, Mapping):
        raise UserError("there is no structure in it")
    if _is_record(data):
        return [data]
    if STRUCTURE in data:  # a data frame by columns, each a list or a mapping from the index
        columns = {name: _column(values) for name, values in data.items()}
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    if STRUCTURE in data.get("columns", ()) and "data" in data:  # a data frame, "split"
        return [dict(zip(data["columns"], row, strict=True)) for row in data["data"]]
    if data and all(isinstance(value, Mapping) and _is_record(value) for value in data.values()):
        return [{"id": key, **(value if STRUCTURE in value else {STRUCTURE: value})} for key, value in data.items()]
    raise UserError(f"there is no structure in it, only {', '.join(list(data)[:8]) or 'nothing'}")


def _is_record(data: Mapping[str, Any]) -> bool:
    structure = data.get(STRUCTURE, data)
    return structure is None or (isinstance(structure, Mapping) and SITES in structure)


def _column(values: Any) -> list[Any]:
    return list(values.values() if isinstance(values, Mapping) else values)


def parse(record: Mapping[str, Any]) -> Entry:
    """Reads one record.

    Raises:
        BadEntryError: with the reason; and whatever pymatgen raises.
    """
    from pymatgen.core import Structure

    if SITES in record:
        record = {STRUCTURE: record}
    info = scalars({name: value for name, value in record.items() if name != STRUCTURE and not name.startswith("@")})
    if info.get(FAILURE):
        return Entry.failed(str(info[FAILURE]), str(info.get(DETAIL) or ""), info)
    structure = record.get(STRUCTURE)
    if not isinstance(structure, Mapping):
        raise BadEntryError(Failure.UNPARSEABLE, "there is no structure")
    if "lattice" not in structure:
        raise BadEntryError(Failure.BAD_LATTICE, "there is no lattice")
    if not structure.get(SITES):
        raise BadEntryError(Failure.NO_ATOMS, "there are no sites")
    for species in (species for site in structure[SITES] for species in site["species"]):
        atomic_number(species["element"])  # before pymatgen says only that it is invalid
    entry = structure_entry(Structure.from_dict(dict(structure)))
    return replace(entry, info={**info, **entry.info})


def dump(crystals: Crystals) -> str:
    """Writes one `Structure`, or a list of them with one a line."""
    lattice = crystals.lattice.to("cpu", torch.float64)
    cells = torch.cat([*lattices.parameters(lattice), lattices.volume(lattice)[:, None]], 1).tolist()
    records = [
        json.dumps(_failed(entry) if entry.failure else _structure(entry, cell))
        for entry, cell in zip(each(crystals), cells, strict=True)
    ]
    return f"{records[0]}\n" if len(records) == 1 else "[\n" + ",\n".join(records) + "\n]\n"


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
    return {**kind, "charge": 0, "lattice": lattice, "properties": _strict(entry), SITES: sites}


def _failed(entry: Entry) -> dict[str, Any]:
    return {STRUCTURE: None, **_strict(entry)}


def _strict(entry: Entry) -> dict[str, Scalar]:
    """The `info` without what JSON has no number for: NaN is a blank, infinity a text."""
    return {name: _strict_value(value) for name, value in entry.info.items()}


def _strict_value(value: Scalar) -> Scalar:
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return None if math.isnan(value) else str(value)
