"""Reading crystals from text: every kind of failure has its reason and its line, and nothing crashes or hangs."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pymatgen.core import Lattice

from nucleate.models.crystal_llm.text_parsing import FAILURE_LINE, TEXT, Reason, parse, read, read_element

SALT = "5.6 5.6 5.6\n90 90 90\nNa\n0.00 0.00 0.00\nCl\n0.50 0.50 0.50"
LINES = SALT.split("\n")


def changed(line: int, text: str) -> str:
    """Rock salt with another line, counted from 1."""
    return "\n".join([*LINES[: line - 1], text, *LINES[line:]])


def cut(lines: int) -> str:
    return "\n".join(LINES[:lines])


def test_rock_salt():
    crystal = read([SALT])
    assert crystal.formulas == ["NaCl"]
    assert crystal.frac.tolist() == [[0, 0, 0], [0.5, 0.5, 0.5]]
    torch.testing.assert_close(crystal.lattice[0], torch.eye(3).double() * 5.6)
    assert crystal.failures.tolist() == [""]
    assert crystal.info[FAILURE_LINE].tolist() == [0]


@pytest.mark.parametrize(
    ("text", "reason", "line"),
    [
        ("", "no_text", 1),
        (" \n\t\r\n", "no_text", 3),
        ("a crystal", "bad_lengths", 1),
        (changed(1, "5.6 5.6"), "bad_lengths", 1),
        (changed(1, "5.6 5.6 5.6 5.6"), "bad_lengths", 1),
        (changed(1, "0.0 5.6 5.6"), "bad_lengths", 1),
        (changed(1, "-5.6 5.6 5.6"), "bad_lengths", 1),
        (changed(1, "1000.1 5.6 5.6"), "bad_lengths", 1),
        (changed(1, "nan 5.6 5.6"), "bad_lengths", 1),
        (changed(1, "inf 5.6 5.6"), "bad_lengths", 1),
        (changed(1, "1e1 5.6 5.6"), "bad_lengths", 1),
        (changed(1, "1_0 5.6 5.6"), "bad_lengths", 1),
        (changed(1, "٥.٦ 5.6 5.6"), "bad_lengths", 1),
        (changed(1, "5.6\u00a05.6\u00a05.6"), "bad_lengths", 1),
        (changed(1, "9" * 400 + " 5.6 5.6"), "bad_lengths", 1),
        (cut(1), "missing_angles", 2),
        (changed(2, "90 90"), "bad_angles", 2),
        (changed(2, "90 90 180"), "bad_angles", 2),
        (changed(2, "90 90 0"), "bad_angles", 2),
        (changed(2, "90 90 ９０"), "bad_angles", 2),
        (changed(2, "30 30 90"), "impossible_cell", 2),
        ("\n\n" + changed(2, "\n120 120 120"), "impossible_cell", 5),
        (cut(2), "no_atoms", 3),
        (changed(3, "Q"), "unknown_element", 3),
        (changed(3, "na"), "unknown_element", 3),
        (changed(3, "Md"), "unknown_element", 3),
        (changed(3, "X"), "unknown_element", 3),
        (changed(3, "Na Cl"), "unknown_element", 3),
        (changed(3, "[MASK]"), "unknown_element", 3),
        (cut(3), "missing_coordinates", 4),
        (cut(5), "missing_coordinates", 6),
        (changed(4, "0.00 0.00"), "bad_coordinates", 4),
        (changed(4, "Cl"), "bad_coordinates", 4),
        (changed(6, "0.50 0.50 0.5x"), "bad_coordinates", 6),
        (changed(6, "0.50 0.50 1234567"), "bad_coordinates", 6),
        (SALT + "\nthe end", "unknown_element", 7),
    ],
)
def test_reasons_and_lines(text, reason, line):
    crystal = read([text], keep_text=True)
    assert (crystal.failures[0], crystal.info[FAILURE_LINE][0]) == (reason, line)
    assert len(crystal.numbers) == 0
    assert bool(crystal.lattice.isnan().all())
    assert crystal.info[TEXT][0] == text


@pytest.mark.parametrize(
    "text",
    [
        f"\n{SALT}\n",
        SALT.replace("\n", "\r\n"),
        SALT.replace("\n", "\n\n"),
        SALT.replace("\n", " \n ").replace(" 5", "  \t5"),
        changed(1, "+5.60000 5.6 5.6"),
        changed(6, "-1.5 .5 12.5"),
        changed(4, "1 0. 1.00"),
    ],
)
def test_what_does_not_matter(text):
    crystal = read([text])
    torch.testing.assert_close(crystal.lattice, read([SALT]).lattice)
    torch.testing.assert_close(crystal.frac, read([SALT]).frac)


def test_failures_stand_among_crystals_in_order():
    crystals = read([SALT, "", cut(3), SALT], keep_text=True, info={"row": [0, 1, 2, 3]})
    assert crystals.failures.tolist() == ["", "no_text", "missing_coordinates", ""]
    assert crystals.counts.tolist() == [2, 0, 0, 2]
    assert crystals.info[TEXT].tolist() == ["", "", cut(3), ""]
    assert crystals.info["row"].tolist() == [0, 1, 2, 3]
    assert TEXT not in read([SALT]).info


def test_no_texts_are_no_crystals():
    assert len(read([])) == 0


def test_the_number_of_atoms_is_bounded():
    text = "9 9 9\n90 90 90" + "\nH\n0.1 0.2 0.3" * 4
    assert parse(text, max_atoms=4).numbers == [1] * 4
    assert (parse(text, max_atoms=3).reason, parse(text, max_atoms=3).line) == ("too_many_atoms", 9)


@given(st.tuples(*[st.integers(1, 9999)] * 3), st.tuples(*[st.integers(10, 170)] * 3))
def test_cells_are_those_of_pymatgen(edges, angles):
    lengths = [edge / 100 for edge in edges]
    text = " ".join(f"{length:.2f}" for length in lengths) + "\n{} {} {}\nH\n0 0 0".format(*angles)
    crystal = read([text])
    squares = np.cos(np.deg2rad(angles))
    gram = 1 + 2 * squares.prod() - (squares**2).sum()
    if abs(gram) < 1e-7:
        return  # flat, but for rounding
    assert crystal.failures.tolist() == ["" if gram > 0 else "impossible_cell"]
    if gram > 0:
        expected = Lattice.from_parameters(*lengths, *angles).matrix
        np.testing.assert_allclose(crystal.lattice[0].numpy(), expected, rtol=1e-9, atol=1e-9 * max(lengths))


@pytest.mark.parametrize(("text", "number"), [("Fe", 26), (" Fm\n", 100), ("", None), ("Md", None), ("X", None)])
def test_elements(text, number):
    assert read_element(text) == number


# --- anything at all ----------------------------------------------------------------------------------------------


def _noise(rng: random.Random) -> str:
    return rng.randbytes(rng.randrange(400)).decode(rng.choice(["latin-1", "utf-8"]), errors="replace")


def _huge(rng: random.Random) -> str:
    number = rng.choice(["1e999", "inf", "-nan", "9" * rng.randrange(1, 5000), "0x1f", "1/2", "--1", "1.2.3", "+"])
    return changed(rng.choice([1, 2, 4, 6]), f"{number} 1 1")


def _digits(rng: random.Random) -> str:
    zero = rng.choice([0x0660, 0x06F0, 0x0966, 0xFF10, 0x1D7CE])
    return "".join(chr(zero + int(c)) if c.isdigit() and rng.random() < 0.5 else c for c in SALT)


def _truncated(rng: random.Random) -> str:
    return SALT[: rng.randrange(len(SALT))]


def _without_lines(rng: random.Random) -> str:
    return "\n".join(line for line in LINES if rng.random() < 0.8)


def _mutated(rng: random.Random) -> str:
    place = rng.randrange(len(SALT))
    return SALT[:place] + rng.choice("\x00\x0b\x1c\u2028 \n-.9Zz[]\ud800") + SALT[place + 1 :]


def _alphabet(rng: random.Random) -> str:
    return "".join(rng.choices("0123456789. \nNaClOH-", k=rng.randrange(300)))


KINDS = [_noise, _huge, _digits, _truncated, _without_lines, _mutated, _alphabet]


def test_ten_thousand_answers_of_any_kind_get_a_crystal_or_a_reason():
    rng = random.Random(0)  # noqa: S311
    texts = [KINDS[i % len(KINDS)](rng) for i in range(10_000)]
    crystals = read(texts, keep_text=True)
    assert len(crystals) == 10_000
    reasons = set(crystals.failures) - {""}
    assert reasons <= set(Reason)
    assert len(reasons) >= 8
    built = crystals.built
    assert 0 < built.sum() < 5_000
    assert (crystals.counts.numpy() > 0).tolist() == built.tolist()
    assert ((crystals.info[FAILURE_LINE] > 0) == ~built).all()
    assert bool(crystals[built].lattice.isfinite().all())
    assert bool(((crystals.frac >= 0) & (crystals.frac < 1)).all())


@given(st.text())
def test_no_text_raises(text):
    assert read([text]).failures[0] in {"", *Reason}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("9 9 9\n90 90 90" + "\nH\n0.1 0.2 0.3" * 1_000_000, "too_many_atoms"),
        ("1 " * 5_000_000, "bad_lengths"),
        (" " * 5_000_000 + "x", "bad_lengths"),
        ("5" * 5_000_000 + " 5 5", "bad_lengths"),
        ("5" + " " * 5_000_000 + "x", "bad_lengths"),
        ("\n" * 5_000_000, "no_text"),
    ],
)
def test_long_texts_are_read_in_linear_time(text, reason):
    """Time is not asserted: with anything quadratic this test would not end."""
    assert parse(text).reason == reason
