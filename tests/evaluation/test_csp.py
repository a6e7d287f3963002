from __future__ import annotations

import numpy as np
import pytest

from nucleate import parallel
from nucleate.crystals import Crystals
from nucleate.evaluation import csp
from nucleate.evaluation.cells import Cell
from nucleate.evaluation.comparison import compare
from nucleate.evaluation.matching import match
from nucleate.evaluation.pairing import PairingError
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


def test_the_order_of_the_samples_does_not_matter_by_composition(reference_cells):
    """Each reference crystal has a composition of its own, so that the pairing is known."""
    rng = np.random.default_rng(9)
    cells = [reference_cells[i] for i in (0, 2, 3)]
    right = to_crystals([distorted(cell, rng, 0.02) for cell in cells])
    reference, turned = to_crystals(cells), right[[2, 0, 1]]
    want = csp.evaluate(right, reference, reference_name="")
    with pytest.raises(PairingError):
        csp.evaluate(turned, reference, reference_name="")
    found = csp.evaluate(turned, reference, reference_name="", pair="composition")
    assert found.metrics["k1"]["match_rate"] == 1
    assert unfiltered(found.metrics["k1"]) == pytest.approx(unfiltered(want.metrics["k1"]), rel=1e-12)
    assert (want.definition["pairing"], found.definition["pairing"]) == ({"by": "rows"}, {"by": "composition"})
    insisted = csp.evaluate(turned, reference, reference_name="", pair="rows")
    assert insisted.metrics["k1"]["match_rate"] == 0
    assert insisted.counts["pairing"]["other_composition"] == 3


def test_samples_of_a_composition_that_nobody_asked_for_take_no_place(reference_cells):
    """By composition: one right, one unreadable, one of another composition, and two reference crystals with none."""
    cells = [reference_cells[i] for i in (0, 2, 3)]
    silicon = random_cell(np.random.default_rng(3), [14, 14])
    lost = Crystals.failed(["unparseable"])
    samples = Crystals.concat([to_crystals([silicon]), lost, to_crystals([cells[1]])])
    reference = to_crystals(cells, material_id=["a", "b", "c"])
    result = csp.evaluate(samples, reference, reference_name="", pair="composition")
    assert result.metrics["k1"]["match_rate"] == result.metrics["k1"]["metre"] == pytest.approx(1 / 3)
    assert result.counts["failures"] == {"composition_not_in_reference": 1, "unparseable": 1, "no_prediction": 2}
    assert (result.counts["reference"]["asked"], result.counts["reference"]["without_prediction"]) == (3, 2)
    rows = result.rows
    assert rows["index"].tolist() == [None, None, 1, 0, 2]
    assert rows["rank"].tolist() == [None, None, 0, 0, 0]
    assert rows["reference_material_id"].tolist() == [None, None, "b", "a", "c"]
    assert result.to_table()["index"].to_pylist() == rows["index"].tolist()


def test_rows_carry_the_columns_of_the_input(reference_cells):
    """Also those that are called as columns of the table, or as its columns of the reference."""
    reference = to_crystals(reference_cells, file=["a", "b", "c", "d"], index_id=[7, 8, 9, 6], e=[0.1, 0.2, 0.3, 0.4])
    info = {"file": ["x.cif", "y.cif"], "rms": [1.5, 2.5], "reference_file": ["p", "q"], "e": [1, 2]}
    samples = to_crystals([reference_cells[0], reference_cells[2]], reference_index=[0, 2], **info)
    rows = csp.evaluate(samples, reference, reference_name="").rows
    assert rows["reference_file"].tolist() == ["a", "c", "b"]
    assert rows["reference_index_id"].tolist() == [7, 9, 8]
    assert rows["file"].tolist() == ["x.cif", "y.cif", None]
    assert rows["input_rms"].tolist() == [1.5, 2.5, None]
    assert rows["input_reference_file"].tolist() == ["p", "q", None]
    assert rows["e"].tolist() == [1, 2, None]
    assert rows["reference_index"].tolist() == [0, 2, None]
    assert "reference_e" not in rows


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
    table = ["index", "rank", "formula", "matched", "rms", "max_distance", "failure"]
    assert list(rows) == [*table, "reference_index", "input_rank"]
    assert rows["input_rank"].tolist() == rows["rank"].tolist()
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
