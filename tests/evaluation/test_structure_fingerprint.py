from __future__ import annotations

import numpy as np
import pytest
import torch
from matminer.featurizers.site.fingerprint import CrystalNNFingerprint

from nucleate import parallel
from nucleate.crystals import Crystals
from nucleate.evaluation.structure_fingerprint import LABELS, NO_FINGERPRINT, structure_fingerprints
from tests.evaluation.conftest import distorted, random_cell, to_crystals, to_structure


def fingerprints(*cells):
    found = structure_fingerprints(to_crystals(list(cells)))
    assert not any(found.failures)
    return found.values


def random_cells(seed, count=6):
    rng = np.random.default_rng(seed)
    return [random_cell(rng, rng.choice([3, 8, 14, 22, 26, 56], rng.integers(1, 8)).tolist()) for _ in range(count)]


@pytest.mark.filterwarnings("ignore")
def test_values_are_those_of_matminer():
    featurizer = CrystalNNFingerprint.from_preset("ops")
    cells = random_cells(0, 4)
    want = [
        np.mean([featurizer.featurize(structure, site) for site in range(len(structure))], axis=0)
        for structure in map(to_structure, cells)
    ]
    np.testing.assert_allclose(fingerprints(*cells), want, atol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_another_description_of_the_crystal_has_the_same_fingerprint(seed):
    """Another order, origin and basis, one that is skewed, a rotation, a mirror image and a supercell."""
    rng = np.random.default_rng(seed)
    cells = random_cells(seed)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    skew = np.array([[1, 0, 0], [3, 1, 0], [-2, 4, 1]])
    others = [
        [distorted(cell, rng, 0.0) for cell in cells],
        [cell._replace(lattice=cell.lattice @ turn) for cell in cells],
        [cell._replace(lattice=-cell.lattice) for cell in cells],
        [
            cell._replace(lattice=skew @ cell.lattice, frac=(cell.frac + rng.random(3)) @ np.linalg.inv(skew))
            for cell in cells
        ],
        [supercell(cell) for cell in cells],
    ]
    want = fingerprints(*cells)
    for other in others:
        np.testing.assert_allclose(fingerprints(*other), want, atol=1e-6)


def supercell(cell):
    """Doubled along b."""
    frac = np.concatenate([cell.frac, cell.frac + np.array([0, 1, 0])]) / [1, 2, 1]
    return cell._replace(
        numbers=np.tile(cell.numbers, 2), frac=frac, lattice=cell.lattice * np.array([[1], [2], [1]], dtype=float)
    )


def test_a_fingerprint_depends_on_its_crystal_only():
    cells = random_cells(1, 8)
    together = fingerprints(*cells)
    for cell, want in zip(cells, together, strict=True):
        np.testing.assert_array_equal(fingerprints(cell)[0], want)
    np.testing.assert_array_equal(fingerprints(*cells[::-1]), together[::-1])


def test_processes_change_nothing(monkeypatch):
    monkeypatch.setattr(parallel, "ITEMS_PER_WORKER", 10)
    crystals = to_crystals(random_cells(2, 41))
    shares = []
    found = structure_fingerprints(crystals, jobs=2, on_progress=shares.append)
    np.testing.assert_array_equal(found.values, structure_fingerprints(crystals).values)
    assert shares == sorted(shares)


def test_every_row_has_a_fingerprint_or_a_reason():
    whole = to_crystals(random_cells(3, 3), failure=["", "", ""])
    hopeless = Crystals.build([[98], [6]], [[[0, 0, 0]]] * 2, np.stack([3 * np.eye(3), np.diag([9, 9, 1e-9])]))
    flat = Crystals.build([[6]], [[[0, 0, 0]]], np.ones((1, 3, 3)))
    crystals = Crystals.concat([whole[:2], Crystals.failed(["unparseable"]), hopeless, flat, whole[2]])
    found = structure_fingerprints(crystals)
    assert found.failures.tolist() == ["", "", "unparseable", NO_FINGERPRINT, NO_FINGERPRINT, "zero_volume", ""]
    assert found.failures.dtype == object
    np.testing.assert_array_equal(np.isnan(found.values).all(1), found.failures != "")
    np.testing.assert_array_equal(np.isnan(found.values).any(1), found.failures != "")
    np.testing.assert_array_equal(found.values[[0, 1, 6]], structure_fingerprints(whole).values)


def test_no_crystals_have_no_fingerprints():
    found = structure_fingerprints(Crystals.empty())
    assert found.values.shape == (0, len(LABELS))
    assert len(found.failures) == 0


def test_single_precision_is_taken_as_it_is():
    crystals = to_crystals(random_cells(4))
    rounded = crystals.to(dtype=torch.float32)
    same = structure_fingerprints(rounded.to(dtype=torch.float64)).values
    np.testing.assert_array_equal(structure_fingerprints(rounded).values, same)
    np.testing.assert_allclose(same, structure_fingerprints(crystals).values, atol=2e-3)
