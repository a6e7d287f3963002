from __future__ import annotations

import io
import re

import ase.io
import numpy as np
import pytest
from ase.io.extxyz import per_config_properties
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nucleate.files import Failure, extxyz, plain_frames, read, write
from nucleate.files.entries import scalars
from nucleate.files.failures import BadEntryError
from nucleate.files.reading import PARSER_ERRORS
from tests.files.samples import NACL, assert_same

CELL = "5 0 0 0.5 6 0 0.1 0.2 7"

numbers = st.one_of(
    st.floats(-1e6, 1e6).map(repr),
    st.integers(-(10**6), 10**6).map(str),
    st.sampled_from(["0", "1.", ".5", "-.5", "+2", "1e-3", "2E5", "nan", "inf", "1_0", "1d0", "x", "0x1", "007"]),
)
plain = st.one_of(
    numbers,
    st.integers(10**17, 10**20).map(str),
    st.text("abTFnif.:/+- ", min_size=1, max_size=8),
    st.sampled_from(["T", "F", "true", "FALSE", "tRUE", "mp-149", "Fm-3m", "nan", "inf x", "T F", "_JSON [1]", "a,b"]),
)
QUOTED = ['"1 2 3"', '"T T F"', '"1 2 3 4 5 6 7 8 9"', '"a\\"b"', "'it is'", "{1 2}", "[1, 2]", '""', "a=b", "é"]
AS_JSON = ['"_JSON {\\"a\\": 1}"', '"_JSON \\"007\\""', '"_JSON [[1,2],[3,4]]"']
odd = st.sampled_from([*QUOTED, *AS_JSON])
values = st.one_of(plain.map(lambda text: f'"{text}"' if " " in text or not text else text), odd)
keys = st.one_of(
    st.sampled_from(
        ["energy", "free_energy", "magmom", "stress", "virial", "dipole", "uid", "Uid", "name", "id", "step"]
    ),
    st.sampled_from(
        ["config_type", "pbc", "PBC", "lattice", "_pbc", "a-b", "a.b", "Lattice", "x", "charge", "comment"]
    ),
)
words = st.one_of(
    st.tuples(keys, values).map("=".join), st.sampled_from(["flag", "pbc=T", 'pbc="T T T"', 'pbc="T F T"', "a =1", "="])
)
usual = st.sampled_from(
    [
        "energy=-1.5",
        "name=mp-149",
        'id="two words"',
        "stable=T",
        "step=12",
        "x=1e-3",
        'pbc="T T T"',
        "magmom=0",
        "a-b=F",
    ]
)
properties = st.sampled_from(
    ["species:S:1:pos:R:3"] * 3
    + ["species:S:1:pos:R:3:forces:R:3", "pos:R:3:species:S:1", "species:S:1:pos:R:3:Z:I:1", "Z:I:1:pos:R:3"]
    + ["species:S:1:pos:R:3:tags:I:1", "species:S:1:pos:R:3:move_mask:L:1", "species:S:1:pos:R:3:energy:R:1"]
    + ["species:S:1:pos:R:3:name:S:1", "species:S:1:pos:R:2", "pos:R:3", "species:S:1:pos:R:3:magmoms:R:1:forces:R:3"]
)
symbols = st.sampled_from(["Na", "Cl", "na", "NA", "H", "Og", "X", "Qq", "D", "11"])


@st.composite
def frames(draw: st.DrawFn) -> str:
    layout = draw(properties)
    fields = layout.split(":")
    kinds = [kind for name, kind, count in zip(*[iter(fields)] * 3, strict=True) for kind in [name + kind] * int(count)]
    column = {"speciesS": symbols, "nameS": symbols, "ZI": st.integers(0, 120).map(str), "move_maskL": st.just("T")}
    clean = draw(st.booleans())
    number = st.floats(-9, 9).map(repr) if clean else numbers
    whole = st.integers(0, 9).map(str)
    count = draw(st.integers(0, 3))
    rows = [[draw(column.get(kind, whole if kind[-1] == "I" else number)) for kind in kinds] for _ in range(count)]
    if rows and draw(st.integers(0, 9)) == 0:
        draw(st.sampled_from(rows)).append("7")
    if rows and draw(st.integers(0, 9)) == 0:
        draw(st.sampled_from(rows)).pop()
    comment = [f'Lattice="{CELL}"', f"Properties={layout}"][draw(st.integers(0, 9)) == 0 :]
    comment += draw(st.lists(words if draw(st.booleans()) else usual, max_size=4))
    lines = [str(count), " ".join(draw(st.permutations(comment))), *map(" ".join, rows), ""]
    return "\n".join(lines)


def as_ase_reads(text: str):
    """Symbols, fractional coordinates, cell and information; None if ASE stumbles or there is nothing to compare."""
    try:
        (atoms,) = ase.io.read(io.StringIO(text), format="extxyz", index=":")
    except (*PARSER_ERRORS, StopIteration):
        return None
    results = {} if atoms.calc is None else atoms.calc.results
    info = {**atoms.info, **{name: value for name, value in results.items() if name in per_config_properties}}
    return atoms, scalars(info)


def test_the_tests_meet_both_readers():
    found = {"fast": 0, "ase": 0}

    @settings(deadline=None, max_examples=300, database=None)
    @given(frames())
    def attempt(text):
        _, comment, *lines = text.split("\n")
        try:
            fast = plain_frames.read(comment, [line for line in lines if line.strip()])
        except BadEntryError:
            return
        found["ase" if fast is None else "fast"] += 1

    attempt()
    assert min(found.values()) > 20


@settings(deadline=None, max_examples=200)
@given(frames())
def test_what_is_read_fast_is_what_ase_reads(text):
    _, comment, *lines = text.split("\n")
    lines = [line for line in lines if line.strip()]
    theirs = as_ase_reads(re.sub(r"\bD\b", "H", text))  # ASE knows no isotopes
    try:
        found = plain_frames.read(comment, lines)
    except BadEntryError as error:
        reason = error.reason
        found = None
    else:
        reason = None
    if reason is Failure.UNPARSEABLE:
        assert theirs is None
    assume(found is not None)
    entry, info = found
    assert theirs is not None
    atoms, their_info = theirs
    assert list(info.items()) == list(their_info.items())
    assert [type(value) for value in info.values()] == [type(value) for value in their_info.values()]
    if entry is None:
        assert not len(atoms)
        assert not atoms.cell.rank
        return
    assert entry.numbers.tolist() == atoms.numbers.tolist()
    np.testing.assert_array_equal(entry.lattice, np.asarray(atoms.cell))
    np.testing.assert_array_equal(entry.frac @ entry.lattice, entry.frac @ np.asarray(atoms.cell))
    np.testing.assert_allclose(entry.frac @ entry.lattice, atoms.positions, rtol=1e-12, atol=1e-9)


@settings(deadline=None, max_examples=100)
@given(frames())
def test_both_ways_of_reading_give_the_same(text):
    try:
        expected = extxyz._read_by_ase(*re.sub(r"\bD\b", "H", text).split("\n", 2))
    except (*PARSER_ERRORS, BadEntryError) as error:
        reason = error.reason if isinstance(error, BadEntryError) else Failure.UNPARSEABLE
        with pytest.raises((*PARSER_ERRORS, BadEntryError)) as caught:
            extxyz.parse(text)
        if isinstance(caught.value, BadEntryError) and reason is not Failure.UNPARSEABLE:
            assert caught.value.reason in (reason, Failure.UNKNOWN_ELEMENT)  # of two mistakes either may be named
        return
    found = extxyz.parse(text)
    assert found.numbers.tolist() == expected.numbers.tolist()
    np.testing.assert_array_equal(found.frac, expected.frac)
    np.testing.assert_array_equal(found.lattice, expected.lattice)
    assert repr(found.info) == repr(expected.info)


FRAME = f'2\nLattice="{CELL}" Properties=LAYOUT\n'


@pytest.mark.parametrize(
    ("layout", "rows", "reason", "words"),
    [
        ("species:I:1:pos:R:3", "11 0 0 0\n17 1 1 1\n", Failure.UNKNOWN_ELEMENT, "atomic numbers are named Z:I:1"),
        ("species:S:1:pos:R:3", "11 0 0 0\n17 1 1 1\n", Failure.UNKNOWN_ELEMENT, "'11' is not an element"),
        ("Z:I:1:pos:R:3", "11 0 0 0\n119 1 1 1\n", Failure.UNKNOWN_ELEMENT, "Z=119 is not an element"),
        ("species:S:1:pos:R:3", "Na 0 0 0\nCl 1 1\n", Failure.UNPARSEABLE, "atom 1 has 3 columns of the 4"),
        ("species:S:1:pos:R:3", "Na 0 0 0\nCl 1 1 z\n", Failure.UNPARSEABLE, "atom 1: 'z' is not a number"),
        ("species:S:1:pos:R:3:tags:I:1", "Na 0 0 0 1\nCl 1 1 1 1.5\n", Failure.UNPARSEABLE, "'1.5' is not a number"),
    ],
)
def test_what_is_wrong_is_said_in_words(layout, rows, reason, words):
    with pytest.raises(BadEntryError) as caught:
        extxyz.parse(FRAME.replace("LAYOUT", layout) + rows)
    assert caught.value.reason is reason
    assert words in caught.value.message


def test_atomic_numbers_are_read(tmp_path):
    (tmp_path / "a.xyz").write_text(2 * (FRAME.replace("LAYOUT", "Z:I:1:pos:R:3") + "11 0 0 0\n17 1 1 1\n"))
    assert read(tmp_path / "a.xyz").formulas == ["NaCl", "NaCl"]


def test_what_is_written_here_needs_no_ase(monkeypatch, tmp_path):
    def refuse(*_: object) -> None:
        raise AssertionError("ASE was asked")

    columns = {"spacegroup.number": [225, 1], "elements": ["['Na', 'Cl']", "[]"], "note": ['a "quoted" \\ word', "T"]}
    wanted = NACL.with_info(**columns)
    write(wanted, tmp_path / "a.extxyz")
    monkeypatch.setattr(extxyz, "_read_by_ase", refuse)
    found = read(tmp_path / "a.extxyz", jobs=1)
    assert_same(found, wanted)
    for name, column in columns.items():
        assert found.info[name].tolist() == column
