from __future__ import annotations

import numpy as np
import pytest
from pymatgen.analysis.local_env import CrystalNN

from nucleate.evaluation.cells import Cell
from nucleate.evaluation.crystal_nn import fingerprint
from nucleate.evaluation.crystal_nn.fingerprint import Task, coordination, crystal_fingerprint, site_fingerprints
from nucleate.evaluation.crystal_nn.motifs import LABELS
from nucleate.evaluation.crystal_nn.neighbours import count_within
from tests.evaluation.conftest import random_cell, to_structure

CORNERS = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
ORIGIN = np.zeros((1, 3))


def cubic(edge, *atoms) -> Cell:
    """A cubic cell of pairs of an atomic number and coordinates."""
    numbers = np.concatenate([np.full(len(places), z) for z, places in atoms])
    return Cell(numbers, np.concatenate([places for _, places in atoms]) % 1.0, edge * np.eye(3))


CRYSTALS = {
    "simple cubic": (cubic(3.2, (84, ORIGIN)), {"wt CN_6": 1, "octahedral CN_6": 1}),
    "diamond": (cubic(3.57, (6, CORNERS), (6, CORNERS + 0.25)), {"wt CN_4": 1, "tetrahedral CN_4": 1}),
    "rock salt": (cubic(5.64, (11, CORNERS), (17, CORNERS + 0.5)), {"wt CN_6": 1, "octahedral CN_6": 1}),
    "zinc blende": (cubic(5.41, (30, CORNERS), (16, CORNERS + 0.25)), {"wt CN_4": 1, "tetrahedral CN_4": 1}),
    "caesium chloride": (cubic(4.12, (55, ORIGIN), (17, ORIGIN + 0.5)), {}),
    "copper": (cubic(3.61, (29, CORNERS)), {"wt CN_12": 1, "q6 CN_12": 0.574524}),
    "perovskite": (cubic(3.9, (38, ORIGIN + 0.5), (22, ORIGIN), (8, CORNERS[1:] + 0.5)), {}),
}


def task(cell: Cell) -> Task:
    return Task(cell, 20.0)


def sites(of: Task) -> np.ndarray:
    values = site_fingerprints(of)
    assert values is not None
    assert np.isfinite(values).all()
    return values


@pytest.mark.parametrize("name", CRYSTALS)
def test_known_crystals(name):
    cell, want = CRYSTALS[name]
    found = dict(zip(LABELS, sites(task(cell)).mean(0), strict=True))
    for label, value in want.items():
        assert found[label] == pytest.approx(value, abs=1e-6), label


@pytest.mark.parametrize("name", CRYSTALS)
@pytest.mark.filterwarnings("ignore")
def test_coordination_is_that_of_pymatgen(name):
    agree(CRYSTALS[name][0])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.filterwarnings("ignore")
def test_coordination_of_random_crystals_is_that_of_pymatgen(seed):
    agree(random_cell(np.random.default_rng(seed), [1, 8, 18, 26, 55]))


def agree(cell: Cell) -> None:
    """Compares with pymatgen site by site."""
    coordinated = coordination(task(cell))
    assert coordinated is not None
    structure = to_structure(cell)
    for site in range(len(structure)):
        want = CrystalNN().get_nn_data(structure, site)
        weights = np.round(coordinated.weights[site], 3)
        np.testing.assert_allclose(weights[weights > 0], [near["weight"] for near in want.all_nninfo][:25], atol=1e-9)
        numbers = np.arange(25)
        probabilities = [want.cn_weights.get(cn, 0.0) for cn in numbers]
        np.testing.assert_allclose(coordinated.probabilities[site], probabilities, atol=1e-9)
        for cn in numbers[coordinated.probabilities[site] > 0]:
            ours = coordinated.neighbours[site, :cn]
            theirs = [near["site"].coords - structure[site].coords for near in want.cn_nninfo[cn]]
            distances = np.linalg.norm(ours[:, None] - np.reshape(theirs, (1, -1, 3)), axis=2)
            assert cn == 0 or distances.min(1).max() < 1e-6


def test_sites_are_averaged():
    cell = random_cell(np.random.default_rng(0), [8, 22, 38])
    values = sites(task(cell))
    assert values.shape == (3, len(LABELS))
    np.testing.assert_array_equal(crystal_fingerprint(task(cell)), values.mean(0))


@pytest.mark.parametrize("density", [1 / 20, 1, 15])
def test_searching_in_steps_changes_nothing(density, monkeypatch):
    """In a dense crystal a small radius is tried first; the result is that of the whole cutoff."""
    cell = random_cell(np.random.default_rng(1), [6, 6, 14])
    cell = cell._replace(lattice=cell.lattice * density ** (-1 / 3))
    found = []
    for spacings in (fingerprint.SPACINGS, 0.5, 100.0):
        monkeypatch.setattr(fingerprint, "SPACINGS", spacings)
        found.append(sites(task(cell)))
    np.testing.assert_allclose(found[0], found[2], atol=1e-12)
    np.testing.assert_allclose(found[1], found[2], atol=1e-12)


def test_an_open_cell_is_closed_with_neighbours_farther_away():
    layer = Cell(np.array([14, 14]), np.array([[0, 0, 0], [0.5, 0.5, 0.01]]), np.diag([3.5, 3.5, 20.0]))
    assert sites(Task(layer, 21.0)).any()
    assert site_fingerprints(Task(layer, 7.0)) is None


def test_four_atoms_alone_have_no_fingerprint():
    """Qhull lists no face for a corner of a tetrahedron, and the published program gives up."""
    frac = np.array([[0, 0, 0], [0.08, 0, 0], [0, 0.08, 0], [0.02, 0.03, 0.08]])
    molecule = Cell(np.full(4, 6), frac, 20 * np.eye(3))
    assert site_fingerprints(Task(molecule, 40.0)) is None
    assert sites(Task(molecule._replace(lattice=6 * np.eye(3)), 40.0)).any()


@pytest.mark.parametrize("stretch", np.linspace(1, 1.1, 11))
@pytest.mark.filterwarnings("ignore")
def test_atoms_in_a_flat_layer_find_those_of_the_next(stretch):
    """Within the first cutoff there is nothing but the layer, whose cells are prisms without an end."""
    lattice = np.array([[3.54, 0, 0], [-1.77, 1.77 * 3**0.5, 0], [0, 0, 16.031]]) * stretch
    frac = np.array([[0.33333333, 0.66666667, 0.25], [0.66666667, 0.33333333, 0.75]])
    cell = Cell(np.array([62, 62]), frac, lattice)
    agree(cell)
    assert dict(zip(LABELS, sites(task(cell)).mean(0), strict=True))["wt CN_6"] == pytest.approx(1)


@pytest.mark.parametrize("radius", [7.0, 14.0])
@pytest.mark.parametrize("spacings", [0.5, 1.5, 2.5, 3.5])
@pytest.mark.parametrize("longer", [0.0, 1e-15, -1e-15, 1e-11, -1e-11])
def test_both_neighbours_at_the_cutoff_are_found(radius, spacings, longer):
    """They are farther away by a rounding error, or not."""
    lattice = np.diag([3.0, 3.1, radius / spacings * (1 + longer)])
    frac = np.array([[0, 0, 0], [0, 0, 0.5]])
    shifts = fingerprint._lattice_vectors(lattice, radius, 1 << 20)
    assert shifts is not None
    found = np.diff(count_within(frac, lattice, shifts, np.arange(2), radius))
    structure = to_structure(Cell(np.array([6, 6]), frac, lattice))
    assert (found + 1).tolist() == [len(structure.get_sites_in_sphere(site.coords, radius)) for site in structure]


@pytest.mark.parametrize("number", [0, 97, 110])
def test_elements_without_a_radius_have_no_fingerprint(number):
    assert crystal_fingerprint(task(cubic(3.0, (number, ORIGIN), (8, ORIGIN + 0.5)))) is None


@pytest.mark.parametrize(
    "lattice",
    [
        np.zeros((3, 3)),
        np.diag([3, 3, 1e-9]),
        np.diag([1e-5, 1e-5, 10]),
        np.eye(3) * 1e-60,
        np.eye(3) * 1e100,
        np.array([[3, 0, 0], [0, 3, 0], [1, 1, 1e-13]]),
    ],
)
def test_hopeless_cells_end_soon(lattice):
    assert crystal_fingerprint(Task(Cell(np.array([6]), ORIGIN, lattice.astype(float)), 1e200)) is None


@pytest.mark.parametrize("edge", [1e-6, 0.01, 0.7, 30.0, 1e6])
def test_cells_of_any_size_have_a_fingerprint(edge):
    found = sites(Task(cubic(edge, (29, ORIGIN)), 2 * edge))
    near = sites(Task(cubic(1.0, (29, ORIGIN)), 2.0))
    np.testing.assert_allclose(found, near if edge < 3 else 0 * near, atol=1e-9)
