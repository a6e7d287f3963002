from __future__ import annotations

import gzip
import hashlib
from collections import defaultdict

import numpy as np
import pytest
import torch
from ase.data import covalent_radii

from nucleate.datasets import prototypes
from nucleate.elements import NUMBERS, group, reduced_formula
from nucleate.errors import UserError
from nucleate.geometry import lattice, periodic


@pytest.fixture(scope="module")
def crystals():
    return prototypes.make()


@pytest.fixture(scope="module")
def library():
    return prototypes.library()


def test_there_are_a_few_thousand_of_many_kinds(crystals):
    assert 3000 < len(crystals) < 5000
    assert len(set(crystals.info["prototype"])) > 200
    assert len({z for numbers in crystals.numbers_of_each() for z in numbers.tolist()}) > 70
    assert crystals.counts.max() <= prototypes.MAX_ATOMS
    assert crystals.frac.dtype == crystals.lattice.dtype == torch.float64


def test_cells_are_reduced(crystals):
    reduced, _ = lattice.niggli(crystals.lattice)
    torch.testing.assert_close(
        torch.stack(lattice.parameters(reduced)), torch.stack(lattice.parameters(crystals.lattice)), rtol=0, atol=1e-4
    )


def test_atoms_have_room(crystals):
    block = crystals.padded()
    distances = periodic.distances(block.frac, block.lattice, block.mask)
    radii = torch.from_numpy(covalent_radii)[block.numbers]
    bonds = radii[:, :, None] + radii[:, None, :]
    assert distances.min() >= prototypes.MIN_DISTANCE
    assert (distances / bonds).min() >= prototypes.MIN_CONTACT


def test_elements_come_from_the_group_of_the_ones_they_replace(crystals, library):
    originals = dict(zip(library.info["prototype"], library.numbers_of_each(), strict=True))
    for label, numbers in zip(crystals.info["prototype"], crystals.numbers_of_each(), strict=True):
        pairs = set(zip(originals[label].tolist(), numbers.tolist(), strict=True))
        assert all(group(old) == group(new) for old, new in pairs)
        assert all((old == NUMBERS["H"]) == (new == NUMBERS["H"]) for old, new in pairs)
        # One to one: two kinds of sites never become one.
        assert len({old for old, _ in pairs}) == len({new for _, new in pairs}) == len(pairs)


def test_only_sizes_change_within_bounds(crystals, library):
    row = {label: number for number, label in enumerate(library.info["prototype"])}
    same = library[[row[label] for label in crystals.info["prototype"]]]
    stretch = (lattice.volume(crystals.lattice) / lattice.volume(same.lattice)) ** (1 / 3)
    torch.testing.assert_close(crystals.lattice, same.lattice * stretch[:, None, None])
    torch.testing.assert_close(crystals.frac, same.frac)
    assert 1 / prototypes.MAX_STRETCH <= stretch.min() < 0.8
    assert 1.25 < stretch.max() <= prototypes.MAX_STRETCH


def test_no_formula_is_in_two_splits_and_no_crystal_comes_twice(crystals):
    splits = defaultdict(set)
    for formula, split in zip(crystals.info["pretty_formula"], crystals.info["split"], strict=True):
        splits[formula].add(split)
    assert {len(each) for each in splits.values()} == {1}
    assert len(set(crystals.info["material_id"])) == len(crystals)
    train = np.mean(crystals.info["split"] == "train")
    assert 0.77 < train < 0.83


def test_formulas_and_space_groups_are_right(crystals):
    spglib = pytest.importorskip("spglib")
    sample = crystals[::45]
    right = 0
    for one in sample:
        assert one.info["pretty_formula"][0] == reduced_formula(one.numbers.tolist())
        cell = (one.lattice[0].numpy(), one.frac.numpy(), one.numbers.tolist())
        right += spglib.get_symmetry_dataset(cell, symprec=1e-2).number == one.info["spacegroup.number"][0]
    assert right >= len(sample) - 1  # some crystals of AB_oP8_33_a_a are, to 0.01 Å, in group 62


def test_well_known_crystals_are_among_all_of_them():
    everything = set(prototypes.make(per_prototype=10**6).info["material_id"])
    known = ["AB_cF8_225_a_b:NaCl", "AB_cF8_216_c_a:ZnS", "AB3C_cP5_221_a_c_b:BaTiO3", "A2BC4_cF56_227_d_a_e:MgAl2O4"]
    assert everything.issuperset(known)


def test_the_seed_decides():
    first, again, other = (prototypes.make(seed=seed, per_prototype=2) for seed in (0, 0, 1))
    assert list(again.info["material_id"]) == list(first.info["material_id"])
    assert torch.equal(again.lattice, first.lattice)
    assert list(other.info["material_id"]) != list(first.info["material_id"])


def test_what_has_been_released_stays(crystals):
    path = prototypes.library_file()
    if hashlib.sha256(gzip.decompress(path.read_bytes())).hexdigest()[:16] != "6ff6b682d41889f2":
        pytest.skip("this pymatgen has other prototypes")
    rows = zip(crystals.info["material_id"], crystals.info["split"], strict=True)
    # A change here is a change of the data set, and of every number that was measured on it.
    assert hashlib.sha256("\n".join(map(" ".join, rows)).encode()).hexdigest()[:16] == "4c2fa3a6d0b99937"
    assert lattice.volume(crystals.lattice).sum().item() == pytest.approx(621745.4254)


def test_without_pymatgen_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(prototypes, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="pip install 'nucleate"):
        prototypes.make()
