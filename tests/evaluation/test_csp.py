from __future__ import annotations

import numpy as np
import pytest

from nucleate import parallel
from nucleate.crystals import Crystals
from nucleate.evaluation import csp
from nucleate.evaluation.cells import Cell
from nucleate.evaluation.comparison import compare
from nucleate.evaluation.matching import match
from nucleate.evaluation.reduction import reduced_cell
from tests.evaluation.conftest import distorted, random_cell, to_crystals

NUMBERS = [[8, 8, 22], [22, 8, 8], [11, 17], [6, 6]]


@pytest.fixture(scope="module")
def reference_cells():
    rng = np.random.default_rng(5)
    first, second, *others = (random_cell(rng, numbers) for numbers in NUMBERS)
    # Two crystals of one composition that are nothing like each other.
    return [first, second._replace(lattice=np.diag([2.0, 2.5, 9.0])), *others]


@pytest.fixture(scope="module")
def reference(reference_cells):
    return to_crystals(reference_cells)


def rms(first, second) -> float:
    return match(reduced_cell(first), reduced_cell(second)).rms


@pytest.fixture(scope="module")
def samples(reference_cells):
    """Two predictions each: 0 right, worse; 1 is predicted as 0 looks, and vice versa; 2 lost, right; 3 wrong."""
    rng = np.random.default_rng(6)
    a, b, c, _ = reference_cells
    cells = [distorted(a, rng, 0.02), distorted(a, rng, 0.1), distorted(a, rng, 0.02), distorted(b, rng, 0.05)]
    cells += [distorted(c, rng, 0.05), random_cell(rng, [14, 14]), random_cell(rng, [14, 14])]
    built = to_crystals(cells, reference_index=[0, 0, 1, 1, 2, 3, 3], rank=[0, 1, 0, 1, 1, 0, 1])
    lost = Crystals.failed(["unparseable"], {"reference_index": [2], "rank": [0]})
    return cells, Crystals.concat([built, lost])


def unfiltered(metrics) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if not name.endswith("_filtered")}


def test_metrics_by_hand(reference_cells, reference, samples):
    cells, crystals = samples
    a, b, c, _ = reference_cells
    result = csp.evaluate(crystals, reference, reference_name="four")
    first = rms(cells[0], a)
    assert match(reduced_cell(cells[2]), reduced_cell(b)) is None
    best = [min(first, rms(cells[1], a)), rms(cells[3], b), rms(cells[4], c)]
    assert unfiltered(result.metrics["k1"]) == pytest.approx(
        {"match_rate": 1 / 4, "rmse": first, "metre": 1 / 4, "crmse": (first + 3 * 0.5) / 4}
    )
    assert unfiltered(result.metrics["kN"]) == pytest.approx(
        {"match_rate": 3 / 4, "rmse": np.mean(best), "metre": 3 / 4, "crmse": (sum(best) + 0.5) / 4}
    )
    assert result.definition["k"] == 2
    assert result.counts["requested"] == 8
    assert result.counts["failures"] == {"unparseable": 1}


def test_metre_counts_what_another_sample_found(reference_cells, reference):
    rng = np.random.default_rng(7)
    a, b, c, _ = reference_cells
    # The predictions of the two TiO2 are exchanged, so that neither finds its own.
    crystals = to_crystals([distorted(cell, rng, 0.02) for cell in (b, a, c)] + [random_cell(rng, [14, 14])])
    metrics = csp.evaluate(crystals, reference, reference_name="").metrics["k1"]
    assert metrics["match_rate"] == 1 / 4
    assert metrics["metre"] == 3 / 4


def test_filtered_numbers_come_with_validity(reference, samples):
    _, crystals = samples
    comparison = compare(crystals, reference)
    everything = csp.metrics(comparison, 2)
    assert set(everything) == {"match_rate", "rmse", "metre", "crmse"}
    valid, both = np.ones(len(crystals), dtype=bool), np.ones(4, dtype=bool)
    same = csp.metrics(comparison, 2, prediction_valid=valid, reference_valid=both)
    assert same["match_rate_filtered"] == everything["match_rate"]
    assert same["rmse_filtered"] == everything["rmse"]
    without = csp.metrics(
        comparison, 2, prediction_valid=valid & (np.arange(8) != 3), reference_valid=np.array([False, True, True, True])
    )
    assert without["match_rate_filtered"] == 1 / 4
    assert without["rmse_filtered"] == comparison.rms[4]
    assert without["match_rate"] == everything["match_rate"]


def test_only_what_is_valid_counts_in_the_filtered_numbers():
    """Rock salt, found; NaCl₂, found but never neutral; rock salt, predicted with one atom on the other."""
    salt = Cell(np.array([11, 17]), np.array([[0, 0, 0], [0.5, 0.5, 0.5]]), np.eye(3) * 3.5)
    charged = Cell(np.array([11, 17, 17]), np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5]]), np.eye(3) * 5)
    crowded = salt._replace(frac=np.array([[0, 0, 0], [0.1, 0, 0]]))
    result = csp.evaluate(to_crystals([salt, charged, crowded]), to_crystals([salt, charged, salt]), reference_name="")
    assert result.metrics["k1"]["match_rate"] == pytest.approx(2 / 3)
    assert result.metrics["k1"]["match_rate_filtered"] == pytest.approx(1 / 3)
    assert result.counts["valid"] == 1
    assert result.counts["reference"]["valid"] == 2


def test_a_reference_without_a_sample_is_a_miss(reference_cells, reference):
    crystals = to_crystals([reference_cells[0], reference_cells[2]], reference_index=[0, 2])
    result = csp.evaluate(crystals, reference, reference_name="")
    assert result.metrics["k1"]["match_rate"] == pytest.approx(2 / 3)
    assert result.counts["failures"] == {"no_prediction": 1}
    counts = result.counts["reference"]
    assert (counts["crystals"], counts["asked"], counts["without_prediction"], counts["failures"]) == (4, 3, 1, {})
    assert result.rows["index"].tolist() == [0, 2, 1]
    assert result.rows["failure"].tolist() == ["", "", "no_prediction"]


def test_a_reference_that_is_none_is_a_miss(reference_cells):
    reference = Crystals.concat([to_crystals(reference_cells[:1]), Crystals.failed(["not_finite"])])
    result = csp.evaluate(to_crystals(reference_cells[:1] * 2), reference, reference_name="")
    assert result.metrics["k1"]["match_rate"] == 0.5
    assert result.counts["failures"] == {"no_reference": 1}
    assert result.counts["reference"]["failures"] == {"not_finite": 1}


def test_nothing_matches(reference):
    rng = np.random.default_rng(8)
    wrong = to_crystals([random_cell(rng, [14]) for _ in range(4)])
    metrics = csp.evaluate(wrong, reference, reference_name="").as_dict()["metrics"]["k1"]
    assert unfiltered(metrics) == {"match_rate": 0.0, "rmse": None, "metre": 0.0, "crmse": 0.5}
    assert (metrics["match_rate_filtered"], metrics["rmse_filtered"]) == (0.0, None)


def test_rows(reference, samples):
    _, crystals = samples
    rows = csp.evaluate(crystals, reference, reference_name="").rows
    assert list(rows) == ["index", "rank", "formula", "matched", "rms", "max_distance", "failure"]
    assert rows["matched"].tolist() == [True, True, False, True, True, False, False, False]
    assert (np.isfinite(rows["rms"]) == rows["matched"]).all()
    assert (rows["max_distance"][rows["matched"]] >= rows["rms"][rows["matched"]]).all()
    assert rows["formula"][0] == "TiO2"


def test_processes_change_nothing(reference, samples, monkeypatch):
    _, crystals = samples
    alone = csp.evaluate(crystals, reference, reference_name="")
    monkeypatch.setattr(parallel, "ITEMS_PER_WORKER", 1)
    shares = []
    many = csp.evaluate(crystals, reference, reference_name="", jobs=2, on_progress=lambda x, _: shares.append(x))
    assert many.as_dict() == alone.as_dict()
    assert shares == sorted(shares)
    for name, column in alone.rows.items():
        np.testing.assert_array_equal(many.rows[name], column)


def test_every_number_lies_in_its_interval(reference, samples):
    _, crystals = samples
    result = csp.evaluate(crystals, reference, reference_name="")
    for k in ("k1", "kN"):
        known = {name: value for name, value in result.metrics[k].items() if np.isfinite(value)}
        assert set(result.intervals[k]) == set(known)
        for name, (low, high, _) in result.intervals[k].items():
            assert low <= known[name] <= high, (k, name)


def test_what_was_found_by_size_and_distance(reference, samples):
    _, crystals = samples
    metrics = csp.evaluate(crystals, reference, reference_name="").metrics
    sizes = {name: column.tolist() for name, column in metrics["found_by_size"].items()}
    assert sizes == {"num_atoms": [2, 3], "crystals": [2, 2], "first": [0, 1], "best": [1, 2]}
    assert metrics["rms_histogram"]["first"].sum() == 1
    assert metrics["rms_histogram"]["best"].sum() == 3
