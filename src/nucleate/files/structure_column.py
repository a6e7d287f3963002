"""The column of a table that holds the structures: which one it is, and what stands in its cells.

A cell holds a CIF, a POSCAR, or a structure as JSON (text or already a mapping), and its content decides.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Mapping
from typing import Any

from nucleate.errors import UserError
from nucleate.files import cif, dialects, poscar
from nucleate.files.cif.block import HEADING
from nucleate.files.entries import Entry
from nucleate.files.failures import BadEntryError, Failure
from nucleate.files.formats import Format, of_content

CIF = "cif"

NAMES = (CIF, "cif_str", "cif_string", "cif_text", "structure", "structure_cif", "poscar")
"""Names, in any case, of a column that holds structures."""

MAX_SHOWN = 40


def candidates(names: Iterable[str]) -> list[str]:
    """The names that a column of structures may have."""
    return [name for name in names if name.lower() in NAMES]


def find(names: Iterable[str]) -> str:
    """The name of the column of structures: `cif`, or else the only one that may be it.

    Raises:
        UserError: there is none, or several of which none is `cif`.
    """
    names = list(names)
    found = candidates(names)
    if CIF in found:
        return CIF
    if not found:
        raise UserError(f"there is no column 'cif'; the columns are {', '.join(names)}")
    if len(found) > 1:
        raise UserError(f"the structures may be in {' or '.join(found)}; name the column that holds them 'cif'")
    return found[0]


def is_blank(cell: Any) -> bool:
    """Whether a cell holds no structure."""
    return cell is None or cell != cell or (isinstance(cell, str) and not cell.strip())


def parse(cell: Any) -> Entry:
    """Reads the structure in a cell.

    Raises:
        BadEntryError: with the reason; and whatever pymatgen raises.
    """
    if is_blank(cell):
        raise BadEntryError(Failure.UNPARSEABLE, "there is no structure: the cell is blank")
    if isinstance(cell, bytes):
        cell = cell.decode("utf-8-sig", errors="replace")
    if isinstance(cell, Mapping):
        return _of_mapping(cell)
    if not isinstance(cell, str):
        raise BadEntryError(Failure.UNPARSEABLE, f"{_shown(str(cell))} is no structure")
    if cell.lstrip().startswith("{"):
        return _of_mapping(_mapping(cell))
    if HEADING.search(cell):
        return _of_cif(cell)
    if of_content(cell.encode()) is Format.POSCAR:
        return poscar.parse(cell)
    raise BadEntryError(Failure.UNPARSEABLE, f"{_shown(cell)} is neither a CIF nor JSON nor a POSCAR")


def _of_cif(text: str) -> Entry:
    blocks = list(cif.split(text))
    if len(blocks) > 1:
        raise BadEntryError(Failure.UNPARSEABLE, f"the cif has {len(blocks)} crystals")
    return cif.parse(blocks[0])


def _of_mapping(data: Mapping[str, Any]) -> Entry:
    dialect = dialects.find(data)
    if dialect is None:
        raise BadEntryError(Failure.UNPARSEABLE, f"there is no structure, only {', '.join(map(str, list(data)[:8]))}")
    return dialect.parse(data)


def _mapping(text: str) -> Mapping[str, Any]:
    """JSON, or a dictionary as Python prints it, which is what pandas writes into a CSV."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        try:
            data = ast.literal_eval(text.strip())
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            raise BadEntryError(Failure.UNPARSEABLE, f"not JSON: {error}") from error
    if not isinstance(data, Mapping):
        raise BadEntryError(Failure.UNPARSEABLE, f"{_shown(text)} is no structure")
    return data


def _shown(text: str) -> str:
    line = " ".join(text.split())
    return repr(line if len(line) <= MAX_SHOWN else f"{line[:MAX_SHOWN]}…")
