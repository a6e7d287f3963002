"""Coverage and diversity are what the published program said of its own fingerprints, crystal by crystal."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from nucleate.evaluation.composition_fingerprint import standardise
from nucleate.evaluation.coverage import CUTOFFS, Coverage, coverage
from nucleate.evaluation.diversity import mean_distance
from nucleate.evaluation.wasserstein import wasserstein
from tests.golden.published import NAMES, PROTOTYPES, columns_of

METRICS = ("cov_recall", "cov_precision", "amsd_recall", "amsd_precision", "amcd_recall", "amcd_precision")


def fingerprints(path: Path, crystals: int) -> tuple[np.ndarray, np.ndarray]:
    """Structure and standardised composition fingerprints of all crystals; NaN for those that have none."""
    with np.load(path) as file:
        tables = file["struct_fp"], standardise(file["comp_fp"])
        found = tuple(np.full((crystals, table.shape[1]), np.nan) for table in tables)
        for whole, table in zip(found, tables, strict=True):
            whole[file["row"]] = table
    return found[0], found[1]


def check(found: Coverage, want: dict[str, float]) -> None:
    assert {name: found.metrics[name] for name in METRICS} == pytest.approx({name: want[name] for name in METRICS})
    for side in ("recall", "precision"):
        assert 0 < found.metrics[f"cov_{side}_joint"] < found.metrics[f"cov_{side}"]


@pytest.mark.parametrize("name", NAMES[1:])
def test_published_crystals(golden, name):
    want = json.loads((golden / "metrics.json").read_text())["metrics"][name]
    rows, reference_rows = columns_of(golden / f"rows_{name}.csv"), columns_of(golden / f"recall_{name}.csv")
    structures, compositions = fingerprints(golden / f"fingerprints_{name}.npz", len(rows["row"]))
    reference = fingerprints(golden / "fingerprints_test_ref.npz", 1000)
    found = coverage(structures, compositions, *reference, CUTOFFS["mp-20"])
    check(found, want)

    distances = found.samples.structure, found.samples.composition
    for kind, distance in zip(("struct", "comp"), distances, strict=True):
        np.testing.assert_allclose(distance, rows[f"cov_{kind}_precision_dist"].astype(float), rtol=1e-12)
    theirs = reference_rows["ref_row"].astype(int)
    distances = found.reference.structure, found.reference.composition
    for kind, distance in zip(("struct", "comp"), distances, strict=True):
        np.testing.assert_allclose(distance[theirs], reference_rows[f"{kind}_recall_dist"].astype(float), rtol=1e-12)

    valid = rows["valid"] == "True"
    assert mean_distance(structures[valid]) == pytest.approx(want["struct_div"], rel=1e-12)
    assert mean_distance(compositions[valid]) == pytest.approx(want["comp_div"], rel=1e-12)


def test_prototypes():
    """One of the reference crystals has no fingerprint."""
    want = json.loads((PROTOTYPES / "metrics_prototypes.json").read_text())["metrics"]
    rows = columns_of(PROTOTYPES / "rows_prototypes.csv")
    structures, compositions = fingerprints(PROTOTYPES / "fingerprints_prototypes.npz", len(rows["row"]))
    samples, reference = slice(1, None, 2), slice(0, None, 2)
    found = coverage(structures[samples], compositions[samples], structures[reference], compositions[reference])
    check(found, want)
    assert found.reference.fingerprinted.sum() == want["n_reference_cov"] == 159
    valid = (rows["valid"] == "True")[samples]
    assert mean_distance(structures[samples][valid]) == pytest.approx(want["struct_div"], rel=1e-12)
    assert mean_distance(compositions[samples][valid]) == pytest.approx(want["comp_div"], rel=1e-12)


@pytest.mark.parametrize("name", NAMES[1:])
def test_wasserstein_distances(golden, name):
    want = json.loads((golden / "metrics.json").read_text())["metrics"][name]
    ours, theirs = columns_of(golden / f"rows_{name}.csv"), columns_of(golden / "rows_test_ref.csv")
    valid = ours["valid"] == "True"
    for column, key in (("density", "wdist_density"), ("n_elem", "wdist_num_elems")):
        values, reference = ours[column].astype(float), theirs[column].astype(float)
        assert wasserstein(values[valid], reference) == pytest.approx(want[key], rel=1e-9)
        assert wasserstein(values, reference) == pytest.approx(want[f"{key}_all"], rel=1e-9)
