from __future__ import annotations

import io
import re
from itertools import pairwise

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from hypothesis import given, settings
from hypothesis import strategies as st

from nucleate.crystals import Crystals
from nucleate.files import Failure, extxyz, read, write
from nucleate.files.entries import collect
from nucleate.files.failures import BadEntryError
from tests.files.samples import MIXED, NACL, assert_same, assert_same_atoms, assert_same_info, crystals, few

FRAME = '2\nLattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3 energy=-1.5\nCs 0 0 0\nCl 2 2 2\n'

names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), min_size=1).filter(
    lambda name: name not in ("failure", "detail")
)
values = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.sampled_from(
        ["T", "False", "1e5", "007", "nan", "1 2 3", "a=b", "[1]", '"', "\\", "\\n", "x\ny", "_JSON 1", " a "]
    ),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.booleans(),
)


def parsed(text: str) -> Crystals:
    return collect([extxyz.parse(frame) for frame in extxyz.split(text)])


@settings(deadline=None, max_examples=20)
@given(few)
def test_what_is_written_is_read_back(parts):
    batch = Crystals.concat(parts)
    found = parsed(extxyz.dump(batch))
    assert_same(found, batch, 1e-9)
    np.testing.assert_array_equal(found.lattice, batch.lattice)


@settings(deadline=None, max_examples=15)
@given(crystals(at_most=8))
def test_ase_reads_the_same(crystal):
    atoms = ase.io.read(io.StringIO(extxyz.dump(crystal)), format="extxyz")
    assert_same_atoms(atoms.numbers, atoms.get_scaled_positions(), crystal, 1e-9)
    np.testing.assert_array_equal(np.asarray(atoms.cell), crystal.lattice[0])
    assert atoms.pbc.all()


@settings(deadline=None, max_examples=100)
@given(names, values)
def test_every_value_of_info_comes_back(name, value):
    crystal = NACL[0]
    found = parsed(extxyz.dump(Crystals(*_parts(crystal), {name: _column(value)}))).info
    np.testing.assert_array_equal(found[name], _column(value))
    assert type(found[name].tolist()[0]) is type(value)


def _parts(crystal: Crystals):
    return crystal.numbers, crystal.frac, crystal.lattice, crystal.counts


def _column(value) -> np.ndarray:
    column = np.empty(1, dtype=object if isinstance(value, str) else type(value))
    column[0] = value
    return column


def test_ase_understands_the_info():
    frames = ase.io.read(io.StringIO(extxyz.dump(NACL)), index=":", format="extxyz")
    assert [frame.info["name"] for frame in frames] == ["first", "second one"]
    assert [frame.info["stable"] for frame in frames] == [True, False]
    assert frames[0].get_potential_energy() == -1.5


def test_a_crystal_that_failed_keeps_its_place(tmp_path):
    write(MIXED, tmp_path / "some.extxyz")
    found = read(tmp_path / "some.extxyz")
    assert_same_info(found, MIXED)
    assert_same(found[[0, 2]], NACL)
    assert len(ase.io.read(tmp_path / "some.extxyz", index=":")) == 3


def test_names_with_a_meaning_in_ase_come_back():
    info = {name: [1.5] for name in ("Lattice", "pbc", "stress", "virial", "energy", "uid", "_pbc", "__pbc", "dipole")}
    crystal = NACL[0].with_info(**info)
    assert_same_info(parsed(extxyz.dump(crystal)), crystal)


def test_what_ase_writes_is_read(tmp_path):
    atoms = Atoms("CsCl", cell=[4, 4, 4], scaled_positions=[[0, 0, 0], [0.5, 0.5, 0.5]], pbc=True, info={"id": "a1"})
    atoms.calc = SinglePointCalculator(atoms, energy=-3.25, stress=np.arange(6.0), forces=np.zeros((2, 3)))
    ase.io.write(tmp_path / "ase.xyz", [atoms, atoms], format="extxyz")
    found = read(tmp_path / "ase.xyz")
    assert found.formulas == ["CsCl", "CsCl"]
    assert found.info["energy"].tolist() == [-3.25, -3.25]
    assert found.info["id"].tolist() == ["a1", "a1"]
    assert found.info["stress"].tolist() == ["[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]"] * 2
    assert set(found.info) == {"energy", "id", "stress"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (FRAME.replace('Lattice="4 0 0 0 4 0 0 0 4" ', ""), Failure.BAD_LATTICE),
        (FRAME.replace("0 0 4", "0 8 0"), Failure.ZERO_VOLUME),
        (FRAME.replace("2 2 2", "2 nan 2"), Failure.NOT_FINITE),
        (FRAME.replace("Cl", "Qq"), Failure.UNKNOWN_ELEMENT),
        (FRAME.replace("Cl", "X"), Failure.UNKNOWN_ELEMENT),
        ('0\nLattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3\n', Failure.NO_ATOMS),
    ],
)
def test_each_way_to_fail_has_its_reason(text, reason):
    with pytest.raises(BadEntryError) as caught:
        extxyz.parse(text)
    assert caught.value.reason is reason


def test_deuterium_is_hydrogen():
    assert parsed(FRAME.replace("Cs", "D")).formulas == ["HCl"]


def test_the_cell_may_follow_the_atoms():
    text = "1\ncomment\nPo 0 0 0\nVEC1 3 0 0\nVEC2 0 3 0\nVEC3 0 0 3\n\n"
    found = parsed(text + text)
    assert found.lattice.tolist() == [(3 * np.eye(3)).tolist()] * 2


def test_a_bad_frame_does_not_spoil_its_neighbours(tmp_path):
    (tmp_path / "a.xyz").write_text(FRAME + FRAME.replace("2 2 2", "2 2") + "\n" + FRAME + "three\n" + FRAME)
    found = read(tmp_path / "a.xyz")
    assert found.formulas == ["CsCl", "", "CsCl", "", "CsCl"]
    assert found.failures.tolist() == ["", Failure.UNPARSEABLE] * 2 + [""]
    assert found.info["detail"][1].startswith("a.xyz, row 1: ")
    assert "three" in found.info["detail"][3]


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (FRAME + "Cl 1 1 1\n", "says 2 atoms and has 3"),
        (FRAME[:-9], "says 2 atoms and has 1"),
        (FRAME.replace("2", "2x", 1), "'2x' is no number of atoms"),
        (FRAME.replace("Cs", "Xx", 1), "not an element"),
        (FRAME.replace("Cs 0 0", "Cs 0 nan"), "nan"),
    ],
)
def test_a_broken_frame_is_one_failure(tmp_path, bad, says):
    (tmp_path / "a.extxyz").write_text(FRAME + bad + FRAME)
    found = read(tmp_path / "a.extxyz")
    assert found.built.tolist() == [True, False, True]
    assert says in found.info["detail"][1]


def test_a_file_that_ends_early_keeps_its_whole_frames(tmp_path):
    (tmp_path / "a.extxyz").write_text(FRAME + FRAME[:-8])
    found = read(tmp_path / "a.extxyz")
    assert found.failures.tolist() == ["", Failure.UNPARSEABLE]


def cut_by_definition(text: str) -> list[str]:
    """Frames as they are defined, from a list of all lines; time grows with the square of their number."""
    lines = text.split("\n")
    begins = [
        place
        for place, (line, following) in enumerate(pairwise(lines))
        if extxyz.KEYS.search(following) and not extxyz.ATOM.match(line) and line.strip()
    ]
    found, start = [], 0
    while start < len(lines):
        if not lines[start].strip():
            start += 1
            continue
        end = next((place for place in begins if place > start), len(lines))
        if re.fullmatch("[0-9]{1,9}", lines[start].strip()):
            whole = start + 2 + int(lines[start])
            while whole < len(lines) and lines[whole].lstrip().startswith("VEC"):
                whole += 1
            following = next((line for line in lines[whole:] if line.strip()), "")
            if not extxyz.ATOM.match(following):
                end = min(end, whole)
        found.append("\n".join(lines[start:end]))
        start = end
    return found


COUNTS = ["0", "1", "2", "3", "1200", "x", "", " "]
ROWS = ["Cs 0 0 0", "11 0 0 0", "VEC1 3 0 0", "VEC2 0 3 0", "comment", "a=b"]
KEYS = ['Lattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3', 'pbc="T T T"', "properties=x", FRAME.rstrip("\n")]

pieces = st.sampled_from([*COUNTS, *ROWS, *KEYS])


@settings(deadline=None, max_examples=300)
@given(st.lists(pieces, max_size=25), st.sampled_from([1, 2, 1024]))
def test_frames_are_cut_as_they_are_defined(lines, block):
    text = "\n".join(lines)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(extxyz, "BLOCK", block)
        assert [frame.rstrip("\n") for frame in extxyz.split(text)] == [
            frame.rstrip("\n") for frame in cut_by_definition(text)
        ]


def test_a_frame_is_given_before_the_next_is_read():
    taken = 0

    def lines():
        nonlocal taken
        for line in FRAME.splitlines(keepends=True) * 1000:
            taken += 1
            yield line

    found = extxyz.frames(lines())
    assert next(found) == FRAME
    assert taken <= 6


def test_the_work_grows_as_the_number_of_frames():
    """Looks at lines are counted, not seconds."""
    looks = []
    for count in (200, 2000):
        lines = CountedLines(FRAME.splitlines(keepends=True) * count)
        assert len(list(extxyz.frames(lines))) == count
        looks.append(lines.taken)
    assert looks[1] < 11 * looks[0]


class CountedLines(list):
    """Lines that count how often one is taken out."""

    taken = 0

    def __iter__(self):
        for line in super().__iter__():
            self.taken += 1
            yield line

    def __getitem__(self, place):
        self.taken += 1
        return super().__getitem__(place)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_may_end_as_any_system_ends_them(end, tmp_path):
    (tmp_path / "a.xyz").write_bytes((2 * FRAME).replace("\n", end).encode())
    assert read(tmp_path / "a.xyz").formulas == ["CsCl", "CsCl"]


def test_a_frame_that_cannot_be_read_carries_what_it_says(tmp_path):
    (tmp_path / "a.xyz").write_text(FRAME + FRAME.replace("Cl", "Qq").replace("energy", "id=x7 energy"))
    found = read(tmp_path / "a.xyz")
    assert found.failures.tolist() == ["", Failure.UNKNOWN_ELEMENT]
    assert found.info["id"].tolist() == [None, "x7"]
    assert found.info["energy"].tolist() == [-1.5, -1.5]
