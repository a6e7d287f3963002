from __future__ import annotations

from moyopy import SpaceGroupType
from pymatgen.symmetry.groups import SpaceGroup

from nucleate.geometry.space_group_symbols import SYMBOLS


def test_symbols_are_those_of_moyopy():
    assert ("", *(SpaceGroupType(n).hm_short.replace(" ", "") for n in range(1, 231))) == SYMBOLS


def test_pymatgen_knows_them_by_the_same_numbers():
    assert [SpaceGroup(symbol).int_number for symbol in SYMBOLS[16:]] == list(range(16, 231))
