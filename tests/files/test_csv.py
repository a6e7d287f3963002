from __future__ import annotations

import csv as standard_csv
import io
import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure

from nucleate.crystals import Crystals
from nucleate.errors import UserError
from nucleate.files import Failure, csv, read, write
from nucleate.files.entries import collect
from tests.files.cif.test_reading import as_cif_gives
from tests.files.samples import MIXED, NACL, ROCK_SALT, assert_same, assert_same_atoms, assert_same_info, few

SALT = Structure(Lattice.cubic(4), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])


def sheet(columns: dict, tmp_path) -> Crystals:
    pd.DataFrame(columns).to_csv(tmp_path / "a.csv", index=False)
    return read(tmp_path / "a.csv")


@settings(deadline=None, max_examples=20)
@given(few)
def test_what_is_written_is_read_back(parts):
    batch = Crystals.concat(parts)
    found = collect([csv.parse(text) for text, _ in csv.split(csv.dump(batch))])
    assert_same(found, as_cif_gives(batch), 2e-8)


def test_pandas_and_pymatgen_read_the_same(tmp_path):
    write(NACL, tmp_path / "a.csv.gz")
    frame = pd.read_csv(tmp_path / "a.csv.gz")
    assert frame.columns.tolist() == ["name", "energy", "rank", "stable", "cif"]
    assert frame["stable"].tolist() == [True, False]
    for crystal, text in zip(NACL, frame["cif"], strict=True):
        structure = Structure.from_str(text, fmt="cif")
        assert_same_atoms(structure.atomic_numbers, structure.frac_coords, crystal, 1e-8)


def test_info_and_failures_come_back(tmp_path):
    write(MIXED, tmp_path / "a.csv.gz")
    found = read(tmp_path / "a.csv.gz")
    assert_same_info(found, MIXED)
    assert_same(found[[0, 2]], NACL)


def test_columns_become_numbers_where_they_are(tmp_path):
    found = sheet(
        {
            "whole": [3, -4, 0],
            "gaps": [1, None, 3],
            "real": ["1.5e-3", "-2", ".5"],
            "text": ["1", "x", None],
            "code": ["007", "012", "100"],
            "long": [str(10**20), "1", "2"],
            "truth": [True, False, True],
            "unsure": [True, None, False],
            "blank": [None, None, None],
            "list": ["['Na', 'Cl']", "", "a,b"],
            "cif": [ROCK_SALT] * 3,
        },
        tmp_path,
    )
    info = found.info
    assert info["whole"].dtype == np.int64
    assert info["gaps"].dtype == np.float64
    assert math.isnan(info["gaps"][1])
    assert info["real"].tolist() == [1.5e-3, -2.0, 0.5]
    assert info["text"].tolist() == ["1", "x", None]
    assert info["code"].tolist() == ["007", "012", "100"]
    assert info["long"].tolist() == [str(10**20), "1", "2"]
    assert info["truth"].dtype == bool
    assert info["unsure"].tolist() == [True, None, False]
    assert np.isnan(info["blank"]).all()
    assert info["list"].tolist() == ["['Na', 'Cl']", None, "a,b"]
    assert "cif" not in info


def test_unnamed_and_repeated_columns_are_kept(tmp_path):
    (tmp_path / "a.csv").write_text(f',x,x,cif\n7,1,2,"{ROCK_SALT}"\n')
    found = read(tmp_path / "a.csv")
    assert {name: column.tolist() for name, column in found.info.items()} == {"column_0": [7], "x": [1], "x_2": [2]}


def test_bad_rows_keep_their_place(tmp_path):
    shared = ROCK_SALT.replace("0.5 0.5 0.5 1", "0.5 0.5 0.5 0.5")
    found = sheet({"id": [1, 2, 3, 4, 5], "cif": [ROCK_SALT, "nonsense", "", shared, 2 * ROCK_SALT]}, tmp_path)
    assert found.failures.tolist() == ["", "unparseable", "unparseable", "partial_occupancy", "unparseable"]
    assert found.info["detail"][3] == "a.csv, row 3: site Cl1 has occupancy 0.5"
    assert "2 crystals" in found.info["detail"][4]
    assert found.info["id"].tolist() == [1, 2, 3, 4, 5]
    assert np.isnan(found.lattice[1]).all()


def test_a_short_row_lacks_its_last_cells(tmp_path):
    (tmp_path / "a.csv").write_text(f'id,cif,e\n1,"{ROCK_SALT}"\n2\n\n3,"{ROCK_SALT}",5,6\n')
    found = read(tmp_path / "a.csv")
    assert found.failures.tolist() == ["", Failure.UNPARSEABLE, ""]
    assert found.info["e"].tolist()[2] == 5


def test_a_row_may_be_long(tmp_path):
    comment = "# " + 200_000 * "x" + "\n"
    found = sheet({"cif": [comment + ROCK_SALT]}, tmp_path)
    assert found.formulas == ["Na4Cl4"]


def test_without_a_cif_column_the_columns_are_named(tmp_path):
    with pytest.raises(UserError, match=r"a\.csv: there is no column 'cif'; the columns are id, cif_a") as caught:
        sheet({"id": [1], "cif_a": [ROCK_SALT]}, tmp_path)
    assert "\n" not in str(caught.value)


def test_a_header_alone_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text("id,cif\n")
    with pytest.raises(UserError, match="no structures in it"):
        read(tmp_path / "a.csv")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
def test_the_header_shows_the_delimiter(delimiter, name, tmp_path):
    frame = pd.DataFrame({"id": ["a,b;c", "d|e\tf"], "CIF": [ROCK_SALT] * 2, "e": [1.5, 2.5]})
    frame.to_csv(tmp_path / name, sep=delimiter, index=False)
    found = read(tmp_path / name)
    assert found.formulas == ["Na4Cl4"] * 2
    assert found.info["id"].tolist() == ["a,b;c", "d|e\tf"]
    assert found.info["e"].tolist() == [1.5, 2.5]


def test_a_column_alone_needs_no_delimiter(tmp_path):
    pd.DataFrame({"structure": [ROCK_SALT]}).to_csv(tmp_path / "a.csv", index=False)
    assert read(tmp_path / "a.csv").formulas == ["Na4Cl4"]


def test_an_ambiguous_header_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text(f'cif;a,cif\n1,"{ROCK_SALT}"\n')
    with pytest.raises(UserError, match="it is not clear what separates the cells: ',' or ';'"):
        read(tmp_path / "a.csv")


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.text(st.characters(categories=["L", "N", "P", "Zs"]), min_size=1, max_size=5), max_size=4),
    st.sampled_from([",", ";", "\t", "|"]),
)
def test_no_delimiter_is_guessed_wrongly(names, delimiter):
    header = [*(name for name in dict.fromkeys(names) if name.lower() != "cif"), "cif"]
    sheet = io.StringIO()
    writer = standard_csv.writer(sheet, delimiter=delimiter)
    writer.writerow(header)
    writer.writerow([*("x" for _ in header[1:]), ROCK_SALT])
    try:
        ((text, info),) = csv.split(sheet.getvalue())
    except UserError as error:
        ambiguous = str(error)
        assert "not clear" in ambiguous
        return
    assert text == ROCK_SALT
    assert list(info) == header[:-1]


def test_tsv_is_written_with_tabs(tmp_path):
    write(NACL, tmp_path / "a.tsv")
    frame = pd.read_csv(tmp_path / "a.tsv", sep="\t")
    assert frame.columns.tolist() == ["name", "energy", "rank", "stable", "cif"]
    assert_same_info(read(tmp_path / "a.tsv"), NACL)


def test_structures_may_be_json_or_poscar(tmp_path):
    cells = [json.dumps(SALT.as_dict()), str(SALT.as_dict()), SALT.to(fmt="poscar"), SALT.to(fmt="cif"), str(SALT)]
    found = sheet({"Structure": cells}, tmp_path)
    assert found.formulas == ["CsCl"] * 4 + [""]
    assert "is neither a CIF nor JSON nor a POSCAR" in found.info["detail"][4]


def test_a_column_cif_of_info_comes_back(tmp_path):
    crystals = NACL.with_info(cif=["a", "b"], structure=["fcc", "bcc"])
    write(crystals, tmp_path / "a.csv")
    assert_same_info(read(tmp_path / "a.csv"), crystals)
