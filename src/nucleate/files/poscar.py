"""POSCAR (CONTCAR, .vasp): read by pymatgen, written with all digits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nucleate.crystals import Crystals
from nucleate.elements import SYMBOLS
from nucleate.errors import UserError
from nucleate.files.convert import structure_entry
from nucleate.files.entries import Entry, each
from nucleate.files.failures import BadEntryError, Failure


def split(text: str) -> Iterator[str]:
    """A POSCAR holds one crystal."""
    yield text


def parse(text: str) -> Entry:
    """Reads a POSCAR.

    Raises:
        BadEntryError: with the reason; and whatever pymatgen raises.
    """
    from pymatgen.io.vasp import Poscar

    poscar = Poscar.from_str(text, read_velocities=False)
    if not poscar.true_names:  # VASP 4 leaves the elements to another file; pymatgen would take H, He, Li, …
        raise BadEntryError(Failure.UNKNOWN_ELEMENT, "the elements are not named")
    return structure_entry(poscar.structure)


def dump(crystals: Crystals) -> str:
    """Writes one crystal in fractional coordinates, its atoms grouped by element in order of appearance.

    Raises:
        UserError: there is not exactly one crystal, or it could not be built.
    """
    entries = list(each(crystals))
    if len(entries) != 1 or entries[0].failure:
        raise UserError("a POSCAR holds one crystal; use a name without suffix (a folder), .zip, .extxyz or .csv")
    (entry,) = entries
    kinds, order = list(dict.fromkeys(entry.numbers.tolist())), []
    for z in kinds:
        order += np.flatnonzero(entry.numbers == z).tolist()
    symbols = [SYMBOLS[z] for z in kinds]
    lines = [
        "".join(crystals.formulas),
        "1.0",
        *(_numbers(row) for row in entry.lattice),
        "  ".join(symbols),
        "  ".join(str((entry.numbers == z).sum()) for z in kinds),
        "Direct",
        *(f"{_numbers(entry.frac[i])}  {SYMBOLS[entry.numbers[i]]}" for i in order),
    ]
    return "\n".join(lines) + "\n"


def _numbers(row: np.ndarray) -> str:
    return "  ".join(f"{value:20.16f}" for value in row)
