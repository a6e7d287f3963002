"""The data set that needs no download: known structure types with their elements replaced.

The structure types are the AFLOW prototypes that pymatgen carries (Mehl et al., Comput. Mater. Sci. 136, S1, 2017).
Each element gives way to one of its own group of the periodic table, which keeps the charges as balanced as they were,
and lengths change with the mean covalent radius of the atoms. Choices go by hash, not by a random generator, so that a
seed means the same crystals on every machine.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from itertools import islice, pairwise, product
from pathlib import Path

import numpy as np
import torch

from nucleate.crystals import Crystals
from nucleate.datasets.splits import assign, hash_order
from nucleate.elements import NUMBERS, SYMBOLS, group, reduced_formula
from nucleate.errors import UserError
from nucleate.geometry import periodic, torus

PER_PROTOTYPE = 48
MAX_ATOMS = 20

MIN_DISTANCE = 1.0
"""Atoms are never closer than this, in Å …"""
MIN_CONTACT = 0.7
"""… nor than this share of the sum of their covalent radii."""

MAX_STRETCH = 1.3
"""Lengths grow or shrink by this factor at most.

Of the substitutions within it, 419 are in MP-20 (train and val) with the same formula, space group and number of atoms;
half of their volumes are within 4.5 % of that entry's, nine in ten within 20 %.
"""

# The library gives these two cells a space group that is not theirs (spglib, symprec 1e-3).
_MISLABELLED = ("AB3_tI16_140_b_ah", "A2B_oC12_38_de_ab")
_NOBLE_GASES = (2, 10, 18, 36, 54)
_WITHOUT_STABLE_ISOTOPES = (43, 61)
_AFTER_BISMUTH = (90, 92)  # thorium and uranium, which have a chemistry of solids


def make(*, seed: int = 0, per_prototype: int = PER_PROTOTYPE) -> Crystals:
    """Makes the data set.

    Args:
        seed: decides which substitutions are taken, and the splits.
        per_prototype: most crystals of one structure type.

    Returns:
        Crystals with the columns of `library`, `material_id`, `pretty_formula` and `split`. No reduced formula is in
        two splits, since prototypes that differ little become crystals that differ little.

    Raises:
        UserError: pymatgen or ASE is not installed.
    """
    kinds = library()
    block = kinds.padded()
    distances = periodic.distances(block.frac, block.lattice, block.mask).numpy()
    taken = [
        (row, numbers, scale)
        for row, (kind, apart) in enumerate(zip(kinds, distances, strict=True))
        for numbers, scale in islice(_substituted(kind, apart, seed), per_prototype)
    ]
    rows, numbers, scales = zip(*taken, strict=True)
    same = kinds[rows]
    crystals = replace(
        same,
        numbers=torch.from_numpy(np.concatenate(numbers)),
        lattice=same.lattice * torch.tensor(scales, dtype=torch.float64)[:, None, None],
    )
    formulas = [reduced_formula(z.tolist()) for z in crystals.numbers_of_each()]
    names = [f"{label}:{formula}" for label, formula in zip(crystals.info["prototype"], formulas, strict=True)]
    return crystals.with_info(material_id=names, pretty_formula=formulas, split=assign(formulas, seed))


def library() -> Crystals:
    """Reads the structure types of up to `MAX_ATOMS` atoms in their reduced primitive cells, each label once.

    Returns:
        Crystals with the columns `prototype` (AFLOW label), `mineral` and `spacegroup.number`.

    Raises:
        UserError: pymatgen is not installed.
    """
    path = library_file()
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    entries: dict[str, Mapping] = {}
    for entry in json.loads(text):
        label = entry["tags"]["aflow"]
        if len(entry["snl"]["sites"]) <= MAX_ATOMS and label not in _MISLABELLED:
            entries.setdefault(label, entry)
    # pymatgen's JSON of a structure, read without importing pymatgen, which would take a second.
    structures = [entry["snl"] for entry in entries.values()]
    cells = Crystals.build(
        [[NUMBERS[site["species"][0]["element"]] for site in structure["sites"]] for structure in structures],
        [[site["abc"] for site in structure["sites"]] for structure in structures],
        [structure["lattice"]["matrix"] for structure in structures],
    ).niggli()
    # Rounded, so that the last bits of the reduction do not differ between machines.
    cells = replace(cells, frac=torus.wrap(cells.frac.round(decimals=6)), lattice=cells.lattice.round(decimals=6))
    return cells.with_info(
        **{
            "prototype": list(entries),
            "mineral": [entry["tags"]["mineral"] for entry in entries.values()],
            "spacegroup.number": [int(label.split("_")[2]) for label in entries],
        }
    )


def library_file() -> Path:
    """Finds the AFLOW prototypes of pymatgen, without the seconds that importing its matcher takes.

    Raises:
        UserError: pymatgen or ASE is not installed.
    """
    if find_spec("pymatgen") and find_spec("ase"):
        package = find_spec("pymatgen.analysis")
        for folder in (package and package.submodule_search_locations) or ():
            # Beside the matcher in older versions, in a package of its own in newer ones.
            for path in sorted(Path(folder).glob("**/aflow_prototypes.json*")):
                return path
    raise UserError("the data set prototypes is made with pymatgen and ASE: pip install 'nucleate[files]'")


def _substituted(prototype: Crystals, distances: np.ndarray, seed: int) -> Iterator[tuple[np.ndarray, float]]:
    """Yields the substitutions that fit one prototype.

    Args:
        prototype: one crystal of n atoms.
        distances: between its atoms, in Å, shape (N, N) with N ≥ n.
        seed: of their order.

    Returns:
        Atomic numbers, shape (n,), and the factor of all lengths.
    """
    from ase.data import covalent_radii as radii

    original = prototype.numbers.numpy()
    kinds, kind_of_site = np.unique(original, return_inverse=True)
    distances = distances[: len(original), : len(original)]
    label = prototype.info["prototype"][0]
    choices = {f"{label}:{'-'.join(SYMBOLS[z] for z in choice)}": choice for choice in _choices(kinds.tolist())}
    for name in hash_order(choices, seed):
        numbers = np.array(choices[name], dtype=np.uint8)[kind_of_site]
        scale = float(radii[numbers].sum() / radii[original].sum())
        bonds = radii[numbers][:, None] + radii[numbers][None, :]
        roomy = (distances * scale >= np.maximum(MIN_CONTACT * bonds, MIN_DISTANCE)).all()
        if roomy and 1 / MAX_STRETCH <= scale <= MAX_STRETCH:
            yield numbers, scale


def _choices(kinds: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Yields the elements that may stand for `kinds` (ascending), each from the group of the one that it replaces.

    Elements of one group keep their order, so that no crystal comes twice with two names swapped.
    """
    pools = [_pool(z) for z in kinds]
    for choice in product(*pools):
        together = [[z for z, other in zip(choice, pools, strict=True) if other == pool] for pool in pools]
        if all(lighter < heavier for members in together for lighter, heavier in pairwise(members)):
            yield choice


@cache
def _pool(z: int) -> tuple[int, ...]:
    """Elements that may stand for Z: its group; hydrogen, which is no alkali metal, stays by itself."""
    skipped = {1, *_NOBLE_GASES, *_WITHOUT_STABLE_ISOTOPES}
    allowed = [other for other in (*range(1, 84), *_AFTER_BISMUTH) if other not in skipped]
    return (1,) if z == 1 else tuple(other for other in allowed if group(other) == group(z))
