"""`write`: a batch of crystals becomes a file, a zip or a folder, in the format that the name says."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from nucleate.crystals import Crystals
from nucleate.errors import UserError
from nucleate.files import archive, cif, csv, extxyz, json, parquet, poscar
from nucleate.files.atomic import replacing
from nucleate.files.compression import packed
from nucleate.files.formats import Format, known, of_name

WRITERS: dict[Format, Callable[[Crystals], str | bytes]] = {
    Format.CIF: cif.dump,
    Format.POSCAR: poscar.dump,
    Format.EXTXYZ: extxyz.dump,
    Format.JSON: json.dump,
    Format.JSON_LINES: json.dump_lines,
    Format.CSV: csv.dump,
    Format.TSV: partial(csv.dump, delimiter="\t"),
    Format.PARQUET: parquet.dump,
    Format.ZIP: archive.zip_of_cifs,
}


def write(crystals: Crystals, path: str | Path, *, overwrite: bool = False) -> None:
    """Writes crystals in the order of their rows; needs neither pymatgen nor ASE.

    The name says the format: `.parquet` (loss-free and fastest), `.csv` (with a `cif` column) or `.tsv`, `.extxyz`,
    `.json` or `.jsonl` (pymatgen), `.cif` (one block a crystal), `.vasp` or `POSCAR` (one crystal), any of them with
    `.gz`, `.bz2`, `.xz` or `.zst`; `.zip`, or a name without suffix, which becomes a folder: one CIF a crystal, named
    by row and formula (`00012_NaCl.cif`).

    A crystal that could not be built keeps its place and its reason in all of them but POSCAR, and `read` gives them
    back. The `info` goes along in all but the CIFs; what is neither number, truth value nor text becomes text.

    Args:
        crystals: at least one.
        path: where to; missing folders above it are made.
        overwrite: replace what is there.

    Raises:
        UserError: something is there already, there are no crystals, the format is unknown or holds one crystal only,
            or the file cannot be written.
    """
    path = Path(path)
    kind = of_name(path.name)
    if kind is None and path.suffix:
        raise UserError(f"{path}: this kind of file is not known; known are {known()} and POSCAR")
    if not len(crystals):
        raise UserError(f"{path}: there are no crystals to write")
    occupied = any(path.iterdir()) if path.is_dir() else path.exists()
    if occupied and not overwrite:
        raise UserError(f"{path} exists; use --overwrite")
    if kind is None:
        archive.write_folder(crystals, path)
        return
    content = WRITERS[kind](crystals)
    data = packed(content.encode() if isinstance(content, str) else content, path.name)
    with replacing(path) as temporary:
        temporary.write_bytes(data)
