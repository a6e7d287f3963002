"""What remains, compared with going through documents by hand."""

from __future__ import annotations

import torch

from nucleate.datasets import load
from nucleate.elements import MAX_NUMBER
from nucleate.geometry import space_groups
from nucleate.models.crystal_llm import vocabulary as words
from nucleate.models.crystal_llm.language import Documents
from nucleate.models.crystal_llm.remainder import SIZES, remaining
from nucleate.models.crystal_llm.sites import describe
from nucleate.models.crystal_llm.tokens import written

NOBODY = MAX_NUMBER + 1


def _by_hand(tokens: list[int]) -> list[tuple[int, int]]:
    """Token by token, as a reader would."""
    size, group, left, turn, found = None, 0, 0, -1, []
    formula: list[list[int]] = []
    for token in tokens:
        settled = size is not None and sum(count for _, count in formula) == size
        if words.COUNTS.start <= token < words.COUNTS.stop:
            if size is None:
                size = left = token - words.COUNTS.start
            else:
                formula[-1][1] = token - words.COUNTS.start
                left -= formula[-1][1]
        elif words.GROUPS.start <= token < words.GROUPS.stop:
            group = token - words.GROUPS.start
        elif words.ELEMENTS.start <= token < words.ELEMENTS.stop and settled:
            turn += 1
            left = formula[turn][1]
        elif words.ELEMENTS.start <= token < words.ELEMENTS.stop:
            formula.append([token - words.ELEMENTS.start, 0])
        elif words.LETTERS.start <= token < words.LETTERS.stop:
            left -= int(space_groups.wyckoff().multiplicity[group, token - words.LETTERS.start])
        settled = size is not None and sum(count for _, count in formula) == size
        after = formula[turn + 1][0] if turn + 1 < len(formula) else NOBODY
        found.append((left, after if settled else 0))
    return found


def documents() -> Documents:
    """Prototypes, with conditions in some of their prompts."""
    crystals = load("prototypes", "test")
    told = torch.rand(len(crystals), 3, generator=torch.Generator().manual_seed(0)) < 0.5
    return written(describe(crystals), torch.full((len(crystals), 2), 0.5), told=told)


def test_rock_salt():
    """<crystal> x2 Na x1 Cl x1 <group 225> 5 .69 Na (a) Cl (b) <end>"""
    sodium, chlorine = words.ELEMENTS.start + 11, words.ELEMENTS.start + 17
    formula = [words.START, words.COUNTS.start + 2, sodium, words.COUNTS.start + 1, chlorine, words.COUNTS.start + 1]
    cell = [words.GROUPS.start + 225, words.WHOLE.start + 5, words.HUNDREDTHS.start + 69]
    sites = [sodium, words.LETTERS.start, chlorine, words.LETTERS.start + 1, words.END]
    told = [(0, 0), (2, 0), (2, 0), (1, 0), (1, 0), (0, 11), (0, 11), (0, 11), (0, 11)]
    told += [(1, 17), (0, 17), (1, NOBODY), (0, NOBODY), (0, NOBODY)]
    assert [tuple(pair) for pair in remaining(torch.tensor([formula + cell + sites]))[0].tolist()] == told


def test_whole_documents():
    found = documents()
    ours = remaining(found.tokens)
    for row, mask, numbers in zip(found.tokens, found.mask, ours, strict=True):
        assert [tuple(pair) for pair in numbers[mask].tolist()] == _by_hand(row[mask].tolist())
        assert numbers[mask][-1].tolist() == [0, NOBODY]


def test_only_what_came_before_counts_and_padding_does_not():
    found = documents()
    whole = remaining(found.tokens)
    for stop in range(1, found.tokens.shape[1]):
        assert torch.equal(remaining(found.tokens[:, :stop]), whole[:, :stop])
    padding = torch.full((len(found.tokens), 3), words.PAD)
    assert torch.equal(remaining(torch.cat([padding, found.tokens], 1))[:, 3:], whole)


def test_nonsense_has_an_answer():
    nonsense = torch.randint(words.SIZE, (500, 60), generator=torch.Generator().manual_seed(0))
    numbers = remaining(nonsense)
    assert bool((numbers >= 0).all())
    assert bool((numbers < torch.tensor(SIZES)).all())
    for stop in (1, 2, 17, 40):
        assert torch.equal(remaining(nonsense[:, :stop]), numbers[:, :stop])
