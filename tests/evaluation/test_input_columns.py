from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import csv

from nucleate.crystals import Crystals
from nucleate.evaluation.input_columns import of_reference, with_samples
from nucleate.evaluation.result import Result

ROWS = {"index": np.arange(2), "rms": np.array([0.5, np.nan]), "failure": np.array(["", "lost"], dtype=object)}


def crystals(**info) -> Crystals:
    count = len(next(iter(info.values())))
    return Crystals.build([[6]] * count, [[[0, 0, 0]]] * count, [np.eye(3)] * count, info)


@given(st.sets(st.from_regex(r"(input_){0,3}(index|rms|file|input)", fullmatch=True), min_size=1))
def test_no_column_is_lost_or_renamed_without_need(names):
    samples = crystals(**{name: [f"{name} 0", f"{name} 1"] for name in sorted(names)})
    table = with_samples(ROWS, samples)
    assert {name: table[name] is ROWS[name] for name in ROWS} == dict.fromkeys(ROWS, True)
    added = {name: column.tolist() for name, column in table.items() if name not in ROWS}
    assert sorted(map(str, added.values())) == sorted(str([f"{name} 0", f"{name} 1"]) for name in names)
    for name, values in added.items():
        was = values[0].removesuffix(" 0")
        assert name == (f"input_{was}" if was.replace("input_", "") in ROWS else was)


def test_failures_are_those_of_the_table():
    table = with_samples(ROWS, crystals(failure=["", "unparseable"], detail=["", "line 3"]))
    assert list(table) == [*ROWS, "detail"]
    assert table["failure"] is ROWS["failure"]


ODD = {
    "text": ['a, "b"\nc', None, ""],
    "numbers": [1, None, 2],
    "exact": [2**62 + 1, None, 3],
    "large": [2**64, 1, None],
    "truth": [True, None, False],
    "mixed": [1, "x", None],
    "lists": [[1, 2], {"a": 1}, None],
    "nothing": [None, None, None],
    "floats": [0.5, None, 1],
}


@pytest.mark.parametrize("more", [0, 2])
def test_odd_columns_go_into_tables(more):
    rows = with_samples({}, crystals(**ODD), more)
    table = Result(task="dng", definition={}, counts={}, metrics={}, rows=rows).to_table()
    want = {
        **{name: ODD[name] for name in ("text", "numbers", "exact", "truth", "nothing", "floats")},
        "large": [str(2**64), "1", None],
        "mixed": ["1", "x", None],
        "lists": ["[1, 2]", '{"a": 1}', None],
    }
    assert table.to_pydict() == {name: [*want[name], *[None] * more] for name in ODD}
    sink = io.BytesIO()
    pq.write_table(table, sink)
    assert pq.read_table(io.BytesIO(sink.getvalue())).to_pydict() == table.to_pydict()
    sink = io.BytesIO()
    csv.write_csv(table, sink)
    options = csv.ConvertOptions(column_types=table.schema, strings_can_be_null=True, quoted_strings_can_be_null=False)
    again = csv.read_csv(
        io.BytesIO(sink.getvalue()),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=options,
    )
    assert again.to_pydict() == table.to_pydict()


def test_names_of_the_reference():
    info = {
        "material_id": ["a", "a", "b"],
        "label": ["x", "y", "z"],
        "energy": [0.1, 0.2, 0.3],
        "group": ["p", "p", "q"],
    }
    found = of_reference(crystals(**info), np.array([2, -1, 0, 2]))
    assert {name: column.tolist() for name, column in found.items()} == {
        "reference_material_id": ["b", None, "a", "b"],
        "reference_label": ["z", None, "x", "z"],
    }
    assert pa.array(found["reference_label"]).null_count == 1
