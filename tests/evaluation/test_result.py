from __future__ import annotations

import json

import numpy as np

import nucleate
from nucleate.evaluation.result import Result, versions


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
    )


def test_json_is_plain():
    found = json.loads(result().to_json())
    assert found == {
        "task": "csp",
        "definition": {
            "versions": {"nucleate": nucleate.__version__, "numpy": np.__version__},
            "tolerances": [0.3, 0.5],
        },
        "counts": {"requested": 2, "failures": {"unparseable": 1}},
        "metrics": {"k1": {"rmse": None, "match_rate": 0.5}},
    }


def test_table_has_nulls_for_numbers_that_do_not_exist():
    table = result().to_table()
    assert table.column_names == ["index", "rms", "matched", "failure"]
    assert table.to_pylist()[1] == {"index": 1, "rms": None, "matched": False, "failure": "unparseable"}
