from __future__ import annotations

import moyopy
import pytest

from nucleate.files import cif
from nucleate.files.cif import space_group_names
from nucleate.files.failures import BadEntryError, Failure
from tests.files.cif.cells import TABLE, named, parameters

SPELLINGS = {
    "as in the table": lambda setting: setting.xhm(),
    "without spaces, in small letters": lambda setting: setting.xhm().replace(" ", "").lower(),
    "with underscores": lambda setting: setting.xhm().replace(" ", "_"),
    "without the setting": lambda setting: setting.hm,
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_each_setting_is_read_by_its_name_alone(spelling):
    refused = 0
    for setting in TABLE:
        try:
            entry = cif.parse(named(SPELLINGS[spelling](setting), setting))
        except BadEntryError as error:
            assert error.reason is Failure.AMBIGUOUS_SETTING  # noqa: PT017
            assert setting.ext in "12"
            refused += 1
            continue
        assert len(entry.numbers) == len(list(setting.operations())), setting.xhm()
    origins = sum(setting.ext in "12" for setting in TABLE)
    assert refused <= origins * (spelling == "without the setting")


def test_the_crystal_has_the_group_that_was_named():
    for setting in TABLE[::7]:
        entry = cif.parse(named(setting.xhm(), setting) + "Cl1 0.31 0.08 0.43\nK1 0.19 0.05 0.28\n")
        cell = moyopy.Cell(entry.lattice.tolist(), entry.frac.tolist(), entry.numbers.tolist())
        assert moyopy.MoyoDataset(cell, symprec=1e-4).number == setting.number, setting.xhm()


def test_a_hall_symbol_and_a_number_do_as_well():
    for setting in TABLE[::5]:
        by_hall = cif.parse(named(setting.hall.replace('"', "''"), setting, "_space_group_name_Hall"))
        assert len(by_hall.numbers) == len(list(setting.operations()))
    for setting in TABLE:
        if setting.is_reference_setting() and setting.ext not in "12":
            by_number = cif.parse(named(str(setting.number), setting, "_space_group_IT_number"))
            assert len(by_number.numbers) == len(list(setting.operations())), setting.xhm()


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("P 21/c", ["P 1 21/c 1", "P 21/c 1 1"]),
        ("P2(1)/c", ["P 1 21/c 1", "P 21/c 1 1"]),
        ("P6(3)/mmc", ["P 63/m m c"]),
        ("F m 3 m", ["F m -3 m"]),
        ("Fm3-m", ["F m -3 m"]),
        ("I a 3 d", ["I a -3 d"]),
        ("P 21/n 21/m 21/a", ["P n m a"]),
        ("F 4/m -3 2/m", ["F m -3 m"]),
        ("P 42/n 21/m 2/c", ["P 42/n m c:1", "P 42/n m c:2"]),
        ("C m c e", ["C m c a"]),
        ("R -3 m H", ["R -3 m:H"]),
        ("R3mR", ["R 3 m:R"]),
        ("H -3", ["R -3:H"]),
        ("F d -3 m Z", ["F d -3 m:2"]),
        ("F d -3 m S", ["F d -3 m:1"]),
        ("F d -3 m (origin choice 2)", ["F d -3 m:2"]),
        ("P n m a Z", ["P n m a"]),
        ("P n m a:cab", ["P b n m"]),
        ("P 1 21/c 1:b1", ["P 1 21/c 1"]),
        ("trigonal", []),
        ("P 1 21/c 1:xyz", []),
        ("", []),
    ],
)
def test_what_people_write(name, settings):
    assert [setting.xhm() for setting in space_group_names.find(name).settings] == settings


def test_the_cell_says_which_axis_is_unique():
    for setting in TABLE:
        if 3 <= setting.number <= 15:
            short = " ".join(word for word in setting.hm.split() if word != "1")
            meant = [
                found for found in space_group_names.find(short).settings if parameters(found) == parameters(setting)
            ]
            assert setting in meant
