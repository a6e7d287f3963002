"""Files as other tools write them, with crystals among them that are broken in every way that was ever seen."""

from __future__ import annotations

import gzip
import io
import json
import re
import zipfile
from pathlib import Path

import ase.io
import numpy as np
from pymatgen.core import Lattice, Structure

from nucleate.crystals import Crystals
from nucleate.files import to_structures

BROKEN = (
    *("unparseable", "nan", "flat", "coincident", "negative", "unknown_element", "partial", "large"),
    *("no_atoms", "no_cell"),
)
"""Ways in which `broken` spoils a crystal."""


def write_csv(path: Path, structures: list[Structure], kinds: dict[int, str]) -> None:
    """A table with a `cif` column, as of the published data sets."""
    import csv

    with path.open("w", newline="") as text:
        sheet = csv.writer(text)
        sheet.writerow(["material_id", "cif"])
        sheet.writerows([f"id-{row}", cif(structure, kinds.get(row))] for row, structure in enumerate(structures))


def write_zip(path: Path, structures: list[Structure], kinds: dict[int, str]) -> None:
    """A zip of CIFs."""
    with zipfile.ZipFile(path, "w") as archive:
        for row, structure in enumerate(structures):
            archive.writestr(f"gen_{row:05d}.cif", cif(structure, kinds.get(row)))


def write_json(path: Path, structures: list[Structure], kinds: dict[int, str]) -> None:
    """A list of pymatgen's dictionaries."""
    records = [record(structure, kinds.get(row)) for row, structure in enumerate(structures)]
    with gzip.open(path, "wt") as text:
        json.dump(records, text)


def write_extxyz(path: Path, structures: list[Structure], kinds: dict[int, str]) -> None:
    """Frames as ASE writes them."""
    path.write_text("".join(frame(structure, kinds.get(row)) for row, structure in enumerate(structures)))


WRITERS = {"csv": write_csv, "zip": write_zip, "json.gz": write_json, "extxyz": write_extxyz}


def mixed(crystals: Crystals, broken: int, seed: int = 0) -> tuple[list[Structure], dict[int, str], list[int]]:
    """Puts crystals that will be broken among others.

    Returns:
        The structures, the way in which each of the broken rows is broken, and the other rows.
    """
    total = len(crystals) + broken
    rows = np.random.default_rng(seed).permutation(total)[:broken].tolist()
    kinds = {row: BROKEN[place % len(BROKEN)] for place, row in enumerate(rows)}
    whole = iter(to_structures(crystals))
    spoilt = Structure(Lattice.cubic(4.2), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    structures = [spoilt if row in kinds else next(whole) for row in range(total)]
    return structures, kinds, [row for row in range(total) if row not in kinds]


def cif(structure: Structure, kind: str | None) -> str:
    """The text of one crystal, broken in a way or not."""
    structure = _reshaped(structure, kind)
    text = structure.to(fmt="cif")
    if kind == "unparseable":
        return "I am sorry, but I cannot propose a crystal."
    if kind == "nan":
        return text.replace("0.50000000", "nan")
    if kind == "negative":
        return text.replace("_cell_length_a   ", "_cell_length_a   -")
    if kind == "flat":
        return re.sub(r"(_cell_angle_\w+\s+)90\.\d+", r"\g<1>120.0", text)
    if kind == "unknown_element":
        return text.replace("Cl  Cl1", "Xx  Xx1")
    if kind == "partial":
        return re.sub(r"( Cl1 .*)  1\b", r"\1  0.5", text)
    if kind == "no_atoms":
        return text[: text.index("  Cs  Cs0")]
    if kind == "no_cell":
        return re.sub(r"_cell_length_b.*\n", "", text)
    return text


def record(structure: Structure, kind: str | None) -> object:
    """The dictionary of one crystal, broken in a way or not."""
    found = _reshaped(structure, kind).as_dict()
    if kind == "unparseable":
        return "I am sorry, but I cannot propose a crystal."
    if kind == "nan":
        found["sites"][0]["abc"][1] = float("nan")
    elif kind == "negative":
        # What matters is the matrix; a mirror image of a cell is a cell, and so the vector is no number.
        found["lattice"]["matrix"][0] = [None, 0, 0]
    elif kind == "flat":
        found["lattice"]["matrix"][2] = found["lattice"]["matrix"][1]
    elif kind == "unknown_element":
        found["sites"][1]["species"][0]["element"] = "Xx"
    elif kind == "partial":
        found["sites"][1]["species"][0]["occu"] = 0.5
    elif kind == "no_atoms":
        found["sites"] = []
    elif kind == "no_cell":
        del found["lattice"]
    return found


def frame(structure: Structure, kind: str | None) -> str:
    """The frame of one crystal, broken in a way or not; this format has no lengths and no occupancies."""
    sheet = io.StringIO()
    ase.io.write(sheet, _reshaped(structure, kind).to_ase_atoms(), format="extxyz")
    text = sheet.getvalue()
    if kind == "unparseable":
        return text.replace("2", "two", 1)
    if kind in ("nan", "negative"):
        return text.replace("2.10000000", "nan", 1)
    if kind == "flat":
        return re.sub(r'Lattice="[^"]*"', 'Lattice="4 0 0 4 0 0 0 0 4"', text)
    if kind in ("unknown_element", "partial"):
        return text.replace("Cl", "Xx")
    if kind == "no_atoms":
        return "0\n" + text.split("\n")[1] + "\n"
    if kind == "no_cell":
        return re.sub(r'Lattice="[^"]*" ', "", text)
    return text


def _reshaped(structure: Structure, kind: str | None) -> Structure:
    """What is still a structure when it is broken."""
    if kind == "coincident":
        return Structure(structure.lattice, structure.species, [[0.5, 0.5, 0.5]] * len(structure))
    if kind == "large":
        return structure * (5, 5, 6)
    return structure
