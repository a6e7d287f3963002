"""Crystals as the text of CIFs without symmetry (P1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import torch

from nucleate.crystals import Crystals
from nucleate.elements import SYMBOLS, reduced_formula
from nucleate.files.cif.block import DETAIL_TAG, FAILED_TAG
from nucleate.files.cif.cell import PARAMETERS
from nucleate.files.entries import Entry, each, names
from nucleate.files.failures import Failure
from nucleate.geometry import lattice as lattices
from nucleate.geometry import torus

DECIMALS = 8


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
