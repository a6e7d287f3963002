"""The inputs on which this program was wrong, each with its right value or the reason why it is refused."""

from __future__ import annotations

import json
import zipfile

import pytest

from nucleate.cli import main
from nucleate.errors import UserError
from nucleate.files import read

READ = {
    "01a_p21c_short_name.cif": "Na4",
    "01b_corundum_R-3c_colon_H.cif": "Al12O18",
    "01c_anatase_origin2.cif": "Ti4O8",
    "01e_operators_identity_name_225.cif": "Na4Cl4",
    "01f_old_magnetic_operators.mcif": "Mn4",
    "02a_corundum_rhombohedral_cell.cif": "Al4O6",
    "02c_diamond_origin2_coordinates.cif": "C8",
    "04_quartz_z_0667.cif": "Si3O6",
    "05_data_line_in_text.cif": "Cu",
    "09_layered_no_fingerprint.cif": "Sm2",
    "11_uppercase.cif": "Cu",
    "12c_type_symbol_without_label.cif": "Cu",
    "12d_occupancy_dot.cif": "Cu",
    "12f_empty_loop.cif": "Cu",
}

REFUSED = {
    "03a_NH4.cif": ("missing_atoms", "NH4"),
    "03b_CO3.cif": ("missing_atoms", "CO3"),
    "06_formula_says_hydrogen.cif": ("missing_atoms", "no site holds H"),
    "06b_label_T1_is_a_site.cif": ("unknown_element", "T1"),
    "12a_poscar_too_short.vasp": ("unparseable", "3 atoms"),
    "12b_species_as_integers.extxyz": ("unknown_element", "the species are numbers"),
}


@pytest.fixture
def faults(shared):
    if not (shared / "faults").is_dir():
        pytest.skip("../shared is absent: it has no folder faults")
    return shared / "faults"


@pytest.mark.parametrize("name", READ)
def test_what_can_be_read_is_read(faults, name):
    assert read(faults / name).formulas == [READ[name]]


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_says_why(faults, name):
    reason, words = REFUSED[name]
    with pytest.raises(UserError, match=f"{reason}: .*{words}"):
        read(faults / name)


def test_a_user_may_have_a_column_failure(faults):
    found = read(faults / "08_failure_column.csv")
    assert found.built.all()
    assert len(found) == 2


def test_numbered_files_are_in_the_order_of_their_numbers(faults, tmp_path):
    numbered, reference = faults / "07_numbered.zip", faults / "07_reference.csv"
    assert read(numbered).info["file"].tolist() == [f"gen_{place}.cif" for place in range(12)]
    out, rows = tmp_path / "metrics.json", tmp_path / "rows.csv"
    command = ["evaluate", "csp", str(numbered), "--reference", str(reference), "--out", str(out)]
    assert main([*command, "--per-crystal", str(rows)]) == 0
    assert json.loads(out.read_text())["metrics"]["k1"]["match_rate"] == 1
    assert "gen_11.cif" in rows.read_text()


def test_ranks_from_one_are_refused(faults, tmp_path, capsys):
    samples = str(faults / "10_rank_from_one.csv")
    command = ["evaluate", "csp", samples, "--reference", samples, "--out", str(tmp_path / "metrics.json")]
    assert main(command) == 2
    assert "ranks start at 0" in capsys.readouterr().err


def test_a_file_that_pairs_wrongly_is_refused(faults, tmp_path, capsys):
    for place, text in enumerate(_texts(faults)):
        (tmp_path / "wrong" / f"gen_{(5 * place) % 12:02d}.cif").parent.mkdir(exist_ok=True)
        (tmp_path / "wrong" / f"gen_{(5 * place) % 12:02d}.cif").write_bytes(text)
    command = ["evaluate", "csp", str(tmp_path / "wrong"), "--reference", str(faults / "07_reference.csv")]
    assert main([*command, "--out", str(tmp_path / "metrics.json")]) == 2
    assert "paired by composition 12 of 12 would" in capsys.readouterr().err


def _texts(faults):
    with zipfile.ZipFile(faults / "07_numbered.zip") as archive:
        return [archive.read(f"gen_{place}.cif") for place in range(12)]
