"""Space groups are those that the Materials Project gives, which used spglib with the same tolerance."""

from __future__ import annotations

import csv
import gzip

import numpy as np

from nucleate.evaluation.space_groups import space_groups
from tests.golden.published import columns_of, from_arrays


def test_of_the_materials_project(golden, shared):
    """Where they differ, pseudosymmetry is at the edge of the tolerance."""
    crystals = from_arrays(golden / "arrays_val.jsonl.gz")[:300]
    ids = columns_of(golden / "rows_val.csv")["material_id"][:300]
    with gzip.open(shared / "data" / "mp_20" / "val.csv.gz", "rt") as text:
        groups = {row["material_id"]: int(row["spacegroup.number"]) for row in csv.DictReader(text)}
    want = np.array([groups[name] for name in ids])
    found = space_groups(crystals)
    assert (found == want).mean() > 0.98
    assert (found > 0).all()
