from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from nucleate.errors import UserError
from nucleate.report.comparison.entry import Number, looks_like_metrics, named_apart, read
from tests.report.comparison.conftest import csp, dng, entry


def test_what_is_written_is_read(write, tmp_path):
    found = read(write("a", dng(0.75, samples="../x/samples.cif")), "model")
    assert (found.name, found.task) == ("model", "dng")
    assert found.samples == tmp_path / "../x/samples.cif"
    assert found.number("validity") == Number(0.75, 0.73, 0.77)
    assert found.number("composition_diversity") == Number(15.0, None, None)
    assert found.number("nothing") is None
    assert found.distribution("density")["histogram"]["width"] == 0.5
    assert read(write("b", csp(0.5)), "b").number("k1.match_rate") == Number(0.5, 0.45, 0.55)
    assert read(write("c", csp(metrics__k1__rmse=None)), "c").number("k1.rmse") is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is not JSON"),
        ("[1, 2]", "is no metrics file"),
        ('{"task": "dng"}', "is no metrics file"),
        ('{"task": "dng", "definition": {}, "counts": {}, "metrics": {}}', "has layout 1 of metrics, and this is 2"),
        ('{"format": 9, "task": "dng", "definition": {}, "counts": {}, "metrics": {}}', "evaluate the samples again"),
        ('{"format": 2, "task": "melt", "definition": {}, "counts": {}, "metrics": {}}', "its task is 'melt'"),
        ('{"format": 2, "task": "dng", "definition": 1, "counts": {}, "metrics": {}}', "is no metrics file"),
    ],
)
def test_what_is_no_metrics_file(tmp_path, text, says):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(UserError, match=says):
        read(path, "a")


def test_a_file_that_is_not_there():
    with pytest.raises(UserError, match="No such file"):
        read(Path("nowhere.json"), "a")


def test_metrics_are_told_from_structures(write, tmp_path):
    assert looks_like_metrics(write("a", dng()))
    assert looks_like_metrics(write("old", {"task": "dng", "metrics": {}}))
    assert not looks_like_metrics(write("structure", {"@class": "Structure", "lattice": {}}))
    assert not looks_like_metrics(tmp_path)
    text = tmp_path / "a.cif"
    text.write_text('{"task": "dng", "metrics": {}}')
    assert not looks_like_metrics(text)


def test_rows_of_one_name_get_those_of_their_folders():
    first, second = (replace(entry("metrics", dng()), path=Path(folder) / "metrics.json") for folder in ("one", "two"))
    found = named_apart([first, second, entry("metrics", csp())], [False] * 3)
    assert [row.name for row in found] == ["one/metrics", "two/metrics", "metrics"]


def test_a_file_twice_and_a_name_twice():
    row = entry("a", dng())
    for given in (True, False):
        with pytest.raises(UserError, match=r"a\.json is there twice"):
            named_apart([row, row], [given, given])
    assert [r.name for r in named_apart([row, replace(row, name="b")], [False, True])] == ["a", "b"]
    with pytest.raises(UserError, match="two rows are called 'a'"):
        named_apart([row, replace(row, path=Path("b.json"))], [True, True])
