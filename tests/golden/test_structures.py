"""Structural validity, distances, volumes and densities are those that the published program gave, row by row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nucleate import files
from nucleate.crystals import Crystals
from nucleate.evaluation.density import densities
from nucleate.evaluation.failures import failure_reasons
from nucleate.evaluation.structural_validity import structural_validity
from tests.golden.published import PROTOTYPES, columns_of, from_arrays

# The published program adds this to the diagonal of its distances, so that no distance it tells is larger.
DIAGONAL = 10.5


def agree(crystals: Crystals, path: Path) -> None:
    want = columns_of(path)
    found = structural_validity(crystals)
    assert (want["constructed"] == "True").all()
    assert (failure_reasons(crystals) == "").all()
    np.testing.assert_array_equal(found.valid, want["struct_valid"] == "True")
    np.testing.assert_array_equal(crystals.counts, want["n_atoms"].astype(int))
    np.testing.assert_allclose(found.volume, want["volume"].astype(float), rtol=1e-6)
    np.testing.assert_allclose(densities(crystals), want["density"].astype(float), rtol=1e-6)
    distances = np.minimum(found.min_distance, DIAGONAL)
    np.testing.assert_allclose(distances, want["min_dist_cdvae"].astype(float), rtol=1e-6)
    # That column is the length of the shortest edge, which in a cell that is not reduced is not the shortest vector.
    edges = want["min_lattice_translation"].astype(float)
    assert (found.self_image_distance <= edges * (1 + 1e-6)).all()


@pytest.mark.parametrize("name", ["test_ref", "val", "cdvae", "llama-2-7B_1.0_0.7"])
def test_published_crystals(golden, name):
    agree(from_arrays(golden / f"arrays_{name}.jsonl.gz"), golden / f"rows_{name}.csv")


def test_prototypes():
    crystals = files.read(PROTOTYPES / "structures_prototypes.csv.gz", jobs=1)
    agree(crystals, PROTOTYPES / "rows_prototypes.csv")
    assert (~structural_validity(crystals).valid).sum() == 11
