"""What is asked in words, and how examples are drawn."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import torch

from nucleate.crystals import Crystals
from nucleate.models.crystal_llm.language import Wish
from nucleate.models.crystal_llm.prompts import (
    TasksConfig,
    draw_examples,
    generation_prompt,
    infill_prompts,
)
from nucleate.models.crystal_llm.text import MASK, TextFormat, write
from nucleate.models.crystal_llm.text_parsing import read

SALT = Crystals.build([[11, 17]], [[[0, 0, 0], [0.5, 0.5, 0.5]]], np.eye(3)[None] * 5.64)
LABELS = torch.tensor([[225.0, 0.0, 5.0]])
SAID = {
    "numbers": ((11, 11, 17, 17), "Formula of the unit cell: Na2Cl2"),
    "space_group": (194, "Space group: P6_3/mmc (number 194)"),
    "e_above_hull": (0.0254, "Energy above the hull: 0.025 eV per atom"),
    "band_gap": (3.149, "Band gap: 3.15 eV"),
}


def many(count: int) -> Crystals:
    return Crystals.concat([SALT] * count)


def drawn(count: int, labels: torch.Tensor | None = LABELS, seed: int = 0, **shares: float):
    rows = None if labels is None else labels.expand(count, -1)
    rng = torch.Generator().manual_seed(seed)
    return draw_examples(many(count), rows, TasksConfig(**shares), TextFormat(), rng)


@pytest.mark.parametrize("names", [names for size in range(5) for names in combinations(SAID, size)])
def test_any_subset_can_be_asked_for_and_nothing_else_is_said(names):
    prompt = generation_prompt(Wish(**{name: SAID[name][0] for name in names}))
    for name, (_, line) in SAID.items():
        assert (f"\n{line}\n" in prompt) == (name in names)
    assert "atoms:" not in prompt
    assert prompt.endswith("\nCrystal:\n")


def test_the_number_of_atoms_goes_without_saying_where_the_formula_is_said():
    assert "\nNumber of atoms: 12\n" in generation_prompt(Wish(num_atoms=12))
    assert generation_prompt(Wish(numbers=(8, 8), num_atoms=2)) == generation_prompt(Wish(numbers=(8, 8)))


def test_the_order_of_atoms_in_a_formula_does_not_matter():
    assert generation_prompt(Wish(numbers=(8, 22, 8))) == generation_prompt(Wish(numbers=(22, 8, 8)))


def test_zero_has_no_sign():
    assert "hull: 0.000 eV" in generation_prompt(Wish(e_above_hull=-0.0001))
    assert "hull: -0.100 eV" in generation_prompt(Wish(e_above_hull=-0.1))


@pytest.mark.parametrize("wish", [Wish(space_group=0), Wish(space_group=231), Wish(band_gap=float("nan"))])
def test_what_cannot_be_asked_for(wish):
    with pytest.raises(ValueError, match=r"space group|asked for"):
        generation_prompt(wish)


def test_infilling_shows_the_rest_of_the_crystal_unchanged():
    (prompt,) = infill_prompts(SALT, [17])
    shown = prompt.split("\n", 1)[1].removesuffix("\nElement:\n")
    assert shown == write(SALT)[0].replace("Cl", MASK)
    assert read([shown.replace(MASK, "Cl")]).formulas == ["NaCl"]
    with pytest.raises(ValueError, match="has no O"):
        infill_prompts(SALT, [8])


def test_answers_of_generation_are_the_crystal():
    answers = {example.answer for example in drawn(50, infill=0.0)}
    assert answers == {write(SALT)[0]}


def test_answers_of_infilling_are_the_hidden_element():
    examples = drawn(50, infill=1.0)
    assert {example.answer for example in examples} == {"Na", "Cl"}
    for example in examples:
        (whole,) = read([example.prompt.split("\n", 1)[1].removesuffix("\nElement:\n").replace(MASK, example.answer)])
        assert whole.formulas == ["NaCl"]
        assert f"\n{example.answer}\n" not in example.prompt


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Formula of the unit cell: NaCl", "formula"),
        ("Number of atoms: 2", "num_atoms"),
        ("Space group: Fm-3m (number 225)", "space_group"),
        ("Energy above the hull: 0.000 eV per atom", "e_above_hull"),
        ("Band gap: 5.00 eV", "band_gap"),
    ],
)
def test_each_condition_is_said_as_often_as_the_configuration_says(line, name):
    shares = dict.fromkeys(("formula", "num_atoms", "space_group", "e_above_hull", "band_gap"), 0.0)
    examples = drawn(2000, infill=0.25, unconditional=0.2, **{**shares, name: 0.5})
    found = np.mean([f"\n{line}\n" in example.prompt for example in examples])
    assert found == pytest.approx(0.75 * 0.8 * 0.5, abs=0.04)
    assert np.mean([MASK in example.prompt for example in examples]) == pytest.approx(0.25, abs=0.03)


def test_conditions_are_drawn_independently():
    everything = drawn(2000, infill=0.0, unconditional=0.0)
    assert len({example.prompt for example in everything}) == 3 * 8  # formula, number of atoms, or neither


@pytest.mark.parametrize("labels", [None, torch.full((1, 3), torch.nan)])
def test_nothing_is_said_that_is_not_known(labels):
    shares = dict.fromkeys(("formula", "num_atoms"), 0.0) | dict.fromkeys(("space_group", "e_above_hull"), 1.0)
    prompts = {example.prompt for example in drawn(20, labels, infill=0.0, unconditional=0.0, band_gap=1.0, **shares)}
    assert prompts == {generation_prompt(Wish())}


def test_the_seed_fixes_the_examples():
    assert drawn(30, seed=1) == drawn(30, seed=1)
    assert drawn(30, seed=1) != drawn(30, seed=2)


def test_decimals_are_a_parameter():
    fine = draw_examples(SALT, None, TasksConfig(infill=0.0), TextFormat(lengths=3), torch.Generator())
    assert fine[0].answer.startswith("5.640 5.640 5.640\n")
    moved = replace(SALT, frac=SALT.frac + 0.125)
    assert "0.125" in infill_prompts(moved, [11], TextFormat(coordinates=3))[0]
