from __future__ import annotations

import gemmi
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure
from pymatgen.symmetry.groups import SpaceGroup

from nucleate.files.cif import orbits
from nucleate.files.cif.symmetry import IDENTITY, Symmetry
from tests.files.cif.cells import TABLE, parameters

eighths = st.integers(0, 23).map(lambda step: step / 24)


def symmetry_of(setting: gemmi.SpaceGroup) -> Symmetry:
    operations = list(setting.operations())
    rotations = np.array([operation.rot for operation in operations]) // 24
    return Symmetry(
        setting.xhm(), setting.number, rotations, np.array([operation.tran for operation in operations]) / 24
    )


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(TABLE), st.tuples(eighths, eighths, eighths), st.integers(0, 2**32 - 1))
def test_an_orbit_is_what_gemmi_makes_of_it_even_from_rounded_coordinates(setting, site, seed):
    lattice = np.array(Lattice.from_parameters(*parameters(setting)).matrix)
    noise = np.random.default_rng(seed).uniform(-5e-4, 5e-4, 3)  # three decimals
    frac, owner = orbits.expand(symmetry_of(setting), (np.array(site) + noise)[None], lattice)
    images = {
        tuple(np.round(np.array(op.apply_to_xyz(list(site))) * 24).astype(int) % 24) for op in setting.operations()
    }
    stays = round(len(list(setting.operations())) / len(images))
    assert len(frac) == len(images) == len(list(setting.operations())) // stays
    assert (owner == 0).all()
    delta = frac[:, None] - np.array(sorted(images)) / 24
    assert (np.abs(delta - np.round(delta)).max(-1) < 1e-3).any(1).all()


@pytest.mark.parametrize("symbol", ["Fm-3m", "P6_3/mmc", "P4_2/mnm", "I-42d", "Pnma", "P-31m"])
def test_several_sites_are_what_pymatgen_makes_of_them(symbol):
    group = SpaceGroup(symbol)
    setting = gemmi.find_spacegroup_by_number(group.int_number)
    lattice = Lattice.from_parameters(*parameters(setting))
    sites = np.array([[0, 0, 0], [0.13, 0.35, 0.41]])
    wanted = Structure.from_spacegroup(symbol, lattice, ["Na", "Cl"], sites)
    operations = list(group.symmetry_ops)
    symmetry = Symmetry(
        symbol,
        group.int_number,
        np.array([op.rotation_matrix for op in operations]).round().astype(int),
        np.array([op.translation_vector for op in operations]),
    )
    frac, owner = orbits.expand(symmetry, sites, np.array(lattice.matrix))
    assert np.bincount(owner).tolist() == [wanted.composition["Na"], wanted.composition["Cl"]]
    delta = frac[:, None] - wanted.frac_coords
    assert (np.abs(delta - np.round(delta)).max(-1) < 1e-8).any(1).all()


def test_sites_without_symmetry_are_left_as_they_are():
    sites = np.array([[0.1, 0.2, -0.3], [1.25, 0.001, 0.5]])
    frac, owner = orbits.expand(IDENTITY, sites, np.eye(3) * 5)
    assert frac.tolist() == (sites - np.floor(sites)).tolist()
    assert owner.tolist() == [0, 1]


@pytest.mark.parametrize("shift", [(0.99999, 0, 0), (0, 0, 0)])
def test_two_sites_in_one_place_are_refused(shift):
    with pytest.raises(orbits.OverlapError) as caught:
        orbits.expand(IDENTITY, np.array([[0.3, 0.3, 0.3], [0, 0, 0], shift]), np.eye(3) * 5)
    assert (caught.value.site, caught.value.other) == (1, 2)


def test_images_that_are_neither_one_atom_nor_two_are_refused():
    inversion = symmetry_of(gemmi.SpaceGroup("P -1"))
    assert len(orbits.expand(inversion, np.array([[0.004, 0, 0]]), np.eye(3) * 5)[0]) == 1  # 0.04 Å apart
    with pytest.raises(orbits.OverlapError, match="0\\.08"):
        orbits.expand(inversion, np.array([[0.008, 0, 0]]), np.eye(3) * 5)
    assert len(orbits.expand(inversion, np.array([[0.008, 0, 0]]), np.eye(3) * 5, doubt=0)[0]) == 2
    assert len(orbits.expand(inversion, np.array([[0.02, 0, 0]]), np.eye(3) * 5)[0]) == 2
