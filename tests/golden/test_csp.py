"""The matcher gives the decisions and distances that pymatgen gave for the published numbers, pair by pair."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from nucleate import files
from nucleate.evaluation.cells import Cell, from_parameters
from nucleate.evaluation.matching import match
from nucleate.evaluation.reduction import Convention, reduced_cell

PROTOTYPES = Path(__file__).parent / "prototypes"

# Where the releases of pymatgen choose another Niggli cell, this is how far the RMS moves at most.
RELEASES_APART = 5e-5


def table(path: Path) -> list[dict[str, str]]:
    csv.field_size_limit(1 << 30)
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as text:
        return list(csv.DictReader(text))


def cell(lengths, angles, numbers, frac) -> Cell:
    return Cell(np.array(numbers), np.array(frac), from_parameters(np.array(lengths), np.array(angles)))


def cells(crystals) -> list[Cell]:
    columns = crystals.numbers_of_each(), crystals.frac_of_each(), crystals.lattice.numpy()
    return [Cell(*row) for row in zip(*columns, strict=True)]


def compared(predictions, references):
    """RMS and largest distances of reduced cells; NaN without a match."""
    found = [match(*pair) for pair in zip(predictions, references, strict=True)]
    return np.array([hit or (np.nan, np.nan) for hit in found]).T


def reduced(cells, convention=Convention.PUBLISHED):
    return [reduced_cell(cell, convention) for cell in cells]


def expected(rows, suffix=""):
    matched = np.array([row[f"matched{suffix}"] == "True" for row in rows])
    rms = np.array([float(row[f"rms_dist{suffix}"] or "nan") for row in rows])
    assert (matched == np.isfinite(rms)).all()
    return matched, rms


@pytest.fixture(scope="module")
def references(golden):
    with gzip.open(golden / "arrays_test_ref.jsonl.gz", "rt") as lines:
        rows = [json.loads(line) for line in lines]
    return [cell(row["lengths"], row["angles"], row["Z"], row["frac"]) for row in rows]


@pytest.fixture(scope="module")
def reduced_references(references):
    return reduced(references)


@pytest.fixture(scope="module", params=["0.03", "0.1"])
def distorted(request, golden):
    """Predictions of the references by strain, rattling, another cell, origin and order; and what was said of them."""
    rows = table(golden / f"structures_csp_sigma{request.param}.csv.gz")
    columns = ("lengths", "angles", "atom_types", "frac_coords")
    predictions = [cell(*(json.loads(row[column]) for column in columns)) for row in rows]
    return request.param, predictions, table(golden / f"csp_sigma{request.param}.csv")


def test_distorted_crystals(distorted, reduced_references):
    _, predictions, rows = distorted
    matched, rms = expected(rows)
    found, max_distance = compared(reduced(predictions), reduced_references)
    np.testing.assert_array_equal(np.isfinite(found), matched)
    np.testing.assert_allclose(found[matched], rms[matched], rtol=1e-6)
    want = np.array([float(row["max_dist"]) for row in rows if row["matched"] == "True"])
    np.testing.assert_allclose(max_distance[matched], want, rtol=1e-6)


def test_a_newer_release_differs_in_one_decision(distorted, references, reduced_references):
    sigma, predictions, rows = distorted
    matched, rms = expected(rows)
    ours, theirs = (reduced(cells, Convention.CURRENT) for cells in (predictions, references))
    pairs = zip(ours, reduced(predictions), theirs, reduced_references, strict=True)
    other_cell = [not (alike(a, b) and alike(c, d)) for a, b, c, d in pairs]
    assert 0 < sum(other_cell) < 600
    (rows_apart,) = np.nonzero(other_cell)
    found, _ = compared([ours[i] for i in rows_apart], [theirs[i] for i in rows_apart])
    differing = rows_apart[np.isfinite(found) != matched[rows_apart]]
    assert differing.tolist() == {"0.03": [], "0.1": [426]}[sigma]
    assert np.nanmax(np.abs(found - rms[rows_apart])) < RELEASES_APART


def alike(first: Cell, second: Cell) -> bool:
    return np.allclose(first.lattice, second.lattice)


@pytest.mark.parametrize("suffix", ["", "_swapped"])
def test_polymorphs(golden, suffix):
    rows = table(golden / "polymorph_pairs.csv")
    pairs = table(golden / "structures_polymorph_pairs.csv.gz")
    first, second = (reduced(_from_cif(row[name]) for row in pairs) for name in ("cif_a", "cif_b"))
    matched, rms = expected(rows, suffix)
    found, _ = compared(second, first) if suffix else compared(first, second)
    np.testing.assert_array_equal(np.isfinite(found), matched)
    np.testing.assert_allclose(found[matched], rms[matched], rtol=1e-6, atol=1e-12)


def test_prototypes():
    rows = table(PROTOTYPES / "rows_prototypes_predicted.csv")
    predictions = files.read(PROTOTYPES / "structures_prototypes_predicted.csv.gz", jobs=1)
    references = files.read(PROTOTYPES / "structures_prototypes.csv.gz", jobs=1)[: len(predictions)]
    matched, rms = expected(rows)
    found, _ = compared(reduced(cells(predictions)), reduced(cells(references)))
    np.testing.assert_array_equal(np.isfinite(found), matched)
    np.testing.assert_allclose(found[matched], rms[matched], rtol=1e-6)


def _from_cif(text: str) -> Cell:
    from pymatgen.core import Structure

    structure = Structure.from_str(text, fmt="cif")
    return Cell(np.array(structure.atomic_numbers), structure.frac_coords, structure.lattice.matrix)
