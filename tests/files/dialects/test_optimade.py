from __future__ import annotations

import copy
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from pymatgen.core import Structure

from nucleate.crystals import Crystals
from nucleate.elements import SYMBOLS
from nucleate.files import Failure, read
from nucleate.files.dialects import find, optimade
from nucleate.files.failures import BadEntryError
from tests.files.samples import NACL, assert_same_atoms, crystals


def attributes(crystal: Crystals) -> dict:
    """What a server says of an ordered crystal."""
    symbols = [SYMBOLS[z] for z in crystal.numbers.tolist()]
    return {
        "lattice_vectors": crystal.lattice[0].tolist(),
        "cartesian_site_positions": (crystal.frac @ crystal.lattice[0]).tolist(),
        "species_at_sites": symbols,
        "species": [{"name": s, "chemical_symbols": [s], "concentration": [1.0]} for s in dict.fromkeys(symbols)],
        "dimension_types": [1, 1, 1],
        "nperiodic_dimensions": 3,
        "structure_features": [],
        "chemical_formula_reduced": "".join(sorted(set(symbols))),
        "_exmpl_band_gap": 1.5,
        "elements": sorted(set(symbols)),
    }


def resource(crystal: Crystals, name: str) -> dict:
    return {"id": name, "type": "structures", "attributes": attributes(crystal), "links": None}


@settings(deadline=None, max_examples=20)
@given(crystals(at_most=8))
def test_positions_and_cells_are_those_of_pymatgen(crystal):
    data = attributes(crystal)
    assert find(data) is optimade
    entry = optimade.parse(data)
    theirs = Structure(
        data["lattice_vectors"], data["species_at_sites"], data["cartesian_site_positions"], coords_are_cartesian=True
    )
    np.testing.assert_array_equal(entry.lattice, theirs.lattice.matrix)
    assert entry.numbers.tolist() == list(theirs.atomic_numbers)
    np.testing.assert_allclose(entry.frac, theirs.frac_coords, atol=1e-9)


@pytest.mark.parametrize("shape", ["response", "single", "list", "resource", "attributes", "lines"])
def test_every_shape_is_read(shape, tmp_path):
    resources = [resource(NACL[0], "a"), resource(NACL[1], "b")]
    data = {
        "response": {"data": resources},
        "single": {"data": resources[0], "meta": {}},
        "list": resources,
        "resource": resources[0],
        "attributes": resources[0]["attributes"],
    }
    text = "\n".join(map(json.dumps, resources)) if shape == "lines" else json.dumps(data[shape])
    path = tmp_path / ("a.jsonl" if shape == "lines" else "a.json")
    path.write_text(text)
    found = read(path)
    count = 2 if shape in ("response", "list", "lines") else 1
    assert found.formulas == ["NaCl", "Na2Cl2"][:count]
    assert_same_atoms(found[0].numbers, found[0].frac, NACL[0], 1e-12)
    assert found.info["_exmpl_band_gap"].tolist() == [1.5] * count
    assert found.info["elements"].tolist() == ['["Cl", "Na"]'] * count
    if shape != "attributes":
        assert found.info["id"].tolist() == ["a", "b"][:count]
    assert not {"lattice_vectors", "species", "structure_features"} & set(found.info)


def test_fields_may_be_columns_of_a_table(tmp_path):
    fields = ("lattice_vectors", "cartesian_site_positions", "species_at_sites", "species", "_exmpl_band_gap")
    rows = [{name: attributes(crystal)[name] for name in fields} for crystal in NACL]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    found = read(tmp_path / "a.parquet")
    assert found.formulas == ["NaCl", "Na2Cl2"]
    assert list(found.info) == ["_exmpl_band_gap"]


def test_without_a_list_of_species_sites_name_elements():
    data = attributes(NACL[0])
    del data["species"]
    assert optimade.parse(data).numbers.tolist() == [11, 17]


SPECIES = {"name": "Na", "chemical_symbols": ["Na"], "concentration": [1.0]}


@pytest.mark.parametrize(
    ("changes", "reason", "words"),
    [
        ({"species": [{**SPECIES, "concentration": [0.5]}]}, Failure.PARTIAL_OCCUPANCY, "Na:0.5"),
        (
            {"species": [{**SPECIES, "chemical_symbols": ["Na", "vacancy"], "concentration": [0.9, 0.1]}]},
            Failure.PARTIAL_OCCUPANCY,
            "Na:0.9, vacancy:0.1",
        ),
        ({"species": [{**SPECIES, "chemical_symbols": ["vacancy"]}]}, Failure.PARTIAL_OCCUPANCY, "vacancy"),
        ({"species": [{**SPECIES, "chemical_symbols": ["X"]}]}, Failure.UNKNOWN_ELEMENT, "'X'"),
        ({"species": [{**SPECIES, "attached": ["H"], "nattached": [2]}]}, Failure.MISSING_ATOMS, "attached"),
        ({"species": []}, Failure.UNKNOWN_ELEMENT, "'Na' of a site is not described"),
        ({"species": "Na"}, Failure.UNPARSEABLE, "species is not a list"),
        ({"structure_features": ["implicit_atoms"]}, Failure.MISSING_ATOMS, "implicit_atoms"),
        ({"structure_features": ["assemblies"]}, Failure.PARTIAL_OCCUPANCY, "assemblies"),
        ({"dimension_types": [1, 1, 0]}, Failure.BAD_LATTICE, "not periodic in all directions"),
        ({"lattice_vectors": [[1, 0, 0], [0, 1, 0], [None, None, None]]}, Failure.NOT_FINITE, "cell"),
        ({"cartesian_site_positions": [[0, 0, 0], [None, 0, 0]]}, Failure.NOT_FINITE, "atom 1"),
        ({"cartesian_site_positions": [[0, 0, 0]]}, Failure.UNPARSEABLE, "2 atoms and 1 cartesian_site_positions"),
        ({"cartesian_site_positions": None}, Failure.UNPARSEABLE, "has no cartesian_site_positions"),
        ({"species_at_sites": 3}, Failure.UNPARSEABLE, "species_at_sites is not a list"),
    ],
)
def test_each_way_to_fail_has_its_reason(changes, reason, words):
    data = copy.deepcopy(attributes(NACL[0]))
    if "species" in changes and changes["species"] and isinstance(changes["species"], list):
        changes = {"species": [*changes["species"], {**SPECIES, "name": "Cl", "chemical_symbols": ["Cl"]}]}
    with pytest.raises(BadEntryError) as caught:
        optimade.parse({**data, **changes})
    assert caught.value.reason is reason
    assert words in caught.value.message
