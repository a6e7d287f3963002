"""Conversions at the edge of the package: pymatgen `Structure` and ASE `Atoms`, all in float64."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from nucleate.crystals import FAILURE, Crystals
from nucleate.elements import SYMBOLS
from nucleate.errors import UserError
from nucleate.files.entries import Entry, check_cell, collect, each, scalars
from nucleate.files.extras import files_extra
from nucleate.files.failures import DETAIL, BadEntryError, Failure
from nucleate.files.ownership import is_reason, of_crystal, of_written_crystal

if TYPE_CHECKING:
    from ase import Atoms
    from pymatgen.core import Structure


@files_extra()
def to_structure(crystal: Crystals) -> Structure:
    """Makes a pymatgen `Structure` of one crystal; its `info` becomes `properties`.

    Raises:
        UserError: the crystal could not be built, or there is not exactly one.
    """
    return _structure(_only(crystal))


@files_extra()
def to_structures(crystals: Crystals) -> list[Structure | None]:
    """Makes a pymatgen `Structure` of each crystal, and None of each that could not be built."""
    return [None if entry.failure else _structure(entry) for entry in each(crystals)]


def from_structure(structure: Structure) -> Crystals:
    """Takes over one pymatgen `Structure`; its `properties` become `info`.

    Raises:
        UserError: it has partial occupancies, something that is no element, no atoms, or a cell that is none.
    """
    return collect([structure_entry(structure)])


def from_structures(structures: Iterable[Structure]) -> Crystals:
    """Takes over pymatgen `Structure`s, in order; one that cannot be a crystal becomes a row with its reason."""
    return _from_each(structures, structure_entry)


@files_extra()
def to_atoms(crystal: Crystals) -> Atoms:
    """Makes an ASE `Atoms` of one crystal, periodic in all directions; its `info` goes along.

    Raises:
        UserError: the crystal could not be built, or there is not exactly one.
    """
    from ase import Atoms

    entry = _only(crystal)
    info = {name: value for name, value in of_written_crystal(entry.info).items() if value is not None}
    return Atoms(entry.numbers, scaled_positions=entry.frac, cell=entry.lattice, pbc=True, info=info)


def from_atoms(images: Atoms | Iterable[Atoms]) -> Crystals:
    """Takes over ASE `Atoms`, one or many, as periodic in all directions; energies of a calculator go to `info`.

    One that cannot be a crystal becomes a row with its reason.
    """
    alone = hasattr(images, "get_scaled_positions")  # `Atoms` can be iterated over as well, by atoms
    return _from_each([images] if alone else images, atoms_entry)


def structure_entry(structure: Structure) -> Entry:
    """What a pymatgen `Structure` holds.

    Raises:
        BadEntryError: it cannot be a crystal.
    """
    for place, site in enumerate(structure):
        if not site.is_ordered:
            message = f"site {place} ({site.label}) holds {site.species_string}"
            raise BadEntryError(Failure.PARTIAL_OCCUPANCY, message)
    symbols = [site.specie.symbol for site in structure]
    return Entry.checked(symbols, structure.frac_coords, structure.lattice.matrix, of_crystal(structure.properties))


def atoms_entry(atoms: Atoms) -> Entry:
    """What an ASE `Atoms` holds; what a calculator left of the image as a whole (energy, stress, …) goes to `info`.

    Raises:
        BadEntryError: it cannot be a crystal.
    """
    from ase.io.extxyz import per_config_properties

    results = {} if atoms.calc is None else atoms.calc.results
    info = {**atoms.info, **{name: value for name, value in results.items() if name in per_config_properties}}
    if not len(atoms) and is_reason(info.get(FAILURE)):
        return Entry.failed(str(info[FAILURE]), str(info.get(DETAIL, "")), scalars(info))
    if atoms.cell.rank < 3:
        raise BadEntryError(Failure.BAD_LATTICE, f"there are {atoms.cell.rank} lattice vectors")
    cell = np.asarray(atoms.cell)
    check_cell(cell)
    return Entry.checked(
        atoms.get_chemical_symbols(), np.linalg.solve(cell.T, atoms.positions.T).T, cell, of_crystal(info)
    )


def _structure(entry: Entry) -> Structure:
    from pymatgen.core import Structure

    return Structure(
        entry.lattice, [SYMBOLS[z] for z in entry.numbers], entry.frac, properties=of_written_crystal(entry.info)
    )


def _only(crystal: Crystals) -> Entry:
    entries = list(each(crystal))
    if len(entries) != 1:
        raise UserError(f"one crystal is expected here, and there are {len(entries)}")
    if entries[0].failure:
        raise UserError(f"the crystal could not be built ({entries[0].failure})")
    return entries[0]


def _from_each(items: Iterable[Any], entry_of: Callable[[Any], Entry]) -> Crystals:
    return collect([_entry_or_failure(item, entry_of, place) for place, item in enumerate(items)])


def _entry_or_failure(item: Any, entry_of: Callable[[Any], Entry], place: int) -> Entry:
    try:
        return entry_of(item)
    except BadEntryError as error:
        return Entry.failed(error.reason, f"entry {place}: {error.message}")
