"""pymatgen's `Structure.as_dict()`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from nucleate.files.dialects.arrays import array, cell
from nucleate.files.entries import Entry, atomic_number
from nucleate.files.failures import BadEntryError, Failure
from nucleate.geometry import lattice as lattices

SITES = "sites"

PARAMETERS = ("a", "b", "c", "alpha", "beta", "gamma")

AMOUNT_TOLERANCE = 1e-8
"""pymatgen takes a site for full within this."""


def holds(data: Mapping[str, Any]) -> bool:
    """Whether it is a structure, or part of one."""
    return SITES in data


def parse(data: Mapping[str, Any]) -> Entry:
    """Reads one structure; its `properties` become `info`.

    Raises:
        BadEntryError: with the reason.
    """
    lattice, sites = data.get("lattice"), data[SITES]
    if not isinstance(lattice, Mapping):
        raise BadEntryError(Failure.BAD_LATTICE, "there is no lattice")
    if not sites or not isinstance(sites, (list, tuple)):
        raise BadEntryError(Failure.NO_ATOMS, "there are no sites")
    symbols = [_symbol(place, site) for place, site in enumerate(sites)]
    numbers = [atomic_number(symbol) for symbol in symbols]
    vectors = _vectors(lattice)
    without = next((place for place, site in enumerate(sites) if "abc" not in site), None)
    if without is not None:
        raise BadEntryError(Failure.NOT_FINITE, f"site {without} has no fractional coordinates (abc)")
    properties = data.get("properties")
    places = array([site["abc"] for site in sites], 3, "abc of the sites")
    return Entry.of_numbers(numbers, places, vectors, properties if isinstance(properties, Mapping) else None)


def _symbol(place: int, site: Any) -> str:
    """The element of a site.

    Raises:
        BadEntryError: it has none, or not exactly one, or is partly empty.
    """
    species = site.get("species") if isinstance(site, Mapping) else None
    if not isinstance(species, (list, tuple)) or not all(isinstance(part, Mapping) for part in species):
        raise BadEntryError(Failure.UNPARSEABLE, f"site {place} has no list of species")
    parts = [(str(part.get("element")), part.get("occu", 1)) for part in species]
    for symbol, _ in parts:
        atomic_number(symbol)
    if len(parts) != 1 or not isinstance(parts[0][1], (int, float)) or abs(parts[0][1] - 1) > AMOUNT_TOLERANCE:
        words = ", ".join(f"{symbol}:{amount}" for symbol, amount in parts) or "nothing"
        raise BadEntryError(Failure.PARTIAL_OCCUPANCY, f"site {place} ({site.get('label')}) holds {words}")
    return parts[0][0]


def _vectors(lattice: Mapping[str, Any]) -> Any:
    if "matrix" in lattice:
        return cell(lattice["matrix"], "the lattice")
    if not all(isinstance(lattice.get(name), (int, float)) for name in PARAMETERS):
        raise BadEntryError(Failure.BAD_LATTICE, f"the lattice has neither a matrix nor {', '.join(PARAMETERS)}")
    values = torch.tensor([[float(lattice[name]) for name in PARAMETERS]], dtype=torch.float64)
    matrix = lattices.matrix(values[:, :3], values[:, 3:])[0].numpy()
    if not torch.from_numpy(matrix).isfinite().all():
        words = ", ".join(f"{value:g}" for value in values[0].tolist())
        raise BadEntryError(Failure.BAD_LATTICE, f"the cell {words} cannot be")
    return cell(matrix, "the lattice")
