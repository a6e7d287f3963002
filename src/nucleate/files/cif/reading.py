"""One block of a CIF becomes a crystal: the sites, expanded by the space group that the block states.

A block says many things twice, and they have to agree: its operations, its Hall symbol, its names and its number; the
rotations and the cell; the atoms, the formula and the number of formula units. Where one statement can be understood
in several ways (two origins, two axes), the one that fits is taken; what fits in no way, or in several that differ,
is refused.

Habits of pymatgen's parser are kept, since published numbers depend on them: atoms come in order of electronegativity,
and a coordinate within 1e-4 (relative) of 1/3 or 2/3 is 1/3 or 2/3.
"""

from __future__ import annotations

import numpy as np

from nucleate.elements import ELECTRONEGATIVITY_RANK
from nucleate.files.cif import atoms as atom_lists
from nucleate.files.cif import cell as cells
from nucleate.files.cif import formula as formulas
from nucleate.files.cif import sites as site_lists
from nucleate.files.cif import symmetry
from nucleate.files.cif.block import DETAIL_TAG, FAILED_TAG, Block
from nucleate.files.entries import Entry, check_cell
from nucleate.files.failures import BadEntryError, Failure

MODULATED = (
    "_cell_modulation_dimension",
    "_space_group_ssg_name",
    "_cell_wave_vector",
    "_atom_site_fourier_wave_vector",
)
"""What the tags of a modulated structure start with, whose sites are averages and not atoms."""


def parse(text: str) -> Entry:
    """Reads one block.

    Raises:
        BadEntryError: it is no CIF, no ordered crystal, or contradicts itself; with the reason and what is wrong.
    """
    block = Block(text)
    if not list(block.tags()):
        raise BadEntryError(Failure.UNPARSEABLE, "there is nothing in the data_ block")
    failure = block.text(FAILED_TAG)
    if failure is not None:
        return Entry.failed(failure, block.text(DETAIL_TAG) or "")
    modulated = next((tag for tag in block.tags() if tag.startswith(MODULATED)), None)
    if modulated is not None:
        raise BadEntryError(Failure.MODULATED, f"it is a modulated structure ({modulated}), and its sites are averages")
    formula = formulas.read(block)
    sites = site_lists.read(block, formula)
    cell = cells.read(block)
    check_cell(cell.lattice)
    atoms = atom_lists.find(symmetry.stated(block), cell, sites, formula)
    numbers = sites.numbers[atoms.site]
    order = np.argsort([_rank(z) for z in numbers.tolist()], kind="stable")
    return Entry(numbers[order].astype(np.uint8), atoms.frac[order], cell.lattice, {})


def _rank(z: int) -> int:
    """Place in the order of electronegativity; elements beyond the table come last."""
    return ELECTRONEGATIVITY_RANK[z] if z < len(ELECTRONEGATIVITY_RANK) else z
