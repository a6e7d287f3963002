from __future__ import annotations

import numpy as np
import pytest

from nucleate.errors import UserError
from nucleate.evaluation.pairing.names import by_name, ids, other_order, stem
from tests.evaluation.pairing.conftest import of_formulas


def crystals(count: int, **info):
    return of_formulas(["C"] * count, **info)


REFERENCE = crystals(3, material_id=["mp-1", "mp-12", "mp-3"], pretty_formula=["C", "C", "C"])


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("mp-1.cif", "mp-1"),
        ("a/b/mp-1.cif.gz", "mp-1"),
        ("x.1.5.CIF", "x.1.5"),
        ("mp-1/POSCAR", "mp-1"),
        ("runs/mp-1/CONTCAR.gz", "mp-1"),
        ("POSCAR_mp-1", "mp-1"),
        ("mp-1.POSCAR", "mp-1"),
        ("mp-1_POSCAR.vasp", "mp-1"),
        ("mp-1.vasp", "mp-1"),
        ("mp-1", "mp-1"),
    ],
)
def test_stems(file, name):
    assert stem(file) == name


def test_files_called_as_the_crystals():
    index, rank, fit = by_name(crystals(3, file=["s/mp-3.cif", "s/mp-1.cif", "s/mp-12.cif"]), REFERENCE)
    assert index.tolist() == [2, 0, 1]
    assert rank.tolist() == [0, 0, 0]
    assert (fit.naming.column, fit.reference) == ("file", "material_id")


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("mark", ["_", "-"])
def test_numbers_behind_the_names_are_ranks(first, mark):
    """In whatever order: as text `mp-1_10` comes before `mp-1_2`."""
    want = sorted((f"{name}{mark}{first + k}", row, k) for row, name in enumerate(("mp-1", "mp-12")) for k in range(12))
    index, rank, _ = by_name(crystals(24, file=[f"{name}.cif" for name, _, _ in want]), REFERENCE)
    assert index.tolist() == [row for _, row, _ in want]
    assert rank.tolist() == [k for _, _, k in want]


def test_repeated_names_are_counted_unless_a_column_has_the_ranks():
    samples = crystals(4, id=["mp-3", "mp-1", "mp-3", "mp-3"])
    assert by_name(samples, REFERENCE)[1].tolist() == [0, 0, 1, 2]
    assert by_name(samples.with_info(rank=[2, 0, 0, 1]), REFERENCE)[1].tolist() == [2, 0, 0, 1]


def test_numbers_behind_names_come_before_the_order():
    samples = crystals(2, file=["mp-1_1.cif", "mp-1_0.cif"], id=["mp-1", "mp-1"])
    assert by_name(samples, REFERENCE)[1].tolist() == [1, 0]


def test_whole_numbers_are_names_in_columns_of_ids_only():
    reference = crystals(3, cod_id=[1000041, 1000042, 9], sites=[1, 2, 3])
    assert by_name(crystals(2, file=["1000042.cif", "9.cif"]), reference)[0].tolist() == [1, 2]
    assert list(ids(reference)) == ["cod_id"]
    with pytest.raises(UserError, match="fits 0 of 2"):
        by_name(crystals(2, file=["1.cif", "2.cif"]), reference)


def test_columns_without_a_name_for_each_crystal_are_no_ids():
    columns = {"a": ["x", "y", "x"], "b": ["x", "", "z"], "c": ["x", None, "z"], "d": [0.1, 0.2, 0.3]}
    assert ids(crystals(3, **columns, e=["x", "y", "z"], pretty_formula=["C", "C2", "C3"])) == {"e": ["x", "y", "z"]}


def test_another_order_is_found_only_where_all_names_are_known():
    assert other_order(crystals(3, file=["mp-1.cif", "mp-12.cif", "mp-3.cif"]), REFERENCE) is None
    assert other_order(crystals(3, file=["mp-1.cif", "mp-3.cif", "mp-4.cif"]), REFERENCE) is None
    fit = other_order(crystals(3, file=["mp-1.cif", "mp-3.cif", "mp-12.cif"]), REFERENCE)
    assert fit is not None
    assert np.flatnonzero(fit.index != np.arange(3)).tolist() == [1, 2]


@pytest.mark.parametrize(
    ("samples", "reference", "says"),
    [
        (crystals(2, file=["mp-1.cif", "gen_1.cif"]), REFERENCE, r"'gen_1' is not\): file as material_id fits 1 of 2"),
        (crystals(2, energy=[0.1, 0.2]), REFERENCE, "needs a column of names of the samples"),
        (crystals(2, file=["a.cif", "b.cif"]), crystals(2, band_gap=[0.1, 0.2]), "needs a column of the reference"),
        (crystals(2, file=["mp-1_5.cif", "mp-1_6.cif"]), REFERENCE, "smallest rank of the samples is 5"),
        (
            crystals(2, file=["a/mp-1_0.cif", "b/mp-1_0.cif"]),
            REFERENCE,
            "2 samples have the name of reference crystal 0 and rank 0",
        ),
        (
            crystals(2, file=["mp-1.cif", "mp-3.cif"], id=["mp-3", "mp-1"]),
            REFERENCE,
            "two different things: file as material_id, and id as material_id",
        ),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(samples, reference, says):
    with pytest.raises(UserError, match=says) as error:
        by_name(samples, reference)
    assert "\n" not in str(error.value)
