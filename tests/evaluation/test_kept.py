from __future__ import annotations

import numpy as np
import pytest

from nucleate.crystals import Crystals
from nucleate.evaluation.kept import content_hash, kept
from nucleate.evaluation.structure_fingerprint import StructureFingerprints
from tests.evaluation.conftest import random_cell, to_crystals


@pytest.fixture
def crystals():
    rng = np.random.default_rng(0)
    return Crystals.concat([to_crystals([random_cell(rng, [8, 22]), random_cell(rng, [14])]), Crystals.failed(["x"])])


class Computation:
    """Counts how often it is done."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> StructureFingerprints:
        self.times += 1
        values = np.array([[0.1 + self.times, 1 / 3], [np.nan, np.nan], [1e-300, 2.0]])
        return StructureFingerprints(values, np.array(["", "no_fingerprint", "x"], dtype=object))


def test_computed_once(tmp_path, crystals):
    compute = Computation()
    first = kept(tmp_path / "new", crystals, compute)
    again = kept(tmp_path / "new", crystals.with_info(name=["a", "b", "c"]), compute)
    assert compute.times == 1
    np.testing.assert_array_equal(again.values, first.values)
    assert again.failures.tolist() == ["", "no_fingerprint", "x"]
    assert again.failures.dtype == object


def test_other_crystals_are_others(tmp_path, crystals):
    compute = Computation()
    for other in (crystals, crystals[[1, 0, 2]], crystals.with_info(failure=["", "y", "x"])):
        kept(tmp_path, other, compute)
    assert compute.times == 3
    moved = Crystals(crystals.numbers, crystals.frac + 1e-16, crystals.lattice, crystals.counts, crystals.info)
    assert (content_hash(moved) == content_hash(crystals)) == bool((moved.frac == crystals.frac).all())


def test_nothing_is_kept_without_a_folder(crystals):
    compute = Computation()
    kept(None, crystals, compute)
    kept(None, crystals, compute)
    assert compute.times == 2


def test_a_damaged_file_is_replaced(tmp_path, crystals):
    compute = Computation()
    kept(tmp_path, crystals, compute)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:100])
    with pytest.warns(UserWarning, match="damaged"):
        kept(tmp_path, crystals, compute)
    kept(tmp_path, crystals, compute)
    assert compute.times == 2


def test_a_folder_that_cannot_be_written_costs_only_time(tmp_path, crystals):
    (tmp_path / "file").write_text("in the way")
    with pytest.warns(UserWarning, match="not kept"):
        found = kept(tmp_path / "file", crystals, Computation())
    assert found.values.shape == (3, 2)
