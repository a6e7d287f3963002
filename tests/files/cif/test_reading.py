from __future__ import annotations

import io

import ase.io
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from pymatgen.core import Structure

from nucleate.crystals import Crystals
from nucleate.errors import UserError
from nucleate.files import Failure, cif, read, write
from nucleate.files.entries import collect
from nucleate.files.failures import BadEntryError
from nucleate.geometry import torus
from tests.files.samples import FAILED, MIXED, NACL, ROCK_SALT, assert_same, assert_same_atoms, crystals


def as_cif_gives(crystal: Crystals) -> Crystals:
    """Right-handed, with pymatgen's ideal thirds."""
    left = (torch.linalg.det(crystal.lattice) < 0)[crystal.owner, None]
    frac = torus.wrap(torch.where(left, -crystal.frac, crystal.frac)).round(decimals=8)
    for third in (1 / 3, 2 / 3):
        frac = torch.where((frac / third - 1).abs() <= 1e-4, third, frac)
    return Crystals(crystal.numbers, frac, crystal.lattice, crystal.counts, crystal.info)


def signed_volume(positions: np.ndarray) -> float:
    return float(np.linalg.det(positions[1:4] - positions[0]))


def parsed(text: str) -> Crystals:
    return collect([cif.parse(block) for block in cif.split(text)])


@settings(deadline=None, max_examples=25)
@given(crystals())
def test_what_is_written_is_read_back(crystal):
    assert_same(parsed(cif.dump(crystal)), as_cif_gives(crystal), 2e-8)


@settings(deadline=None, max_examples=15)
@given(crystals(at_most=8))
def test_others_read_the_same(crystal):
    text, wanted = cif.dump(crystal), as_cif_gives(crystal)
    structure = Structure.from_str(text, fmt="cif")
    assert_same_atoms(structure.atomic_numbers, structure.frac_coords, wanted, 2e-8)
    atoms = ase.io.read(io.StringIO(text), format="cif", fractional_occupancies=False)
    assert_same_atoms(atoms.numbers, atoms.get_scaled_positions(), wanted, 1e-4)
    np.testing.assert_allclose(atoms.cell.cellpar(), [*structure.lattice.abc, *structure.lattice.angles], atol=2e-8)
    assert atoms.info["spacegroup"].no == 1


@settings(deadline=None, max_examples=15)
@given(crystals(at_most=8))
def test_gemmi_reads_the_same(crystal):
    gemmi = pytest.importorskip("gemmi")
    small = gemmi.make_small_structure_from_block(gemmi.cif.read_string(cif.dump(crystal)).sole_block())
    sites = [(site.element.atomic_number, site.fract.tolist()) for site in small.sites]
    exact = Crystals(crystal.numbers, as_cif_gives(crystal).frac, crystal.lattice, crystal.counts)
    assert_same_atoms([z for z, _ in sites], [place for _, place in sites], exact, 1e-4)
    assert small.cell.volume == pytest.approx(float(torch.linalg.det(crystal.lattice).abs()), rel=1e-6)


@given(crystals(at_most=4))
@settings(deadline=None, max_examples=15)
def test_a_left_handed_cell_keeps_the_hand_of_the_crystal(crystal):
    four = Crystals.build([[1, 2, 3, 4]], [[[0, 0, 0], [0.2, 0, 0], [0, 0.2, 0], [0, 0, 0.2]]], crystal.lattice)
    structure = Structure.from_str(cif.dump(four), fmt="cif")
    order = np.argsort(structure.atomic_numbers)
    wrapped = structure.frac_coords[order]
    found = (wrapped - np.round(wrapped)) @ structure.lattice.matrix
    assert signed_volume(found) == pytest.approx(signed_volume((four.frac @ four.lattice[0]).numpy()), rel=1e-5)


def test_thirds_become_ideal_as_pymatgen_makes_them():
    crystal = Crystals.build([[6, 8]], [[[0.33334, 0.66667, 0.3334], [0.333, 0.5, 0.6667]]], [np.eye(3) * 4])
    assert parsed(cif.dump(crystal)).frac.tolist() == [[1 / 3, 2 / 3, 0.3334], [0.333, 0.5, 2 / 3]]


def test_symmetry_gives_the_full_cell():
    found = parsed(ROCK_SALT)
    structure = Structure.from_spacegroup("Fm-3m", [[5.64, 0, 0], [0, 5.64, 0], [0, 0, 5.64]], ["Na", "Cl"], _SITES)
    assert found.formulas == ["Na4Cl4"]
    assert_same_atoms(structure.atomic_numbers, structure.frac_coords, found)


_SITES = [[0, 0, 0], [0.5, 0.5, 0.5]]


def test_listed_operations_give_the_full_cell():
    operations = "loop_\n_symmetry_equiv_pos_as_xyz\n'x, y, z'\n'x+1/2, y+1/2, z+1/2'\n"
    text = ROCK_SALT.replace("_symmetry_space_group_name_H-M 'F m -3 m'\n", operations).replace(
        "Cl1 Cl 0.5 0.5 0.5 1\n", ""
    )
    found = parsed(text)
    assert_same_atoms([11, 11], _SITES, found)


def test_blocks_without_sites_are_no_crystals():
    text = f"data_global\n_publ_section_title 'x'\n{ROCK_SALT}\ndata_NaCl\n{ROCK_SALT.partition(chr(10))[2]}"
    assert parsed(text).formulas == ["Na4Cl4", "Na4Cl4"]  # two blocks of one name are two crystals


def test_several_crystals_become_blocks_with_failures_in_their_place(tmp_path):
    write(MIXED, tmp_path / "all.cif")
    found = read(tmp_path / "all.cif")
    assert found.failures.tolist() == ["", "no_text", ""]
    assert found.info["detail"].tolist() == ["", FAILED.info["detail"][0], ""]
    assert_same(found[[0, 2]], NACL)


def test_a_charge_an_isotope_and_an_uncertainty_are_understood():
    text = ROCK_SALT.replace("Na1 Na 0 0 0 1", "Na1 Na1+ 0.0(1) 0 0 1.00(2)").replace("Cl1 Cl", "D1 D")
    assert parsed(text).formulas == ["Na4H4"]
    labels_alone = ROCK_SALT.replace("_atom_site_type_symbol\n", "").replace("Na1 Na", "NA1").replace("Cl1 Cl", "D2")
    assert parsed(labels_alone).formulas == ["Na4H4"]


SITE = "Cl1 Cl 0.5 0.5 0.5 1"
BAD = {
    "no cell": (
        ROCK_SALT[: ROCK_SALT.index("_cell")] + ROCK_SALT[ROCK_SALT.index("loop_") :],
        Failure.BAD_LATTICE,
        "no cell",
    ),
    "negative length": (ROCK_SALT.replace("_c 5.64", "_c -5.64"), Failure.BAD_LATTICE, "-5.64"),
    "impossible angles": (
        ROCK_SALT.replace("alpha 90", "alpha 10").replace("beta 90", "beta 20"),
        Failure.BAD_LATTICE,
        "10, 20",
    ),
    "angles of a star": (ROCK_SALT.replace("90", "120"), Failure.BAD_LATTICE, "120, 120, 120"),
    "flat cell": (ROCK_SALT.replace("_c 5.64", "_c 0.001"), Failure.ZERO_VOLUME, "0.001"),
    "NaN in the cell": (ROCK_SALT.replace("_c 5.64", "_c nan"), Failure.NOT_FINITE, "nan"),
    "NaN coordinate": (
        ROCK_SALT.replace("0.5 0.5 0.5", "0.5 nan 0.5"),
        Failure.NOT_FINITE,
        "site Cl1 is at 0.5, nan, 0.5",
    ),
    "absent coordinate": (ROCK_SALT.replace("0.5 0.5 0.5", "0.5 ? 0.5"), Failure.NOT_FINITE, "site Cl1"),
    "coordinate of no meaning": (ROCK_SALT.replace("0.5 0.5 0.5", "0.5 . 0.5"), Failure.NOT_FINITE, "site Cl1"),
    "no column of coordinates": (ROCK_SALT.replace("_fract_z", "_what_z"), Failure.NOT_FINITE, "site Na1"),
    "partial": (
        ROCK_SALT.replace(SITE, "Cl1 Cl 0.5 0.5 0.5 0.5"),
        Failure.PARTIAL_OCCUPANCY,
        "site Cl1 has occupancy 0.5",
    ),
    "shared": (
        ROCK_SALT.replace(SITE, f"{SITE[:-1]}0.5\nBr1 Br 0.5 0.5 0.5 0.5"),
        Failure.PARTIAL_OCCUPANCY,
        "site Cl1",
    ),
    "empty site": (ROCK_SALT.replace(SITE, SITE[:-1] + "0"), Failure.PARTIAL_OCCUPANCY, "site Cl1 has occupancy 0"),
    "unknown element": (ROCK_SALT.replace("Cl1 Cl", "Xx1 Xx"), Failure.UNKNOWN_ELEMENT, "site Xx1 holds 'Xx'"),
    "no element in a symbol": (ROCK_SALT.replace("Cl1 Cl", "M1 Hx"), Failure.UNKNOWN_ELEMENT, "site M1 holds 'Hx'"),
    "hydroxide": (ROCK_SALT.replace("Cl1 Cl", "O1 OH"), Failure.MISSING_ATOMS, "site O1"),
    "water": (ROCK_SALT.replace("Cl1 Cl", "W1 Wat"), Failure.MISSING_ATOMS, "site W1"),
    "attached hydrogens": (
        ROCK_SALT.replace("_occupancy", "_occupancy\n_atom_site_attached_hydrogens")
        .replace("0 0 0 1", "0 0 0 1 0")
        .replace(SITE, SITE + " 2"),
        Failure.MISSING_ATOMS,
        "site Cl1 has 2 hydrogens",
    ),
    "two in one place": (
        ROCK_SALT.replace(SITE, f"{SITE}\nBr1 Br 0.5 0.5 0.5 1"),
        Failure.OVERLAPPING_ATOMS,
        "sites Cl1 and Br1",
    ),
    "no sites": (ROCK_SALT[: ROCK_SALT.index("loop_")], Failure.NO_ATOMS, "no sites"),
    "a site outside a loop, with one coordinate": (
        ROCK_SALT[: ROCK_SALT.index("loop_")] + "_atom_site_label Na1\n_atom_site_fract_x 0\n",
        Failure.NOT_FINITE,
        "site Na1 has no _atom_site_fract_y",
    ),
    "prose": ("Here is a crystal: NaCl", Failure.UNPARSEABLE, "data_"),
    "a broken loop": (ROCK_SALT.replace(SITE, "Cl1 Cl 0.5"), Failure.UNPARSEABLE, ""),
    "words for numbers": (ROCK_SALT.replace("0.5 0.5 0.5", "half half half"), Failure.UNPARSEABLE, "half"),
}


@pytest.mark.parametrize("case", BAD)
def test_each_way_to_fail_has_its_reason(case, tmp_path):
    _assert_refused(*BAD[case], tmp_path)


def _assert_refused(text, reason, words, tmp_path):
    (tmp_path / "alone.cif").write_text(text)
    with pytest.raises(UserError, match=r"alone\.cif: ") as caught:
        read(tmp_path / "alone.cif")
    assert reason in str(caught.value)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    (tmp_path / "good.cif").write_text(ROCK_SALT)
    found = read(tmp_path)
    assert found.failures.tolist() == [reason, ""]
    assert found.info["detail"][0].startswith("alone.cif: ")
    assert words in found.info["detail"][0]
    assert found.formulas == ["", "Na4Cl4"]


def test_a_refused_entry_says_why():
    with pytest.raises(BadEntryError) as caught:
        cif.parse(ROCK_SALT.replace(SITE, SITE[:-1] + "0.25"))
    assert caught.value.reason is Failure.PARTIAL_OCCUPANCY
    assert caught.value.message == "site Cl1 has occupancy 0.25"


CELL = (
    "\n".join(
        f"_cell_{name} {value}"
        for name, value in {"length_a": 4, "length_b": 5, "length_c": 6, "angle_alpha": 90, "angle_beta": 90}.items()
    )
    + "\n_cell_angle_gamma 90\n"
)
HEADS = "loop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n"
IDENTITY = "loop_\n_symmetry_equiv_pos_as_xyz\n'x, y, z'\n"


def block(sites: str, before: str = "", cell: str = CELL, heads: str = HEADS) -> str:
    return f"data_a\n{before}{cell}{heads}{sites}\n"


def cell(*parameters: float) -> str:
    names = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    return "".join(f"_cell_{name} {value}\n" for name, value in zip(names, parameters, strict=True))


READ = {
    "a heading inside a text field": (
        block("Cu1 0 0 0", f"_details\n;\ndata_notes\nloop_\n _x\n 1\n;\n{IDENTITY}"),
        ["Cu"],
    ),
    "capitals": (block("Cu1 0 0 0").upper().replace("CU1", "Cu1"), ["Cu"]),
    "dots in tags": (block("Cu1 0 0 0").replace("_cell_", "_cell.").replace("_site_", "_site."), ["Cu"]),
    "symbols without labels": (block("Cu 0 0 0").replace("_label", "_type_symbol"), ["Cu"]),
    "an occupancy by default": (block("Cu1 0 0 0 .", heads=f"{HEADS}_atom_site_occupancy\n"), ["Cu"]),
    "an empty loop": (block("Cu1 0 0 0\nloop_\n_atom_site_moment_label\n_atom_site_moment_crystalaxis_x"), ["Cu"]),
    "a site that is no loop": (
        block("", heads="_atom_site_label Cu1\n_atom_site_fract_x 0\n_atom_site_fract_y 0\n_atom_site_fract_z 0"),
        ["Cu"],
    ),
    "a name without quotes": (block("Cu1 0 0 0", "_symmetry_space_group_name_H-M P 1\n"), ["Cu"]),
    "old magnetic operations": (
        block(
            "Mn1 0.1 0 0",
            "loop_\n_space_group_symop.magn_operation_xyz\nx,y,z,+1\n-x,-y,-z,+1\n"
            "loop_\n_space_group_symop.magn_centering_xyz\nx,y,z,+1\nx+1/2,y+1/2,z+1/2,-1\n",
        ),
        ["Mn4"],
    ),
    "a formula that the listed identity hides": (
        block(
            "Na1 0 0 0\nCl1 0.5 0.5 0.5",
            f"_chemical_formula_sum 'Na4 Cl4'\n_cell_formula_units_Z 4\n_space_group_IT_number 225\n{IDENTITY}",
            cell(5.64, 5.64, 5.64, 90, 90, 90),
        ),
        ["Na4Cl4"],
    ),
    "all atoms beside the name of their group": (
        block(
            "\n".join(
                f"{element} {x} {y} {z}"
                for element, x, y, z in (
                    *(("Na", *place) for place in ((0, 0, 0), (0.5, 0.5, 0), (0.5, 0, 0.5), (0, 0.5, 0.5))),
                    *(("Cl", *place) for place in ((0.5, 0.5, 0.5), (0, 0, 0.5), (0, 0.5, 0), (0.5, 0, 0))),
                )
            ),
            f"_symmetry_space_group_name_H-M 'F m -3 m'\n{IDENTITY}",
            cell(5.64, 5.64, 5.64, 90, 90, 90),
        ),
        ["Na4Cl4"],
    ),
    "quartz with z of three decimals": (
        block(
            "Si1 0.4699 0 0.667\nO1 0.4141 0.2681 0.7854",
            "_symmetry_space_group_name_H-M 'P 32 2 1'\n",
            cell(4.9, 4.9, 5.4, 90, 90, 120),
        ),
        ["Si3O6"],
    ),
    "corundum in its rhombohedral cell": (
        block(
            "Al1 0.3522 0.3522 0.3522\nO1 0.5563 0.9437 0.25",
            "_symmetry_space_group_name_H-M 'R -3 c'\n",
            cell(5.128, 5.128, 5.128, 55.28, 55.28, 55.28),
        ),
        ["Al4O6"],
    ),
    "diamond by its formula": (
        block(
            "C1 0.125 0.125 0.125",
            "_chemical_formula_sum C8\n_space_group_IT_number 227\n",
            cell(*[3.567] * 3, *[90] * 3),
        ),
        ["C8"],
    ),
    "diamond by its multiplicity": (
        block(
            "C1 0.125 0.125 0.125 8",
            "_space_group_IT_number 227\n",
            cell(*[3.567] * 3, *[90] * 3),
            f"{HEADS}_atom_site_symmetry_multiplicity\n",
        ),
        ["C8"],
    ),
    "water whose hydrogens have sites": (block("OW1 0 0 0\nH1 0.2 0 0\nH2 0 0.2 0"), ["H2O"]),
    "a coordinate by default, as the formula confirms": (block("Cu1 0.5 . .", "_chemical_formula_sum Cu\n"), ["Cu"]),
    "tungsten beside oxygen of its own": (block("W1 0 0 0\nOW1 0.5 0 0"), ["WO"]),
}


@pytest.mark.parametrize("case", READ)
def test_each_form_is_read(case, tmp_path):
    text, formulas = READ[case]
    (tmp_path / "a.cif").write_text(text)
    assert read(tmp_path / "a.cif").formulas == formulas


REFUSED = {
    "a name of no group": (
        block("Cu1 0 0 0", "_symmetry_space_group_name_H-M 'trigonal'\n"),
        "unknown_symmetry",
        "trigonal",
    ),
    "operations that are no group": (
        block("Cu1 0 0 0", IDENTITY + "'x+1/3, y, z'\n"),
        "unknown_symmetry",
        "the list of 2 operations, which are no group, is not understood",
    ),
    "an operation of no meaning": (block("Cu1 0 0 0", IDENTITY + "'x, y'\n"), "unknown_symmetry", "'x, y'"),
    "a cubic group in an orthorhombic cell": (
        block("Cu1 0 0 0", "_space_group_IT_number 225\n"),
        "contradiction",
        "the cell 4, 5, 6, 90, 90, 90 has not the symmetry of F m -3 m",
    ),
    "operations of another group than the name": (
        block("Cu1 0.1 0.2 0.3", f"_symmetry_space_group_name_H-M 'P -1'\n{IDENTITY}'-x, y, -z'\n"),
        "contradiction",
        "the operations mean group 3, but the space group 'P -1' means group 2",
    ),
    "an identity beside a name": (
        block("Cu1 0.1 0.2 0.3", f"_symmetry_space_group_name_H-M 'P -1'\n{IDENTITY}"),
        "contradiction",
        "'P -1'",
    ),
    "two origins": (
        block("C1 0.1 0.2 0.3", "_symmetry_space_group_name_H-M 'F d -3 m'\n", cell(*[9] * 3, *[90] * 3)),
        "ambiguous_setting",
        "F d -3 m:1 or F d -3 m:2",
    ),
    "a formula with another ratio": (
        block("Na1 0 0 0\nCl1 0.5 0.5 0.5", "_chemical_formula_sum 'Na2 Cl'\n"),
        "contradiction",
        "the formula is Na2 Cl, and the cell has Na Cl",
    ),
    "a formula with another element": (
        block("Na1 0 0 0\nCl1 0.5 0.5 0.5", "_chemical_formula_sum 'Na'\n"),
        "contradiction",
        "Na Cl",
    ),
    "hydrogen of the formula": (
        block("Na1 0 0 0\nO1 0.5 0.5 0.5", "_chemical_formula_sum 'H Na O'\n"),
        "missing_atoms",
        "no site holds H",
    ),
    "some hydrogens of the formula": (
        block("H1 0 0 0\nO1 0.5 0.5 0.5", "_chemical_formula_sum 'H2 O'\n"),
        "missing_atoms",
        "hydrogens have no site",
    ),
    "ammonia": (
        block("N1 NH3 0 0 0", heads=HEADS.replace("label\n", "label\n_atom_site_type_symbol\n")),
        "missing_atoms",
        "NH3",
    ),
    "oxygen of water": (block("OW1 0 0 0\nNa1 0.5 0.5 0.5"), "missing_atoms", "OW1"),
    "a tetrahedron": (block("T1 0 0 0\nO1 0.5 0.5 0.5"), "unknown_element", "site T1"),
    "a dummy": (block("Na1 0 0 0 dum", heads=f"{HEADS}_atom_site_calc_flag\n"), "unknown_element", "dummy"),
    "alternatives": (
        block("Na1 0 0 0 1\nNa2 0.1 0 0 2", heads=f"{HEADS}_atom_site_disorder_group\n"),
        "partial_occupancy",
        "disorder group 1",
    ),
    "a shared site": (
        block("M1 '0.75Si + 0.25Al' 0 0 0", heads=HEADS.replace("label\n", "label\n_atom_site_type_symbol\n")),
        "partial_occupancy",
        "0.75Si",
    ),
    "a modulated structure": (block("Na1 0 0 0", "_cell_modulation_dimension 1\n"), "modulated", "averages"),
    "images nearly in one place": (
        block("Na1 0.01 0 0", "_symmetry_space_group_name_H-M 'P -1'\n"),
        "overlapping_atoms",
        "0.08 Å apart",
    ),
    "a cell given twice": (block("Na1 0 0 0", "_cell_length_a 7\n"), "contradiction", "_cell_length_a is given twice"),
    "half a column": (
        block("Na1 0 0 0\nNa2 0.5 0 0\nloop_\n_atom_site_occupancy\n1"),
        "unparseable",
        "2 sites, and 1 values",
    ),
    "an empty block": ("data_a\n", "unparseable", "nothing"),
    "placeholders": (block("? ? ? ?"), "no_atoms", "no sites"),
    "an open text field": (block("Na1 0 0 0\n_x\n;"), "unparseable", "unterminated text field"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_clear_is_refused_by_name(case, tmp_path):
    _assert_refused(*REFUSED[case], tmp_path)


def test_deuterium_counts_as_hydrogen_in_a_formula():
    assert parsed(block("D1 0 0 0\nCl1 0.5 0.5 0.5", "_chemical_formula_sum 'Cl D'\n")).formulas == ["HCl"]
