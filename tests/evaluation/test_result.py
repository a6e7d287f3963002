from __future__ import annotations

import json
from dataclasses import replace

import numpy as np

import nucleate
from nucleate.evaluation.intervals import Interval
from nucleate.evaluation.result import Result, relative_path, versions


def result() -> Result:
    return Result(
        task="csp",
        definition={"versions": versions("numpy", "no-such-library"), "tolerances": (0.3, np.float64(0.5))},
        counts={"requested": np.int64(2), "failures": {"unparseable": 1}},
        metrics={"k1": {"rmse": float("nan"), "match_rate": np.float32(0.5)}},
        rows={
            "index": np.arange(2),
            "rms": np.array([0.25, np.nan]),
            "matched": np.array([True, False]),
            "failure": np.array(["", "unparseable"], dtype=object),
        },
        intervals={"k1": {"match_rate": Interval(0.25, 0.75, np.float64(0.1))}},
    )


def test_json_is_plain():
    found = json.loads(result().to_json())
    assert found == {
        "format": 2,
        "task": "csp",
        "samples": None,
        "definition": {
            "versions": {"nucleate": nucleate.__version__, "numpy": np.__version__},
            "tolerances": [0.3, 0.5],
        },
        "counts": {"requested": 2, "failures": {"unparseable": 1}},
        "metrics": {"k1": {"rmse": None, "match_rate": 0.5}},
        "intervals": {"k1": {"match_rate": [0.25, 0.75, 0.1]}},
    }


def test_a_list_of_numbers_is_one_line_and_text_stays_as_it_is():
    odd = 'a list [\n 1,\n 2\n] of "numbers"'
    text = replace(result(), counts={"sizes": [1, 2, 3], "none": [], "texts": ["x", "y"], odd: odd}).to_json()
    assert '"sizes": [1, 2, 3],\n' in text
    assert '"match_rate": [0.25, 0.75, 0.1]\n' in text
    assert json.loads(text)["counts"] == {"sizes": [1, 2, 3], "none": [], "texts": ["x", "y"], odd: odd}


def test_samples_are_found_from_where_the_metrics_are(tmp_path):
    samples = tmp_path / "a" / "samples.cif"
    assert relative_path(samples, tmp_path / "b" / "c") == "../../a/samples.cif"
    assert relative_path(samples, tmp_path / "a") == "samples.cif"


def test_table_has_nulls_for_numbers_that_do_not_exist():
    table = result().to_table()
    assert table.column_names == ["index", "rms", "matched", "failure"]
    assert table.to_pylist()[1] == {"index": 1, "rms": None, "matched": False, "failure": "unparseable"}
