"""Reads folders of structure files beside pymatgen, ASE and gemmi, and prints where they agree and where not.

    python -m benchmarks.readers FOLDER [FOLDER …]

Each file is read by every program that knows its format. Two readings agree if the atoms of each element in the cell,
and its volume to 1 %, are the same. A crystal with partial occupancies counts as refused by all.
"""

from __future__ import annotations

import argparse
import signal
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nucleate.elements import SYMBOLS
from nucleate.errors import UserError
from nucleate.files import read
from nucleate.files.formats import Format, of_name

SECONDS = 60

VOLUME_TOLERANCE = 0.01


class Cell(NamedTuple):
    """Atoms of a cell by symbol, and its volume in Å³."""

    atoms: tuple[tuple[str, int], ...]
    volume: float

    def agrees(self, other: Cell) -> bool:
        return self.atoms == other.atoms and abs(self.volume / other.volume - 1) < VOLUME_TOLERANCE

    def __str__(self) -> str:
        return "".join(f"{symbol}{count}" for symbol, count in self.atoms)


def cell(symbols: Sequence[str], volume: float) -> Cell:
    counts = Counter("H" if symbol in ("D", "T") else symbol for symbol in symbols)
    return Cell(tuple(sorted(counts.items())), volume)


def ours(path: Path) -> list[Cell | str]:
    """Cells of a file, or the reason where one is refused."""
    try:
        found = read(path, jobs=1)
    except UserError as error:
        words = str(error).removeprefix(f"{path}: ")
        return [words.partition(": ")[0] if ": " in words else words]
    volumes = np.abs(np.linalg.det(found.lattice.numpy()))
    return [
        str(reason) if reason else cell([SYMBOLS[z] for z in numbers], float(volume))
        for reason, numbers, volume in zip(found.failures, found.numbers_of_each(), volumes, strict=True)
    ]


def by_pymatgen(path: Path) -> list[Cell]:
    from pymatgen.core import Structure
    from pymatgen.io.cif import CifParser

    if of_name(path.name) is Format.CIF:
        structures = CifParser(path).parse_structures(primitive=False, on_error="ignore")
    else:
        structures = [Structure.from_file(path)]
    return [cell([site.specie.symbol for site in one], one.volume) for one in structures if one.is_ordered]


def by_ase(path: Path) -> list[Cell]:
    import ase.io

    formats = {Format.CIF: "cif", Format.POSCAR: "vasp", Format.EXTXYZ: "extxyz"}
    images = ase.io.read(path, index=":", format=formats.get(of_name(path.name)))
    ordered = [image for image in images if "occupancy" not in image.info or _whole(image.info["occupancy"])]
    return [cell(image.get_chemical_symbols(), image.get_volume()) for image in ordered]


def _whole(occupancy: dict[str, dict[str, float]]) -> bool:
    return all(len(site) == 1 and set(site.values()) == {1.0} for site in occupancy.values())


def by_gemmi(path: Path) -> list[Cell]:
    import gemmi

    found = []
    for block in gemmi.cif.read(str(path)):
        small = gemmi.make_small_structure_from_block(block)
        if small.sites and all(site.occ == 1 for site in small.sites):
            atoms = [site.element.name for site in small.get_all_unit_cell_sites()]
            found.append(cell(atoms, small.cell.volume))
    return found


PEERS: dict[str, tuple[Callable[[Path], list[Cell]], frozenset[Format]]] = {
    "pymatgen": (by_pymatgen, frozenset({Format.CIF, Format.POSCAR})),
    "ASE": (by_ase, frozenset({Format.CIF, Format.POSCAR, Format.EXTXYZ})),
    "gemmi": (by_gemmi, frozenset({Format.CIF})),
}


def peer(name: str, path: Path) -> list[Cell] | None:
    """What another program makes of a file; nothing if it fails, and None if it does not know the format."""
    reader, formats = PEERS[name]
    if of_name(path.name) not in formats:
        return None
    signal.alarm(SECONDS)
    try:
        return reader(path)
    except Exception:  # noqa: BLE001 (a peer fails in its own ways)
        return []
    finally:
        signal.alarm(0)


class Row(NamedTuple):
    """A file, what we make of it, and what the peers do."""

    path: Path
    mine: list[Cell | str]
    peers: dict[str, list[Cell]]

    @property
    def verdict(self) -> str:
        cells = [one for one in self.mine if isinstance(one, Cell)]
        reading = {name: found for name, found in self.peers.items() if found}
        if not cells:
            return "refused, as by all" if not reading else "refused, a peer reads"
        agreeing = [name for name, found in reading.items() if same(cells, found)]
        if not reading:
            return "read, by no peer"
        return "agrees with all" if len(agreeing) == len(reading) else "agrees with some" if agreeing else "disagrees"


def same(mine: list[Cell], theirs: list[Cell]) -> bool:
    return len(mine) == len(theirs) and all(one.agrees(other) for one, other in zip(mine, theirs, strict=True))


def rows(folder: Path) -> Iterator[Row]:
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and of_name(path.name)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = {name: cells for name in PEERS if (cells := peer(name, path)) is not None}
            yield Row(path, ours(path), found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    verdicts: Counter[tuple[str, str]] = Counter()
    reasons: Counter[str] = Counter()
    signal.signal(signal.SIGALRM, lambda *_: (_ for _ in ()).throw(TimeoutError()))
    folders = parser.parse_args().folders
    for folder in folders:
        for row in rows(folder):
            verdicts[folder.name, row.verdict] += 1
            reasons.update(one for one in row.mine if isinstance(one, str))
            if row.verdict in ("refused, a peer reads", "agrees with some", "disagrees"):
                theirs = "; ".join(
                    f"{name}: {', '.join(map(str, found)) or 'nothing'}" for name, found in row.peers.items()
                )
                print(
                    f"{row.verdict}: {row.path.name}: {', '.join(map(str, row.mine))[:150]} | {theirs[:300]}",
                    flush=True,
                )
    kinds = list(dict.fromkeys(kind for _, kind in sorted(verdicts)))
    print(f"\n| folder | {' | '.join(kinds)} |\n|{'---|' * (len(kinds) + 1)}")
    for folder in folders:
        print(f"| {folder.name} | {' | '.join(str(verdicts[folder.name, kind]) for kind in kinds)} |")
    print("\nrefused: " + ", ".join(f"{count} {reason}" for reason, count in reasons.most_common()))


if __name__ == "__main__":
    main()
