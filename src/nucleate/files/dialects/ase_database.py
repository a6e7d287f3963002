"""ASE's database as JSON (`ase db x.json`): rows by id, arrays as `{"__ndarray__": [shape, kind, values]}`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from typing import Any

from nucleate.files.dialects.arrays import array, cell, fractional, same_length
from nucleate.files.entries import Entry, scalars
from nucleate.files.failures import BadEntryError, Failure

PARTS = ("numbers", "positions", "cell")

NESTED, VALUES, DATA = "__ndarray__", "key_value_pairs", "data"

ARRAYS = ("pbc", "forces", "stress", "magmoms", "charges", "initial_magmoms", "initial_charges", "momenta", "tags")
"""What is said of each atom, of the directions, and as a tensor; neither read nor `info`."""

NOT_INFO = (*PARTS, *ARRAYS, DATA, VALUES, "constraints", "calculator", "calculator_parameters", "user")


def holds(data: Mapping[str, Any]) -> bool:
    """Whether it is a row."""
    return all(name in data for name in PARTS)


def is_database(data: Mapping[str, Any]) -> bool:
    """Whether it is a whole database."""
    return "ids" in data and "nextid" in data


def rows(data: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The rows of a database, in the order of its ids."""
    for name in data["ids"]:
        row = data.get(str(name))
        yield {"id": name, **row} if isinstance(row, Mapping) else {"id": name, "structure": None}


def parse(data: Mapping[str, Any]) -> Entry:
    """Reads one row; its energy and its key-value pairs become `info`.

    Raises:
        BadEntryError: with the reason.
    """
    pairs = data.get(VALUES)
    info = {name: value for name, value in data.items() if name not in NOT_INFO and not isinstance(value, (dict, list))}
    info |= pairs if isinstance(pairs, Mapping) else {}
    vectors = data["cell"]
    lattice = cell(_values(vectors.get("array", vectors) if isinstance(vectors, Mapping) else vectors), "the cell")
    numbers = _values(data["numbers"])
    if not isinstance(numbers, list) or not all(isinstance(number, int) for number in numbers):
        raise BadEntryError(Failure.UNPARSEABLE, "numbers is not a list of atomic numbers")
    if not numbers:
        raise BadEntryError(Failure.NO_ATOMS, "there are no atoms")
    unknown = next((number for number in numbers if not 0 < number <= 118), None)
    if unknown is not None:
        raise BadEntryError(Failure.UNKNOWN_ELEMENT, f"Z={unknown} is not an element")
    places = array(_values(data["positions"]), 3, "positions")
    same_length(len(numbers), places, "positions")
    return Entry.of_numbers(numbers, fractional(places, lattice), lattice, scalars(info))


def _values(data: Any) -> Any:
    """Nested lists of an array in ASE's writing, and anything else as it is."""
    if not isinstance(data, Mapping):
        return data
    nested = data.get(NESTED)
    if not isinstance(nested, list) or len(nested) != 3:
        raise BadEntryError(Failure.UNPARSEABLE, "an array is not written as ASE writes it")
    shape, _, values = nested
    fits = isinstance(shape, list) and isinstance(values, list) and all(isinstance(size, int) for size in shape)
    if not fits or len(shape) > 2 or prod(shape) != len(values):
        raise BadEntryError(Failure.UNPARSEABLE, f"an array says the shape {shape} and has other values")
    if len(shape) < 2 or not values:
        return values
    return [values[start : start + shape[1]] for start in range(0, len(values), shape[1])]
