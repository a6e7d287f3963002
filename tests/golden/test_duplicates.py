"""Whether two crystals are alike is decided as pymatgen's `fit` does, on pairs that are hard to tell."""

from __future__ import annotations

import json

import pytest
from pymatgen.analysis.structure_matcher import StructureMatcher

from nucleate.evaluation.duplicates import TOLERANCES
from nucleate.evaluation.matching import fits
from nucleate.evaluation.reduction import reduced_cell
from tests.evaluation.conftest import installed, to_structure  # noqa: F401
from tests.golden.published import from_arrays
from tests.golden.test_csp import cell, cells, from_cif, table


def agree(pairs, convention) -> list[bool]:
    matcher = StructureMatcher(ltol=TOLERANCES.length, stol=TOLERANCES.site, angle_tol=TOLERANCES.angle)
    want = [matcher.fit(to_structure(first), to_structure(second)) for first, second in pairs]
    found = [fits(reduced_cell(a, convention), reduced_cell(b, convention), TOLERANCES) for a, b in pairs]
    assert found == want
    return found


@pytest.mark.parametrize("sigma", ["0.03", "0.1"])
def test_distorted_crystals(golden, installed, sigma):  # noqa: F811
    rows = table(golden / f"structures_csp_sigma{sigma}.csv.gz")
    columns = ("lengths", "angles", "atom_types", "frac_coords")
    predictions = [cell(*(json.loads(row[column]) for column in columns)) for row in rows[::20]]
    references = cells(from_arrays(golden / "arrays_test_ref.jsonl.gz")[::20])
    found = agree(list(zip(predictions, references, strict=True)), installed)
    assert 0 < sum(found) < len(found)


def test_polymorphs_in_both_orders(golden, installed):  # noqa: F811
    rows = table(golden / "structures_polymorph_pairs.csv.gz")[::12]
    pairs = [(from_cif(row["cif_a"]), from_cif(row["cif_b"])) for row in rows]
    found = agree(pairs + [(second, first) for first, second in pairs], installed)
    assert any(found)
