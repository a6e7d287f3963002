"""Structure fingerprints are those that pymatgen 2023.10.11 and matminer 0.9.2 gave for the published numbers.

One column, the body-centred cubic order parameter, depends on the order of a site's neighbours, and takes a sign from
which side of 90° an angle is. Where symmetry makes neighbours equivalent or an angle right, rounding errors of 1e-16
decide, and move the published mean over the sites by up to 7e-3: the same versions on another processor miss 3 of 1,000
values, and with NumPy 2, whose arccosine differs in the last bit, 10. Ours is the mean of what is possible there; the
published value must lie within it.
"""

from __future__ import annotations

import gzip
import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from nucleate import files
from nucleate.crystals import Crystals
from nucleate.evaluation.cells import Cell, from_parameters
from nucleate.evaluation.crystal_nn.fingerprint import CUTOFF, Task, coordination
from nucleate.evaluation.structure_fingerprint import LABELS, NO_FINGERPRINT, structure_fingerprints

PROTOTYPES = Path(__file__).parent / "prototypes"

TOLERANCE = 1e-4
"""What is asked for."""

REACHED = 1e-7
"""What is reached wherever the published value is well defined."""

AMBIGUOUS = LABELS.index("body-centered cubic CN_8")

MOVED = {
    "val": [117, 451, 595, 710],
    "test_ref": [12, 65, 185, 319, 701, 780],
    "cdvae": [],
    "llama-2-7B_1.0_0.7": [],
    "prototypes": [12, 16, 117, 127, 138, 181, 206, 293, 305, 311, 315],
}
"""Rows where rounding errors moved the published value by more than the tolerance."""


def from_arrays(path: Path) -> Crystals:
    """Cells and coordinates as the published program saw them."""
    with gzip.open(path, "rt") as lines:
        rows = [json.loads(line) for line in lines]
    lattices = from_parameters(*(np.array([row[name] for row in rows]) for name in ("lengths", "angles")))
    return Crystals.build([row["Z"] for row in rows], [row["frac"] for row in rows], lattices)


def agree(name: str, crystals: Crystals, fingerprints: Path) -> None:
    with np.load(fingerprints) as arrays:
        want = np.full((len(crystals), len(LABELS)), np.nan)
        want[arrays["row"]] = arrays["struct_fp"]
    found = structure_fingerprints(crystals)
    missing = np.isnan(want).all(1)
    np.testing.assert_array_equal(found.failures, np.where(missing, NO_FINGERPRINT, ""))
    np.testing.assert_array_equal(np.isnan(found.values).all(1), missing)

    defined = np.arange(len(LABELS)) != AMBIGUOUS
    np.testing.assert_allclose(found.values[:, defined], want[:, defined], rtol=0, atol=REACHED)
    found, want = found.values[:, AMBIGUOUS], want[:, AMBIGUOUS]
    assert np.flatnonzero(np.abs(found - want) > TOLERANCE).tolist() == MOVED[name]
    for row in np.flatnonzero(np.abs(found - want) > REACHED):
        low, high = possible(crystals[int(row)])
        assert low - REACHED < want[row] < high + REACHED
        assert low < found[row] < high


def possible(crystal: Crystals) -> tuple[float, float]:
    """Bounds of the ambiguous column, over the orders of equivalent neighbours and the signs of right angles."""
    from nucleate.evaluation.crystal_nn.order_parameters import SAME_WEIGHT, azimuth_cosines, polar_angles

    cell = Cell(crystal.numbers.numpy(), crystal.frac.numpy(), crystal.lattice[0].numpy())
    coordinated = coordination(Task(cell, CUTOFF))
    assert coordinated is not None
    bounds = np.zeros(2)
    for neighbours, weights, probabilities in zip(*coordinated, strict=True):
        if not probabilities[8]:
            continue
        units = neighbours[:8] / np.linalg.norm(neighbours[:8], axis=1, keepdims=True)
        polar, azimuth = polar_angles(units), azimuth_cosines(units)
        for j, k in combinations(range(8), 2):
            scores = signs(k, polar[j], azimuth[j])
            if weights[j] - weights[k] <= SAME_WEIGHT:
                scores += signs(j, polar[k], azimuth[k])
            bounds += probabilities[8] * np.array([min(scores), max(scores)])
    low, high = bounds / (4 * (6 + 6 * 5)) / len(cell.numbers)
    return low, high


def signs(k: int, polar: np.ndarray, azimuth: np.ndarray) -> list[float]:
    """Scores of neighbour k, on one or both sides of 90°."""
    from nucleate.evaluation.crystal_nn.order_parameters import SAME_ANGLE, body_centred_pair

    near = abs(polar[k] - np.pi / 2) <= SAME_ANGLE
    sides = np.array([-1e-6, 1e-6] if near else [0.0])
    return [body_centred_pair(k, polar + side * (np.arange(len(polar)) == k), azimuth) for side in sides]


@pytest.mark.parametrize("name", ["test_ref", "val", "cdvae", "llama-2-7B_1.0_0.7"])
def test_published_crystals(golden, name):
    agree(name, from_arrays(golden / f"arrays_{name}.jsonl.gz"), golden / f"fingerprints_{name}.npz")


def test_prototypes():
    crystals = files.read(PROTOTYPES / "structures_prototypes.csv.gz", jobs=1)
    agree("prototypes", crystals, PROTOTYPES / "fingerprints_prototypes.npz")


def test_columns_are_those_of_matminer(golden):
    assert list(LABELS) == json.loads((golden / "fingerprint_labels.json").read_text())["crystalnn_labels"]
