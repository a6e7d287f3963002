from __future__ import annotations

import numpy as np
import pytest

from nucleate.crystals import Crystals
from nucleate.errors import UserError
from nucleate.evaluation import dng
from tests.evaluation.conftest import random_cell, to_crystals


@pytest.fixture
def crystals():
    rng = np.random.default_rng(0)
    spread = Crystals.build([[11, 17], [14]], [[[0, 0, 0], [0.5, 0.5, 0.5]], [[0, 0, 0]]], [np.eye(3) * 4] * 2)
    crowded = to_crystals([random_cell(rng, [8] * 3)._replace(lattice=np.eye(3) * 0.6)])
    return Crystals.concat([spread, crowded, Crystals.failed(["unparseable", "zero_volume"])])


def test_every_sample_counts(crystals):
    result = dng.evaluate(crystals, crystals[:2], reference_name="two", seed=3)
    assert result.metrics["structural_validity"] == 2 / 5
    assert result.metrics["composition_validity"] == 3 / 5
    assert result.metrics["validity"] == 2 / 5
    assert result.metrics["unusable"] == pytest.approx(2 / 5)
    assert result.counts == {
        "requested": 5,
        "parsed": 4,
        "built": 3,
        "failures": {"unparseable": 1, "zero_volume": 1},
        "structural_valid": 2,
        "composition_valid": 3,
        "fingerprinted": 3,
        "valid": 2,
        "reference": {
            "crystals": 2,
            "built": 2,
            "structural_valid": 2,
            "composition_valid": 2,
            "fingerprinted": 2,
            "valid": 2,
        },
    }
    assert result.definition["seed"] == 3


def test_samples_that_are_the_reference(crystals):
    found = dng.evaluate(crystals[:2], crystals[:2], reference_name="", training=crystals[:1], training_name="one")
    metrics = found.metrics
    for name in ("cov_recall", "cov_precision", "cov_recall_joint", "cov_precision_joint", "uniqueness"):
        assert metrics[name] == 1
    for name in ("amsd_recall", "amsd_precision", "amcd_recall", "amcd_precision", "wdist_density"):
        assert metrics[name] == pytest.approx(0, abs=1e-12)
    assert metrics["novelty"] == metrics["unique_novel_valid"] == 1 / 2
    assert found.rows["novel"].tolist() == [False, True]
    assert found.definition["training"] == "one"
    assert metrics["reference"]["structure_diversity"] == metrics["structure_diversity"]


def test_what_failed_is_not_covered_and_neither_unique_nor_novel(crystals):
    batch = Crystals.concat([crystals[:1], crystals[:1], crystals[3:]])
    found = dng.evaluate(batch, crystals[:2], reference_name="", training=crystals[1:2])
    assert found.metrics["cov_precision"] == 2 / 4
    assert found.metrics["cov_recall"] == 1 / 2
    assert found.rows["unique"].tolist() == [True, False, False, False]
    assert found.rows["novel"].tolist() == [True, True, False, False]
    assert found.metrics["unique_novel_valid"] == 1 / 4


def test_distributions(crystals):
    found = dng.evaluate(crystals, crystals[:2], reference_name="").metrics["distributions"]
    assert found["num_elements"]["samples"] == pytest.approx({"1": 2 / 3, "2": 1 / 3})
    assert found["num_elements"]["reference"] == {"1": 0.5, "2": 0.5}
    density = found["density"]["reference"]
    assert density["min"] <= density["median"] <= density["max"]
    assert found["volume_per_atom"]["reference"]["max"] == 64
    assert found["crystal_system"]["reference"] == {"cubic": 1.0}
    assert found["p1"]["reference"] == 0
    nothing = dng.evaluate(crystals, crystals[3:], reference_name="")
    assert nothing.metrics["distributions"]["density"]["reference"] == {}
    assert nothing.as_dict()["metrics"]["cov_recall"] is None


def test_rows(crystals):
    rows = dng.evaluate(crystals, crystals[:2], reference_name="").rows
    assert {len(column) for column in rows.values()} == {5}
    assert rows["num_elements"].tolist() == [2, 1, 1, 0, 0]
    assert np.isnan(rows["density"]).tolist() == [False, False, False, True, True]
    assert rows["self_image_distance"][:3] == pytest.approx([4, 4, 0.6])
    assert rows["cov_structure_distance"][:2] == pytest.approx([0, 0])
    assert np.isnan(rows["cov_composition_distance"]).tolist() == [False] * 3 + [True] * 2


def test_progress_goes_up_to_the_end(crystals):
    told = []

    def listen(share, line):
        told.append((share, line))

    dng.evaluate(crystals, crystals[:2], reference_name="", training=crystals, on_progress=listen)
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert list(dict.fromkeys(line for _, line in told)) == list(dng.STEPS)


def test_no_samples(crystals):
    with pytest.raises(UserError, match="no samples"):
        dng.evaluate(Crystals.empty(), crystals, reference_name="")


def test_every_rate_and_distance_lies_in_its_interval(crystals):
    found = dng.evaluate(crystals, crystals[:2], reference_name="two", training=crystals[:1], seed=3)
    no_interval = {"composition_diversity", "structure_diversity", "distributions", "reference", "validity_by_size"}
    assert set(found.intervals) == set(found.metrics) - no_interval
    for name, (low, high, error) in found.intervals.items():
        assert low <= found.metrics[name] <= high, name
        assert error >= 0
    assert found.definition["intervals"]["resamples"] == 1000


def test_histograms_and_sizes_count_what_was_built(crystals):
    metrics = dng.evaluate(crystals, crystals[:2], reference_name="").metrics
    density = metrics["distributions"]["density"]["histogram"]
    assert density["samples"].sum() == 3
    assert density["samples"][-1] == 1  # the crowded one
    assert metrics["distributions"]["volume_per_atom"]["histogram"]["reference"].sum() == 2
    sizes = {name: column.tolist() for name, column in metrics["validity_by_size"]["samples"].items()}
    assert sizes == {
        "num_atoms": [1, 2, 3],
        "crystals": [1, 1, 1],
        "structural_valid": [1, 1, 0],
        "composition_valid": [1, 1, 1],
        "valid": [1, 1, 0],
    }
