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
    assert result.metrics["unusable"] == pytest.approx(2 / 5)
    assert result.counts == {
        "requested": 5,
        "parsed": 4,
        "built": 3,
        "failures": {"unparseable": 1, "zero_volume": 1},
        "structural_valid": 2,
        "reference": {"crystals": 2, "built": 2},
    }
    assert result.definition["seed"] == 3


def test_distributions(crystals):
    found = dng.evaluate(crystals, crystals[:2], reference_name="").metrics["distributions"]
    assert found["num_elements"]["samples"] == pytest.approx({"1": 2 / 3, "2": 1 / 3})
    assert found["num_elements"]["reference"] == {"1": 0.5, "2": 0.5}
    density = found["density"]["reference"]
    assert density["min"] <= density["median"] <= density["max"]
    nothing = dng.evaluate(crystals, crystals[3:], reference_name="").metrics["distributions"]
    assert nothing["density"]["reference"] == nothing["num_elements"]["reference"] == {}


def test_rows(crystals):
    rows = dng.columns(crystals)
    assert list(rows) == [
        *("index", "formula", "num_atoms", "failure", "structural_valid", "density", "volume", "num_elements"),
        *("min_distance", "self_image_distance"),
    ]
    assert {len(column) for column in rows.values()} == {5}
    assert rows["num_elements"].tolist() == [2, 1, 1, 0, 0]
    assert np.isnan(rows["density"]).tolist() == [False, False, False, True, True]
    assert rows["self_image_distance"][:3] == pytest.approx([4, 4, 0.6])


def test_no_samples(crystals):
    with pytest.raises(UserError, match="no samples"):
        dng.evaluate(Crystals.empty(), crystals, reference_name="")
