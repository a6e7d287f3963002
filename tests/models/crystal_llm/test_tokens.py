from __future__ import annotations

import pytest
import torch

from nucleate.datasets import load
from nucleate.models.crystal_llm import vocabulary as words
from nucleate.models.crystal_llm.language import Wish
from nucleate.models.crystal_llm.sites import Sites, describe
from nucleate.models.crystal_llm.tokens import CrystalTokens, TokensConfig, prompt, written


@pytest.fixture(scope="module")
def block():
    crystals = load("prototypes", "val")
    crystals = crystals[crystals.counts.numpy() <= 20][:30]
    crystals = crystals.with_info(band_gap=[1.234] * 30, e_above_hull=[0.05] * 15 + [None] * 15)
    language = CrystalTokens()
    return crystals, crystals.to(dtype=torch.float32).padded()._replace(labels=language.describe(crystals))


def _rows(documents) -> list[list[int]]:
    return [row[mask].tolist() for row, mask in zip(documents.tokens, documents.mask, strict=True)]


def test_prompts_are_beginnings_of_documents(block):
    crystals, padded = block
    documents = written(Sites.unpacked(padded.labels[:, 2:]))
    for row, numbers in zip(_rows(documents), crystals.numbers_of_each(), strict=True):
        start = prompt(Wish(numbers=tuple(numbers.tolist())))
        assert row[: len(start)] == start


def test_conditions_are_told_where_they_are_known_and_not_learned(block):
    _, padded = block
    language = CrystalTokens(TokensConfig(shuffle=0.0, told=1.0))
    documents = language.documents(padded, torch.Generator().manual_seed(0))
    for i, row in enumerate(_rows(documents)):
        assert words.BAND_GAP in row
        gap = row.index(words.BAND_GAP)
        assert [words.spelled(token) for token in row[gap + 1 : gap + 3]] == ["1", ".23"]
        assert (words.E_ABOVE_HULL in row) == (i < 15)
        assert words.GROUPS.start < row[2] < words.GROUPS.stop
        assert sum(words.GROUPS.start <= token < words.GROUPS.stop for token in row) == 1
        first_answer = int(documents.answer[i].nonzero()[0])
        assert first_answer == gap + 3
    assert bool((documents.answer.sum(1) > 0).all())


def test_prompts_with_conditions_are_beginnings_too(block):
    crystals, padded = block
    language = CrystalTokens(TokensConfig(shuffle=0.0, told=1.0))
    row = _rows(language.documents(padded, torch.Generator()))[0]
    group = int(Sites.unpacked(padded.labels[:, 2:]).group[0])
    wish = Wish(
        numbers=tuple(crystals.numbers_of_each()[0].tolist()), space_group=group, e_above_hull=0.05, band_gap=1.234
    )
    assert row[: len(prompt(wish))] == prompt(wish)


def test_shuffled_documents_are_the_same_crystals(block):
    _, padded = block
    language = CrystalTokens(TokensConfig(shuffle=1.0, told=0.0))
    rows = _rows(language.documents(padded, torch.Generator().manual_seed(1)))
    plain = _rows(written(Sites.unpacked(padded.labels[:, 2:])))
    assert all(row[0] == words.SHUFFLED for row in rows)
    assert [sorted(row[1:]) for row in rows] == [sorted(row[1:]) for row in plain]
    assert any(row[1:] != other[1:] for row, other in zip(rows, plain, strict=True))
    read = language.read(torch.tensor([[words.PAD]] * len(rows)), [Wish(num_atoms=1)] * len(rows))
    assert not read.built.any()
    assert language.lengths(padded).tolist() == [len(row) for row in plain]


def test_prompts_are_padded_on_the_left():
    documents = CrystalTokens().prompts([Wish(num_atoms=3), Wish(numbers=(11, 17))])
    assert documents.mask.tolist() == [[False] * 4 + [True] * 2, [True] * 6]
    assert documents.tokens[0, -1] == words.COUNTS.start + 3


def test_a_size_is_needed():
    with pytest.raises(ValueError, match="number of atoms"):
        prompt(Wish())


def test_what_counts_in_comparing_fillings():
    """All of the formula, half of the structure, nothing of the prompt."""
    documents = written(describe(load("prototypes", "test")[:5]))
    weights = CrystalTokens().weights(documents)
    parts = CrystalTokens().parts(documents)
    assert bool((weights[parts["formula"]] == 1).all())
    assert bool((weights[parts["structure"]] == 0.5).all())
    assert bool((weights[~documents.answer] == 0).all())
