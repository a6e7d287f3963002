"""Whatever is drawn under the grammar can be read, holds what was asked for, and keeps atoms apart."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nucleate.evaluation.structural_validity import structural_validity
from nucleate.models.crystal_llm import vocabulary as words
from nucleate.models.crystal_llm.grammar import TokenGrammar
from nucleate.models.crystal_llm.language import Wish
from nucleate.models.crystal_llm.reading import read_tokens
from nucleate.models.crystal_llm.tokens import prompt

CPU = torch.device("cpu")


def _walk(prompts: list[list[int]], seed: int, **settings) -> list[list[int]]:
    """Draws each token evenly from what is allowed."""
    grammar = TokenGrammar(prompts, CPU, **settings)
    rng = torch.Generator().manual_seed(seed)
    answers: list[list[int]] = [[] for _ in prompts]
    for _ in range(400):
        allowed = grammar.allowed()
        assert bool(allowed.any(1).all())
        tokens = torch.multinomial(allowed.float(), 1, generator=rng)[:, 0]
        grammar.advance(tokens)
        for answer, token in zip(answers, tokens.tolist(), strict=True):
            answer.append(token)
        if bool((tokens == words.PAD).all()):
            return answers
    raise AssertionError("an answer does not end")


def test_random_walks_can_be_read():
    prompts = [prompt(Wish(num_atoms=n)) for n in range(1, 21) for _ in range(6)]
    crystals = read_tokens(prompts, _walk(prompts, 0))
    assert crystals.built.all()
    assert crystals.counts.tolist() == [n for n in range(1, 21) for _ in range(6)]


def test_formulas_and_conditions_are_held():
    asked = [(11, 17), (3, 15, 26, 8, 8, 8, 8), (22, 8, 8), tuple([8] * 7 + [14] * 3)]
    wishes = [Wish(numbers=numbers, band_gap=1.5, e_above_hull=0.02) for numbers in asked for _ in range(10)]
    prompts = [prompt(wish) for wish in wishes]
    crystals = read_tokens(prompts, _walk(prompts, 1))
    assert crystals.built.all()
    for wish, numbers in zip(wishes, crystals.numbers_of_each(), strict=True):
        assert sorted(numbers.tolist()) == sorted(wish.numbers or ())


def test_a_space_group_that_is_asked_for_is_the_one_that_is_written():
    prompts = [prompt(Wish(numbers=(56, 22, 8, 8, 8), space_group=221))] * 5
    crystals = read_tokens(prompts, _walk(prompts, 2))
    assert crystals.built.all()
    assert set(crystals.info["written_space_group"]) == {221}


def test_a_composition_is_found_that_has_room_in_the_group_that_is_asked_for():
    prompts = [prompt(Wish(num_atoms=n, space_group=225)) for n in (1, 2, 3, 4, 8, 9, 12) for _ in range(8)]
    crystals = read_tokens(prompts, _walk(prompts, 5))
    assert crystals.built.all()
    assert set(crystals.info["written_space_group"]) == {225}


def test_a_composition_that_has_no_room_in_the_group_fails_with_a_reason():
    prompts = [prompt(Wish(numbers=(3, 11, 17), space_group=225))]
    crystals = read_tokens(prompts, _walk(prompts, 0))
    assert crystals.failures.tolist() == ["bad_site"]


@pytest.mark.parametrize("clearance", [0.5, 1.0])
def test_atoms_keep_apart_where_there_is_room(clearance):
    prompts = [prompt(Wish(num_atoms=4))] * 80
    loose = structural_validity(read_tokens(prompts, _walk(prompts, 3)))
    tight = structural_validity(read_tokens(prompts, _walk(prompts, 3, clearance=clearance)))
    near = np.nan_to_num(tight.min_distance, posinf=9) < clearance
    assert near.mean() < 0.5 * (np.nan_to_num(loose.min_distance, posinf=9) < clearance).mean()


def test_only_known_elements_are_written():
    known = torch.zeros(101, dtype=torch.bool)
    known[[3, 8, 26]] = True
    prompts = [prompt(Wish(num_atoms=6))] * 30
    crystals = read_tokens(prompts, _walk(prompts, 4, elements=known))
    assert crystals.built.all()
    assert set(crystals.numbers.tolist()) <= {3, 8, 26}
