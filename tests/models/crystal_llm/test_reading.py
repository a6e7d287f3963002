"""Each thing that can be wrong with a document has its reason, and none of them raises."""

from __future__ import annotations

import numpy as np
import pytest

from nucleate.models.crystal_llm import vocabulary as words
from nucleate.models.crystal_llm.reading import read_tokens

NA, CL = words.ELEMENTS.start + 11, words.ELEMENTS.start + 17
A, B, C = (words.LETTERS.start + letter for letter in range(3))
CELL = [words.WHOLE.start + 5, words.HUNDREDTHS.start + 64]
ONE, TWO = words.COUNTS.start + 1, words.COUNTS.start + 2
SALT = [words.START, TWO, NA, ONE, CL, ONE, words.GROUPS.start + 225, *CELL, NA, A, CL, B, words.END]


def _read(tokens: list[int]) -> str:
    return str(read_tokens([[]], [tokens]).failures[0])


def test_rock_salt():
    crystal = read_tokens([SALT[:3]], [SALT[3:] + [words.PAD] * 4])
    assert crystal.formulas == ["NaCl"]
    assert float(crystal.lattice.det().abs()) == pytest.approx(5.64**3 / 4, rel=1e-6)
    assert sorted(crystal.frac.sum(1).tolist()) == [0, 1.5]


def _with(place: int, *tokens: int) -> list[int]:
    return [*SALT[:place], *tokens, *SALT[place + 1 :]]


@pytest.mark.parametrize(
    ("tokens", "reason"),
    [
        ([], "no_start"),
        (SALT[:1], "truncated"),
        (SALT[:6], "truncated"),
        (SALT[:-1], "truncated"),
        (_with(1, NA), "no_size"),
        (_with(3, TWO), "bad_space_group"),
        (_with(5, TWO), "bad_formula"),
        (_with(4, NA), "bad_formula"),
        (_with(6, NA), "bad_space_group"),
        (_with(6, words.GROUPS.start), "bad_space_group"),
        (_with(7, NA), "bad_lengths"),
        (_with(9, CL), "wrong_elements"),
        (_with(10, NA), "bad_site"),
        (_with(10, words.LETTERS.start + 20), "bad_site"),
        (_with(10, C), "wrong_count"),
        (_with(13, NA), "no_end"),
    ],
)
def test_reasons(tokens, reason):
    assert _read(tokens) == reason


def test_angles_that_close_no_corner():
    angles = [words.WHOLE.start + 20, words.HUNDREDTHS.start] * 2 + [words.WHOLE.start + 170, words.HUNDREDTHS.start]
    place = [words.PLACES.start] * 3
    tokens = [words.START, ONE, NA, ONE, words.GROUPS.start + 1, *CELL * 3, *angles, NA, A, *place, words.END]
    assert _read(tokens) == "impossible_cell"


def test_any_tokens_get_a_crystal_or_a_reason():
    rng = np.random.default_rng(0)
    answers = []
    for _ in range(3000):
        tokens = np.array(SALT)
        places = rng.integers(len(tokens), size=rng.integers(1, 7))
        tokens[places] = rng.integers(words.SIZE, size=len(places))
        answers.append(tokens[: rng.integers(len(tokens) + 1) if rng.random() < 0.3 else None].tolist())
    crystals = read_tokens([[]] * len(answers), answers)
    assert len(crystals) == len(answers)
    assert 0 < crystals.built.sum() < len(answers)
    assert {"truncated", "bad_formula", "bad_lengths"} <= set(crystals.failures)


def test_every_token_has_a_name():
    names = [words.spelled(token) for token in range(words.SIZE)]
    assert len(set(names)) == words.SIZE
    with pytest.raises(ValueError, match="token"):
        words.spelled(words.SIZE)
