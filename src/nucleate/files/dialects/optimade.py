"""OPTIMADE: a structure resource, its attributes alone, or the same fields as columns of a table (version 1.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nucleate.files.dialects.arrays import array, cell, fractional, same_length
from nucleate.files.entries import Entry, scalars
from nucleate.files.failures import BadEntryError, Failure

CELL, PLACES, NAMES, SPECIES = "lattice_vectors", "cartesian_site_positions", "species_at_sites", "species"

DIMENSIONS, FEATURES = "dimension_types", "structure_features"

STRUCTURAL = (CELL, PLACES, NAMES, SPECIES, DIMENSIONS, FEATURES, "assemblies")
"""Fields that are read or refused, and so are no `info`."""

COLUMNS = (CELL, PLACES, NAMES)
"""Fields that a structure must have."""

REFUSED = {
    "implicit_atoms": (Failure.MISSING_ATOMS, "some atoms have no site (implicit_atoms)"),
    "site_attachments": (Failure.MISSING_ATOMS, "atoms are attached to sites without a place (site_attachments)"),
    "assemblies": (Failure.PARTIAL_OCCUPANCY, "the sites are alternatives of each other (assemblies)"),
    "disorder": (Failure.PARTIAL_OCCUPANCY, "sites are shared or partly empty (disorder)"),
}
"""What a structure says of itself that no ordered crystal is."""


def holds(data: Mapping[str, Any]) -> bool:
    """Whether it is a resource of a structure, or the attributes of one."""
    attributes = data.get("attributes")
    return CELL in data or (isinstance(attributes, Mapping) and CELL in attributes)


def resources(data: Mapping[str, Any]) -> list[Any] | None:
    """The resources in the answer of a server; None if it is no such answer."""
    inner = data.get("data")
    found = inner if isinstance(inner, list) else [inner]
    alike = bool(found) and all(isinstance(item, Mapping) and "attributes" in item for item in found)
    return found if alike or (inner == [] and "meta" in data) else None


def parse(data: Mapping[str, Any]) -> Entry:
    """Reads one structure; its id and its other attributes become `info`.

    Raises:
        BadEntryError: with the reason.
    """
    inner = data.get("attributes")
    attributes = inner if isinstance(inner, Mapping) else data
    info = {name: value for name, value in attributes.items() if name not in STRUCTURAL}
    if attributes is not data:
        info = {**({"id": data["id"]} if "id" in data else {}), **info}
    missing = [name for name in COLUMNS if attributes.get(name) is None]
    if missing:
        raise BadEntryError(Failure.UNPARSEABLE, f"the structure has no {', '.join(missing)}")
    _check_features(attributes)
    symbols = _symbols(attributes[NAMES], attributes.get(SPECIES))
    lattice = cell(attributes[CELL], CELL)
    places = array(attributes[PLACES], 3, PLACES)
    same_length(len(symbols), places, PLACES)
    return Entry.checked(symbols, fractional(places, lattice), lattice, scalars(info))


def _check_features(attributes: Mapping[str, Any]) -> None:
    dimensions = attributes.get(DIMENSIONS)
    if dimensions is not None and list(dimensions) != [1, 1, 1]:
        raise BadEntryError(Failure.BAD_LATTICE, f"it is not periodic in all directions (dimension_types {dimensions})")
    for feature in attributes.get(FEATURES) or ():
        if feature in REFUSED:
            raise BadEntryError(*REFUSED[feature])


def _symbols(sites: Any, species: Any) -> list[str]:
    """The element of each site; without a list of species, the names of the sites are elements."""
    if not isinstance(sites, (list, tuple)):
        raise BadEntryError(Failure.UNPARSEABLE, f"{NAMES} is not a list")
    if species is None:
        return [str(name) for name in sites]
    if not isinstance(species, (list, tuple)) or not all(isinstance(kind, Mapping) for kind in species):
        raise BadEntryError(Failure.UNPARSEABLE, "species is not a list of species")
    elements = {str(kind.get("name")): kind for kind in species}
    known: dict[str, str] = {}
    for name in dict.fromkeys(map(str, sites)):
        if name not in elements:
            raise BadEntryError(Failure.UNKNOWN_ELEMENT, f"the species {name!r} of a site is not described")
        known[name] = _element(name, elements[name])
    return [known[str(name)] for name in sites]


def _element(name: str, kind: Mapping[str, Any]) -> str:
    symbols: Sequence[Any] = kind.get("chemical_symbols") or ()
    shares: Sequence[Any] = kind.get("concentration") or [1.0] * len(symbols)
    if kind.get("attached"):
        raise BadEntryError(Failure.MISSING_ATOMS, f"the species {name!r} has atoms attached without a place")
    if len(symbols) != 1 or symbols[0] == "vacancy" or any(share != 1 for share in shares):
        parts = ", ".join(f"{symbol}:{share}" for symbol, share in zip(symbols, shares, strict=False)) or "nothing"
        raise BadEntryError(Failure.PARTIAL_OCCUPANCY, f"the species {name!r} is {parts}")
    return str(symbols[0])
