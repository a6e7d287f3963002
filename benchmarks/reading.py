"""Seconds of one core that reading takes, beside pymatgen and ASE in the same run.

    python -m benchmarks.reading [--data mp-20:val] [--count 10000]

Four kinds of files: CIFs without symmetry, as generators write them; CIFs whose symmetry is a name alone, all settings
of gemmi's table in turn; one file of extended XYZ; and a zip of CIFs. The peers read every tenth, and are multiplied.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import gemmi
import numpy as np

from nucleate.crystals import Crystals
from nucleate.datasets import load
from nucleate.errors import UserError
from nucleate.files import cif, read, write

SHARE = 10
"""One of so many is read by the peers."""

CELLS = {
    "triclinic": (7, 8, 9, 80, 95, 100),
    "orthorhombic": (7, 8, 9, 90, 90, 90),
    "tetragonal": (7, 7, 9, 90, 90, 90),
    "trigonal": (7, 7, 11, 90, 90, 120),
    "hexagonal": (7, 7, 11, 90, 90, 120),
    "cubic": (9, 9, 9, 90, 90, 90),
}


def seconds(work: Callable[[], object]) -> float:
    """Seconds of the processor; one core, since nothing here has threads."""
    start = time.process_time()
    work()
    return time.process_time() - start


def tried(parse: Callable[[str], object], texts: Sequence[str]) -> None:
    for text in texts:
        try:
            parse(text)
        except (UserError, ValueError, KeyError, IndexError):
            continue


def by_pymatgen(text: str) -> object:
    from pymatgen.io.cif import CifParser

    return CifParser.from_str(text, check_cif=False).parse_structures(primitive=False, on_error="raise")


def names_alone(count: int) -> list[str]:
    """CIFs of three atoms each, on random places, with the name of a setting and no operations."""
    rng = np.random.default_rng(0)
    table = list(gemmi.spacegroup_table())
    return [_named(table[row % len(table)], rng.random((3, 3)).round(4)) for row in range(count)]


def _named(setting: gemmi.SpaceGroup, places: np.ndarray) -> str:
    unique = {"a": (100, 90, 90), "b": (90, 100, 90), "c": (90, 90, 100)}.get(setting.monoclinic_unique_axis())
    parameters = (7, 8, 9, *unique) if unique else CELLS[setting.crystal_system_str()]
    parameters = (7, 7, 7, 75, 75, 75) if setting.ext == "R" else parameters
    tags = [f"length_{axis}" for axis in "abc"] + [f"angle_{angle}" for angle in ("alpha", "beta", "gamma")]
    cell = "\n".join(f"_cell_{tag} {value}" for tag, value in zip(tags, parameters, strict=True))
    heads = "loop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z"
    sites = "\n".join(f"{label} {x} {y} {z}" for label, (x, y, z) in zip(("Na1", "Cl1", "O1"), places, strict=True))
    return f"data_a\n_symmetry_space_group_name_H-M '{setting.xhm()}'\n{cell}\n{heads}\n{sites}\n"


def repeated(crystals: Crystals, count: int) -> Crystals:
    return Crystals.concat([crystals] * -(-count // len(crystals)))[:count]


def main() -> None:
    import ase.io

    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="prototypes", help="data set whose crystals are written and read")
    parser.add_argument("--count", type=int, default=10_000, help="crystals of each kind of file")
    settings = parser.parse_args()
    crystals = repeated(load(settings.data), settings.count)
    print(f"{len(crystals):,} crystals of {settings.data}, mean {len(crystals.numbers) / len(crystals):.1f} atoms\n")
    print("| | seconds | a peer, seconds | times as fast |\n|---|---|---|---|", flush=True)

    def row(name: str, mine: float, theirs: float, peer: str) -> None:
        print(f"| {name} | {mine:.1f} | {peer} {theirs:.0f} | {theirs / mine:.1f} |", flush=True)

    for name, texts in (("CIFs in P1", cif.texts(crystals)), ("CIFs, names alone", names_alone(settings.count))):
        tried(cif.parse, texts[:1])
        mine = seconds(lambda texts=texts: tried(cif.parse, texts))
        theirs = SHARE * seconds(lambda texts=texts: tried(by_pymatgen, texts[::SHARE]))
        row(name, mine, theirs, "pymatgen")
    with tempfile.TemporaryDirectory() as folder:
        frames, zipped = Path(folder) / "a.extxyz", Path(folder) / "a.zip"
        write(crystals, frames)
        write(crystals, zipped)
        megabytes = frames.stat().st_size / 1e6
        mine = seconds(lambda: read(frames, jobs=1))
        row(f"extended XYZ, {megabytes:.0f} MB", mine, seconds(lambda: ase.io.read(frames, ":")), "ASE")
        mine = seconds(lambda: read(zipped, jobs=1))
        texts = cif.texts(crystals[::SHARE])
        peer = seconds(lambda: [ase.io.read(io.StringIO(text), format="cif") for text in texts])
        row("a zip of CIFs", mine, SHARE * peer, "ASE")


if __name__ == "__main__":
    main()
