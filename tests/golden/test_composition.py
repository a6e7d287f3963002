"""Composition validity and Magpie fingerprints are those that the published programs gave, row by row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nucleate import files
from nucleate.crystals import Crystals
from nucleate.evaluation import oxidation_states
from nucleate.evaluation.composition_fingerprint import composition_fingerprints
from nucleate.evaluation.composition_validity import composition_validity
from tests.golden.published import NAMES, PROTOTYPES, columns_of, from_arrays


def agree(crystals: Crystals, path: Path) -> None:
    want = columns_of(path)["comp_valid"] == "True"
    np.testing.assert_array_equal(composition_validity(crystals, oxidation_states.load()), want)


@pytest.mark.parametrize("name", NAMES)
def test_validity_of_published_crystals(golden, name):
    agree(from_arrays(golden / f"arrays_{name}.jsonl.gz"), golden / f"rows_{name}.csv")


def test_validity_of_prototypes():
    agree(files.read(PROTOTYPES / "structures_prototypes.csv.gz", jobs=1), PROTOTYPES / "rows_prototypes.csv")


def test_the_table_of_a_later_release_changes_the_rate(golden):
    crystals = from_arrays(golden / "arrays_cdvae.jsonl.gz")
    tables = [oxidation_states.load(name) for name in oxidation_states.NAMES]
    rates = {table.name: float(composition_validity(crystals, table).mean()) for table in tables}
    assert rates == {"smact_2_2_1": 1.0, "smact14": 1.0, "icsd24": 0.924}


def fingerprints_agree(crystals: Crystals, path: Path) -> None:
    with np.load(path) as want:
        found = composition_fingerprints(crystals)[want["row"]]
        np.testing.assert_allclose(found, want["comp_fp"], rtol=1e-12, atol=1e-10)


@pytest.mark.parametrize("name", NAMES)
def test_fingerprints_of_published_crystals(golden, name):
    fingerprints_agree(from_arrays(golden / f"arrays_{name}.jsonl.gz"), golden / f"fingerprints_{name}.npz")


def test_fingerprints_of_prototypes():
    crystals = files.read(PROTOTYPES / "structures_prototypes.csv.gz", jobs=1)
    fingerprints_agree(crystals, PROTOTYPES / "fingerprints_prototypes.npz")
