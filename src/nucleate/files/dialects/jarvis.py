"""JARVIS: the dictionaries of `jarvis-tools`, alone or under `atoms` in a record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nucleate.files.dialects.arrays import array, cell, fractional, same_length
from nucleate.files.entries import Entry, scalars
from nucleate.files.failures import BadEntryError, Failure

ATOMS, CELL, PLACES, ELEMENTS = "atoms", "lattice_mat", "coords", "elements"


def holds(data: Mapping[str, Any]) -> bool:
    """Whether it is a structure, or a record with one under `atoms`."""
    atoms = data.get(ATOMS)
    return CELL in data or (isinstance(atoms, Mapping) and CELL in atoms)


def parse(data: Mapping[str, Any]) -> Entry:
    """Reads one structure; what else the record says becomes `info`.

    Raises:
        BadEntryError: with the reason.
    """
    atoms = data if CELL in data else data[ATOMS]
    info = {} if atoms is data else {name: value for name, value in data.items() if name != ATOMS}
    missing = [name for name in (PLACES, ELEMENTS, "cartesian") if name not in atoms]
    if missing:
        raise BadEntryError(Failure.UNPARSEABLE, f"the atoms have no {', '.join(missing)}")
    if not isinstance(atoms["cartesian"], bool):
        raise BadEntryError(Failure.UNPARSEABLE, f"cartesian is {atoms['cartesian']!r}, neither true nor false")
    if not isinstance(atoms[ELEMENTS], (list, tuple)):
        raise BadEntryError(Failure.UNPARSEABLE, "elements is not a list")
    symbols = [str(symbol).strip() for symbol in atoms[ELEMENTS]]
    lattice = cell(atoms[CELL], CELL)
    places = array(atoms[PLACES], 3, PLACES)
    same_length(len(symbols), places, PLACES)
    return Entry.checked(symbols, fractional(places, lattice) if atoms["cartesian"] else places, lattice, scalars(info))
