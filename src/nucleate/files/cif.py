"""CIF: read by pymatgen's parser, symmetry and all; written as plain P1 text.

The parser's own habits are kept, since published numbers depend on them: atoms come in order of electronegativity, and
a coordinate within 1e-4 (relative) of 1/3 or 2/3 becomes 1/3 or 2/3. What it would drop or guess in silence (a site of
occupancy 0, a molecule given as one site, an angle that no cell has) is refused here, by name.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from nucleate.crystals import Crystals
from nucleate.elements import SYMBOLS, reduced_formula
from nucleate.files.convert import structure_entry
from nucleate.files.entries import Entry, each, is_element, names
from nucleate.files.failures import BadEntryError, Failure
from nucleate.geometry import lattice as lattices
from nucleate.geometry import torus

DECIMALS = 8

FAILED_TAG, DETAIL_TAG = "_nucleate_failure", "_nucleate_detail"
"""Tags that keep the place of a crystal that could not be built."""

PARAMETERS = (
    *("_cell_length_a", "_cell_length_b", "_cell_length_c"),
    *("_cell_angle_alpha", "_cell_angle_beta", "_cell_angle_gamma"),
)

COLUMNS = ("type_symbol", "occupancy", "attached_hydrogens", "fract_x", "fract_y", "fract_z")

MOLECULES = re.compile(r"OH|O-H|NO3|[Ww]at")
"""Sites that stand for several atoms, of which pymatgen's parser keeps one or none."""

REASONS = {"exceeded tolerance": Failure.OVERLAPPING_ATOMS, "below threshold": Failure.ZERO_VOLUME}
"""What pymatgen's parser says of two sites in one place (when each has occupancy 1), and of a flat cell."""

WATER = ("Hw", "Ow")
"""Hydrogen and oxygen of water, which pymatgen's parser knows."""


# --- reading ----------------------------------------------------------------------------------------------------


def split(text: str) -> Iterator[str]:
    """Cuts a file into its blocks; a block without sites (of the publication, of a powder pattern) is no crystal."""
    starts = [match.start() for match in re.finditer(r"^[ \t]*data_", text, re.MULTILINE)]
    blocks = [text[start:end] for start, end in pairwise([*starts, len(text)])]
    return iter([block for block in blocks if "_atom_site_" in block or FAILED_TAG in block] or blocks[:1] or [text])


def parse(text: str) -> Entry:
    """Reads one block.

    Raises:
        BadEntryError: with the reason; and whatever pymatgen raises.
    """
    from pymatgen.io.cif import CifParser

    parser = CifParser.from_str(text, check_cif=False)
    block: dict[str, Any] = next(iter(parser.as_dict().values()), {})
    if not block:
        raise BadEntryError(Failure.UNPARSEABLE, "there is no data_ block")
    if FAILED_TAG in block:
        return Entry.failed(block[FAILED_TAG], block.get(DETAIL_TAG, ""))
    _check_parameters(block)
    _check_sites(block)
    try:
        (structure,) = parser.parse_structures(primitive=False, on_error="raise")
    except ValueError as error:
        reason = next((reason for words, reason in REASONS.items() if words in str(error)), Failure.UNPARSEABLE)
        raise BadEntryError(reason, " ".join(str(error).split())) from error
    return structure_entry(structure)


def _check_parameters(block: Mapping[str, Any]) -> None:
    from pymatgen.io.cif import str2float

    if not any(name in block for name in PARAMETERS):
        raise BadEntryError(Failure.BAD_LATTICE, "there is no cell")
    if not all(name in block for name in PARAMETERS):
        return  # pymatgen fills in what the crystal system fixes
    given = [str2float(block[name]) for name in PARAMETERS]
    words = f"the cell {', '.join(f'{value:g}' for value in given)}"
    if not np.isfinite(given).all():
        raise BadEntryError(Failure.NOT_FINITE, words)
    if 0 in given[:3]:
        raise BadEntryError(Failure.ZERO_VOLUME, words)
    angles = given[3:]
    # Three angles make a corner if none exceeds the other two together, and all leave a rest of the full circle.
    if min(given) <= 0 or 2 * max(angles) >= sum(angles) or sum(angles) >= 360:
        raise BadEntryError(Failure.BAD_LATTICE, f"{words} cannot be")


def _check_sites(block: Mapping[str, Any]) -> None:
    """Refuses sites that pymatgen's parser would drop or guess."""
    from pymatgen.io.cif import str2float

    labels = block.get("_atom_site_label", [])
    columns = {name: block.get(f"_atom_site_{name}", [None] * len(labels)) for name in COLUMNS}
    if any(isinstance(column, str) for column in (labels, *columns.values())):
        raise BadEntryError(Failure.UNPARSEABLE, "the sites are not in a loop_")
    if not labels:
        raise BadEntryError(Failure.NO_ATOMS, "there are no sites")
    for label, symbol, occupancy, hydrogens, *places in zip(labels, *columns.values(), strict=True):
        _check_element(label, symbol)
        if occupancy not in (None, "?") and (occupancy == "." or str2float(occupancy) != 1):
            raise BadEntryError(Failure.PARTIAL_OCCUPANCY, f"site {label} has occupancy {occupancy}")
        if hydrogens not in (None, "?", ".") and str2float(hydrogens) != 0:
            raise BadEntryError(Failure.MISSING_ATOMS, f"site {label} has {hydrogens} hydrogens without a place")
        if any(place in (None, "?", ".") or not np.isfinite(str2float(place)) for place in places):
            raise BadEntryError(Failure.NOT_FINITE, f"site {label} is at {', '.join(map(str, places))}")


def _check_element(label: str, symbol: str | None) -> None:
    name = symbol or label
    if MOLECULES.match(name):
        raise BadEntryError(Failure.MISSING_ATOMS, f"site {label} is a molecule ({name}) in one place")
    # A symbol may have a charge or a number behind it; in a label anything may follow the element.
    letters = re.sub(r"[^A-Za-z].*", "", name)
    candidates = [letters] if symbol else [name[:2], name[:1]]
    if letters not in WATER and not any(is_element(candidate.title()) for candidate in candidates):
        raise BadEntryError(Failure.UNKNOWN_ELEMENT, f"site {label} holds {name!r}, which is not an element")


# --- writing ----------------------------------------------------------------------------------------------------


def texts(crystals: Crystals, block_names: Sequence[str] | None = None) -> list[str]:
    """Writes each crystal as the text of a CIF without symmetry (P1), with 8 decimals.

    A crystal that could not be built, or has no atoms, becomes a block without sites that states the reason.

    Args:
        crystals: to be written.
        block_names: what follows `data_`; the reduced formulas if not given.
    """
    crystals = crystals.to("cpu", torch.float64)
    # Lengths and angles know no hand: a left-handed cell is given by its three opposite vectors.
    left = (torch.linalg.det(crystals.lattice) < 0)[crystals.owner, None]
    frac = torus.wrap(torch.where(left, -crystals.frac, crystals.frac).round(decimals=DECIMALS))
    cells = torch.cat(lattices.parameters(crystals.lattice), 1).tolist()
    volumes = lattices.volume(crystals.lattice).tolist()
    block_names = block_names or [reduced_formula(numbers) for numbers in crystals.numbers_of_each()]
    right = replace(crystals, frac=frac)
    return [
        _text(name, entry, cell, volume) if len(entry.numbers) else _failed_text(name, entry)
        for name, entry, cell, volume in zip(block_names, each(right), cells, volumes, strict=True)
    ]


def dump(crystals: Crystals) -> str:
    """Writes one block a crystal, named by its row if there are several."""
    return "\n".join(texts(crystals, names(crystals) if len(crystals) > 1 else None))


def _text(name: str, entry: Entry, cell: list[float], volume: float) -> str:
    symbols = [SYMBOLS[z] for z in entry.numbers]
    formula = " ".join(f"{symbol}{count}" for symbol, count in Counter(symbols).items())
    parameters = "\n".join(f"{tag}   {value:.{DECIMALS}f}" for tag, value in zip(PARAMETERS, cell, strict=True))
    sites = "\n".join(
        f"  {symbol}  {symbol}{place}  1  {x:.{DECIMALS}f}  {y:.{DECIMALS}f}  {z:.{DECIMALS}f}  1"
        for place, (symbol, (x, y, z)) in enumerate(zip(symbols, entry.frac.tolist(), strict=True))
    )
    return f"""data_{name}
_symmetry_space_group_name_H-M   'P 1'
{parameters}
_symmetry_Int_Tables_number   1
_chemical_formula_sum   '{formula}'
_cell_volume   {volume:.{DECIMALS}f}
loop_
 _symmetry_equiv_pos_site_id
 _symmetry_equiv_pos_as_xyz
  1  'x, y, z'
loop_
 _atom_site_type_symbol
 _atom_site_label
 _atom_site_symmetry_multiplicity
 _atom_site_fract_x
 _atom_site_fract_y
 _atom_site_fract_z
 _atom_site_occupancy
{sites}
"""


def _failed_text(name: str, entry: Entry) -> str:
    detail = " ".join(entry.detail.split())
    return f"data_{name or 'failed'}\n{FAILED_TAG}   {entry.failure or Failure.NO_ATOMS}\n{DETAIL_TAG}\n;{detail}\n;\n"
