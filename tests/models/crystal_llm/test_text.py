"""Writing crystals as text, and moving and shuffling their atoms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure

from nucleate.crystals import Crystals
from nucleate.models.crystal_llm.text import MASK, TextFormat, shuffled, translated, write
from nucleate.models.crystal_llm.text_parsing import read
from tests.strategies import lattices, positions

SALT = Crystals.build([[11, 17]], [[[0, 0, 0], [0.5, 0.5, 0.5]]], np.eye(3)[None] * 5.64)
FINE = TextFormat(lengths=6, angles=6, coordinates=6)


@st.composite
def crystals(draw: st.DrawFn) -> Crystals:
    """One to three crystals."""
    places = draw(st.lists(positions(), min_size=1, max_size=3))
    numbers = [draw(st.lists(st.integers(1, 100), min_size=len(p), max_size=len(p))) for p in places]
    return Crystals.build(numbers, places, np.stack([draw(lattices) for _ in places]))


def structure(crystal: Crystals) -> Structure:
    return Structure(Lattice(crystal.lattice[0].numpy()), crystal.symbols, crystal.frac.numpy())


def test_rock_salt_is_written_as_in_the_paper():
    assert write(SALT) == ["5.6 5.6 5.6\n90 90 90\nNa\n0.00 0.00 0.00\nCl\n0.50 0.50 0.50"]


def test_decimals_are_a_parameter():
    text = write(SALT, TextFormat(lengths=3, angles=1, coordinates=4))[0]
    assert text == "5.640 5.640 5.640\n90.0 90.0 90.0\nNa\n0.0000 0.0000 0.0000\nCl\n0.5000 0.5000 0.5000"


def test_what_rounds_to_one_is_zero():
    edge = replace(SALT, frac=torch.tensor([[0.996, 0.994, 0.0], [0.5, 0.5, 0.5]], dtype=torch.float64))
    assert write(edge)[0].splitlines()[3] == "0.00 0.99 0.00"


def test_a_short_edge_is_not_written_as_nothing():
    short = replace(SALT, lattice=torch.diag(torch.tensor([0.01, 3.0, 3.0])).double()[None])
    assert write(short)[0].startswith("0.1 3.0 3.0\n")


def test_an_element_is_hidden_wherever_it_stands_and_nothing_else():
    places = [np.zeros((3, 3)), np.zeros((2, 3))]
    carbides = Crystals.build([[20, 6, 6], [6, 17]], places, np.stack([np.eye(3) * 4] * 2))
    hidden, plain = write(carbides, hidden=[6, 0])
    assert hidden.splitlines()[2::2] == ["Ca", MASK, MASK]
    assert plain.splitlines()[2::2] == ["C", "Cl"]


@pytest.mark.parametrize(
    "broken",
    [
        Crystals.failed(["lost"]),
        Crystals.build([[]], [[]], np.eye(3)[None]),
        replace(SALT, lattice=torch.diag(torch.tensor([1.0, 1.0, 0.0])).double()[None]),
    ],
)
def test_what_is_no_crystal_cannot_be_written(broken):
    with pytest.raises(ValueError, match="crystal 1 cannot be written"):
        write(Crystals.concat([SALT, broken]))


@given(crystals())
def test_reading_gives_back_what_was_written(original):
    back = read(write(original, FINE))
    assert back.failures.tolist() == [""] * len(original)
    assert torch.equal(back.numbers, original.numbers)
    shift = back.frac - original.frac
    assert float((shift - shift.round()).abs().max()) < 1e-6
    for one, two in zip(original, back, strict=True):
        mine, theirs = structure(one), structure(two)
        np.testing.assert_allclose(mine.lattice.parameters, theirs.lattice.parameters, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(mine.distance_matrix, theirs.distance_matrix, atol=2e-3)


@given(crystals(), st.integers(0, 3), st.integers(0, 3), st.integers(1, 4))
def test_writing_what_was_read_changes_nothing(original, lengths, angles, coordinates):
    form = TextFormat(lengths=lengths, angles=angles, coordinates=coordinates)
    texts = write(original, form)
    back = read(texts)
    solid = torch.from_numpy(back.built)
    assert write(back[solid], form) == [text for text, kept in zip(texts, solid.tolist(), strict=True) if kept]


@given(crystals(), st.integers(0, 100))
def test_a_translation_leaves_all_differences(original, seed):
    """Not compared as distances: pymatgen misses the nearest image in some skewed cells."""
    moved = translated(original, torch.Generator().manual_seed(seed))
    assert bool(((moved.frac >= 0) & (moved.frac < 1)).all())
    assert not torch.allclose(moved.frac, original.frac)
    for one, two in zip(original, moved, strict=True):
        shift = two.frac - one.frac
        turns = shift - shift[0]
        assert float((turns - turns.round()).abs().max()) < 1e-9
        assert torch.equal(one.lattice, two.lattice)


def test_each_crystal_has_a_translation_of_its_own():
    moved = translated(Crystals.concat([SALT, SALT]), torch.Generator().manual_seed(0))
    shift = (moved.frac - torch.cat([SALT.frac, SALT.frac])) % 1
    torch.testing.assert_close(shift[0], shift[1])
    assert not torch.allclose(shift[0], shift[2])


@given(crystals(), st.integers(0, 100))
def test_shuffling_keeps_atoms_with_their_places_and_crystals(original, seed):
    mixed = shuffled(original, torch.Generator().manual_seed(seed))
    assert torch.equal(mixed.counts, original.counts)
    for one, two in zip(original, mixed, strict=True):
        rows = [sorted(zip(c.numbers.tolist(), c.frac.tolist(), strict=True)) for c in (one, two)]
        assert rows[0] == rows[1]


def test_shuffling_reaches_every_order_alike():
    three = Crystals.build([[1, 2, 3]] * 3000, [np.zeros((3, 3))] * 3000, np.stack([np.eye(3)] * 3000))
    mixed = shuffled(three, torch.Generator().manual_seed(0)).numbers.reshape(-1, 3)
    _, counts = torch.unique(mixed, dim=0, return_counts=True)
    assert len(counts) == 6
    assert int(counts.min()) > 400


def test_the_seed_fixes_the_augmentation():
    for change in (translated, shuffled):
        one, two = (change(SALT, torch.Generator().manual_seed(4)) for _ in range(2))
        assert torch.equal(one.frac, two.frac)
