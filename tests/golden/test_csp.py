"""The matcher gives the decisions and distances that pymatgen gave for the published numbers, pair by pair."""

from __future__ import annotations

import csv
import gzip
import json
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Structure

from nucleate import files, parallel
from nucleate.evaluation.cells import Cell, from_parameters
from nucleate.evaluation.matching import match_pair
from nucleate.evaluation.reduction import Convention, reduced_cell
from nucleate.parallel import map_in_order

PROTOTYPES = Path(__file__).parent / "prototypes"

# Where the releases of pymatgen choose another Niggli cell, this is how far the RMS moves at most.
RELEASES_APART = 5e-5


def table(path: Path) -> list[dict[str, str]]:
    csv.field_size_limit(1 << 30)
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as text:
        return list(csv.DictReader(text))


def cell(lengths, angles, numbers, frac) -> Cell:
    return Cell(np.array(numbers), np.array(frac), from_parameters(np.array([lengths]), np.array([angles]))[0])


def cells(crystals) -> list[Cell]:
    columns = crystals.numbers_of_each(), crystals.frac_of_each(), crystals.lattice.numpy()
    return [Cell(*row) for row in zip(*columns, strict=True)]


def reduced(cells, convention=Convention.PUBLISHED) -> list[Cell]:
    return map_in_order(partial(reduced_cell, convention=convention), list(cells), jobs=2)


def compared(predictions, references):
    """RMS and largest distances of reduced cells; NaN without a match."""
    found = map_in_order(match_pair, list(zip(predictions, references, strict=True)), jobs=2)
    return np.array([hit or (np.nan, np.nan) for hit in found]).T


def expected(rows, suffix=""):
    matched = np.array([row[f"matched{suffix}"] == "True" for row in rows])
    rms = np.array([float(row[f"rms_dist{suffix}"] or "nan") for row in rows])
    assert (matched == np.isfinite(rms)).all()
    return matched, rms


@pytest.fixture(scope="module", autouse=True)
def processes():
    """Even a few hundred pairs go to processes: there nothing checks the shapes of arrays at each call."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parallel, "ITEMS_PER_WORKER", 100)
        yield


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
    same_shape = np.isclose(shapes(ours), shapes(reduced(predictions)), rtol=1e-9).all((1, 2))
    same_shape &= np.isclose(shapes(theirs), shapes(reduced_references), rtol=1e-9).all((1, 2))
    apart = np.flatnonzero(~same_shape)
    found, _ = compared([ours[i] for i in apart], [theirs[i] for i in apart])
    differing = apart[np.isfinite(found) != matched[apart]]
    assert differing.tolist() == {"0.03": [], "0.1": [426]}[sigma]
    assert 1e-6 < np.nanmax(np.abs(found - rms[apart])) < RELEASES_APART


def shapes(cells: list[Cell]) -> np.ndarray:
    """Scalar products of the lattice vectors."""
    return np.array([cell.lattice @ cell.lattice.T for cell in cells])


def test_polymorphs_in_both_orders(golden):
    rows = table(golden / "polymorph_pairs.csv")
    pairs = table(golden / "structures_polymorph_pairs.csv.gz")
    cells = reduced([from_cif(row[name]) for name in ("cif_a", "cif_b") for row in pairs])
    swapped = cells[len(pairs) :] + cells[: len(pairs)]
    found, _ = compared(cells, swapped)
    matched, rms = np.concatenate([expected(rows), expected(rows, "_swapped")], axis=1)
    np.testing.assert_array_equal(np.isfinite(found), matched)
    hits = np.isfinite(rms)
    np.testing.assert_allclose(found[hits], rms[hits], rtol=1e-6, atol=1e-12)
    assert (matched[: len(pairs)] != matched[len(pairs) :]).sum() == 9


def test_prototypes():
    rows = table(PROTOTYPES / "rows_prototypes_predicted.csv")
    predictions = files.read(PROTOTYPES / "structures_prototypes_predicted.csv.gz", jobs=1)
    references = files.read(PROTOTYPES / "structures_prototypes.csv.gz", jobs=1)[: len(predictions)]
    matched, rms = expected(rows)
    found, _ = compared(reduced(cells(predictions)), reduced(cells(references)))
    np.testing.assert_array_equal(np.isfinite(found), matched)
    np.testing.assert_allclose(found[matched], rms[matched], rtol=1e-6)


def from_cif(text: str) -> Cell:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        structure = Structure.from_str(text, fmt="cif")
    return Cell(np.array(structure.atomic_numbers), structure.frac_coords, structure.lattice.matrix)
