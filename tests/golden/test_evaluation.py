"""The whole evaluation gives what the published program gave for the same files: the numbers, and row by row."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from nucleate import files
from nucleate.crystals import Crystals
from nucleate.evaluation import csp, dng
from nucleate.evaluation.result import Result
from tests.golden.published import NAMES, PROTOTYPES, columns_of

EXACT = {
    "structural_validity": "struct_valid",
    "composition_validity": "comp_valid",
    "validity": "valid",
    "cov_recall": "cov_recall",
    "cov_precision": "cov_precision",
}
CLOSE = {
    "wdist_density": "wdist_density",
    "wdist_density_valid": "wdist_density",
    "wdist_num_elements": "wdist_num_elems",
    "wdist_num_elements_valid": "wdist_num_elems",
    "composition_diversity": "comp_div",
    "amcd_recall": "amcd_recall",
    "amcd_precision": "amcd_precision",
}
FINGERPRINTS = {
    "structure_diversity": "struct_div",
    "amsd_recall": "amsd_recall",
    "amsd_precision": "amsd_precision",
}
"""Follow from structure fingerprints, a few of which the published program did not determine."""


MOVED = {"val": [117, 169, 451, 595], "cdvae": [], "llama-2-7B_1.0_0.7": [1, 397]}
"""Samples whose distance to the nearest structure is moved by rounding errors in the published fingerprints (see
test_structure_fingerprint.py), by up to 2.4e-3."""


def check(result: Result, want: dict[str, float]) -> None:
    found = result.metrics
    assert {name: found[name] for name in EXACT} == {name: want[theirs] for name, theirs in EXACT.items()}
    for names, tolerance in ((CLOSE, 1e-6), (FINGERPRINTS, 1e-4)):
        assert {name: found[name] for name in names} == pytest.approx(
            {name: want[theirs] for name, theirs in names.items()}, rel=tolerance
        )
    assert result.counts["valid"] == want["n_valid"]
    assert result.counts["requested"] == want["n_generated"]


@pytest.fixture(scope="module")
def reference(golden) -> Crystals:
    return files.read(golden / "structures_test_ref.csv.gz", jobs=1)


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Path:
    """Where the fingerprints of the reference are kept."""
    return tmp_path_factory.mktemp("kept")


@pytest.mark.parametrize("name", NAMES[1:])
def test_published_crystals(golden, reference, kept, name):
    want = json.loads((golden / "metrics.json").read_text())["metrics"][name]
    samples = files.read(golden / f"structures_{name}.csv.gz", jobs=1)
    result = dng.evaluate(samples, reference, reference_name="test_ref", keep_in=kept)
    check(result, want)

    rows = columns_of(golden / f"rows_{name}.csv")
    for found, theirs in (
        ("structural_valid", "struct_valid"),
        ("composition_valid", "comp_valid"),
        ("valid", "valid"),
    ):
        np.testing.assert_array_equal(result.rows[found], rows[theirs] == "True")
    np.testing.assert_allclose(result.rows["density"], rows["density"].astype(float), rtol=1e-6)
    theirs = rows["cov_comp_precision_dist"].astype(float)
    np.testing.assert_allclose(result.rows["cov_composition_distance"], theirs, rtol=1e-12, atol=1e-12)
    apart = np.abs(result.rows["cov_structure_distance"] - rows["cov_struct_precision_dist"].astype(float))
    assert np.flatnonzero(apart > 1e-4).tolist() == MOVED[name]
    assert apart.max() < 2.4e-3


def prototypes() -> Crystals:
    return files.read(PROTOTYPES / "structures_prototypes.csv.gz", jobs=1)


def test_prototypes():
    want = json.loads((PROTOTYPES / "metrics_prototypes.json").read_text())["metrics"]
    crystals = prototypes()
    result = dng.evaluate(crystals[1::2], crystals[0::2], reference_name="even rows")
    check(result, want)
    assert result.counts["reference"]["fingerprinted"] == want["n_reference_cov"]


def test_predictions_of_prototypes():
    want = json.loads((PROTOTYPES / "metrics_prototypes.json").read_text())["metrics"]["csp"]
    predictions = files.read(PROTOTYPES / "structures_prototypes_predicted.csv.gz", jobs=1)
    result = csp.evaluate(predictions, prototypes()[: want["n"]], reference_name="prototypes")
    assert result.metrics["k1"]["match_rate"] == want["match_rate_unfiltered"]
    assert result.metrics["k1"]["rmse"] == pytest.approx(want["rmse"], rel=1e-6)


@pytest.mark.parametrize("sigma", ["0.03", "0.1"])
def test_published_predictions(golden, reference, kept, sigma):
    want = json.loads((golden / "csp_metrics.json").read_text())["results"][f"sigma{sigma}"]
    rows = columns_of(golden / f"csp_sigma{sigma}.csv")
    predictions = files.read(golden / f"structures_csp_sigma{sigma}.csv.gz", jobs=1)
    result = csp.evaluate(predictions, reference, reference_name="test_ref", keep_in=kept, jobs=2)
    found = result.metrics["k1"]
    assert found["match_rate"] == want["match_rate_ungated"]
    assert found["match_rate_filtered"] == want["match_rate_diffcsp_gate_both_valid"]
    assert found["rmse"] == pytest.approx(want["rmse_ungated"], rel=1e-6)
    assert found["rmse_filtered"] == pytest.approx(want["rmse_diffcsp_gate"], rel=1e-6)
    assert result.counts["valid"] == (rows["pred_valid"] == "True").sum()
    assert result.counts["reference"]["valid"] == (rows["gt_valid"] == "True").sum()
