"""Samples of other tools are judged whatever is broken among them, and what is whole gets the numbers it has alone."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest

from nucleate import files
from nucleate.cli import main
from nucleate.datasets import load
from tests.cli.foreign import WRITERS, mixed

WHOLE, BROKEN = 60, 30

# Says nothing about a crystal by itself.
PLACES = {"index", "unique", "file", "detail", "material_id"}


def judged(path, reference, folder):
    folder.mkdir()
    out, rows = folder / "metrics.json", folder / "rows.parquet"
    arguments = ["evaluate", "dng", path, "--reference", reference, "--out", out, "--per-crystal", rows, "--jobs", 1]
    assert main(list(map(str, arguments))) == 0
    return json.loads(out.read_text()), pq.read_table(rows).to_pylist()


@pytest.mark.parametrize("kind", WRITERS)
def test_thirty_broken_crystals(tmp_path, kind):
    reference = tmp_path / "reference.parquet"
    files.write(load("prototypes", "test")[:20], reference)
    structures, kinds, whole = mixed(load("prototypes", "train")[:WHOLE], BROKEN)
    everything, alone = tmp_path / f"everything.{kind}", tmp_path / f"alone.{kind}"
    WRITERS[kind](everything, structures, kinds)
    WRITERS[kind](alone, [structures[row] for row in whole], {})

    found, rows = judged(everything, reference, tmp_path / "everything")
    _, want = judged(alone, reference, tmp_path / "alone")
    assert found["counts"]["requested"] == len(rows) == len(structures)
    assert sum(found["counts"]["failures"].values()) == BROKEN
    assert {row["index"] for row in rows if row["failure"]} == kinds.keys()
    assert found["counts"]["failures"]["too_many_atoms"] == 3
    assert found["metrics"]["validity"] == pytest.approx(sum(row["valid"] for row in want) / len(structures))
    for row, there in zip(whole, want, strict=True):
        assert {**rows[row], **dict.fromkeys(PLACES)} == {**there, **dict.fromkeys(PLACES)}
