"""Between crystals and tokens, with a byte-level tokenizer and one that works as LLaMA 2's does."""

from __future__ import annotations

import builtins
import random
from dataclasses import replace

import numpy as np
import pytest
import torch
from pymatgen.core import Lattice, Structure
from torch.nn.utils.rnn import pad_sequence

from nucleate.crystals import Crystals, Padded
from nucleate.elements import NUMBERS
from nucleate.errors import UserError
from nucleate.models.crystal_llm.language import Wish
from nucleate.models.crystal_llm.prompts import TasksConfig
from nucleate.models.crystal_llm.text import MASK, TextFormat, write
from nucleate.models.crystal_llm.text_language import TextConfig, TextLanguage, load_tokenizer
from nucleate.models.crystal_llm.text_parsing import FAILURE_LINE, TEXT, Reason
from tests.models.crystal_llm.tiny import TOKENIZERS, byte_tokenizer, two_crystals

STILL = TextConfig(translate=False, shuffle=False, tasks=TasksConfig(infill=0.0, unconditional=0.0))


@pytest.fixture(scope="module", params=TOKENIZERS)
def tokenizer(request):
    return TOKENIZERS[request.param]()


@pytest.fixture
def language(tokenizer) -> TextLanguage:
    return TextLanguage(tokenizer, STILL)


def padded(language: TextLanguage, crystals: Crystals | None = None) -> Padded:
    crystals = two_crystals() if crystals is None else crystals
    return crystals.padded()._replace(labels=language.describe(crystals))


def documents(language: TextLanguage, seed: int = 0):
    return language.documents(padded(language), torch.Generator().manual_seed(seed))


def decoded(language: TextLanguage, tokens: torch.Tensor) -> str:
    return language.tokenizer.decode(tokens.tolist(), skip_special_tokens=True, clean_up_tokenization_spaces=False)


def test_documents_are_padded_on_the_right_and_end_with_the_end_that_is_learned(language):
    tokens, mask, answer = documents(language)
    for row, there, learned in zip(tokens, mask, answer, strict=True):
        count = int(there.sum())
        assert there.tolist() == [True] * count + [False] * (len(row) - count)
        assert int(row[0]) == language.tokenizer.bos_token_id
        assert int(row[count - 1]) == language.end
        assert bool(learned[count - 1])
        assert learned.tolist() == sorted(learned[:count].tolist()) + [False] * (len(row) - count)


def test_what_is_learned_is_the_crystal(language):
    tokens, _, answer = documents(language)
    for row, learned, text in zip(tokens, answer, write(two_crystals()), strict=True):
        assert decoded(language, row[learned]) == text


def test_the_whole_document_is_learned_if_asked_for(tokenizer):
    everything = documents(TextLanguage(tokenizer, replace(STILL, answer_only=False)))
    assert torch.equal(everything.answer, everything.mask)


def test_a_prompt_in_sampling_is_the_beginning_of_a_document(language):
    wishes = [
        Wish(numbers=(11, 17), space_group=225, e_above_hull=0.0, band_gap=5.0),
        Wish(numbers=(22, 22, 8, 8, 8, 8), space_group=136, e_above_hull=0.03, band_gap=1.8),
    ]
    said = TasksConfig(infill=0, unconditional=0, formula=1, num_atoms=1, space_group=1, e_above_hull=1, band_gap=1)
    whole = documents(TextLanguage(language.tokenizer, replace(STILL, tasks=said)))
    asked = language.prompts(wishes)
    assert not bool(asked.answer.any())
    for row in range(2):
        prompt = asked.tokens[row][asked.mask[row]]
        assert whole.tokens[row, : len(prompt)].tolist() == prompt.tolist()
        assert int(whole.answer[row].nonzero()[0]) == len(prompt)


def test_prompts_are_padded_on_the_left(language):
    _, mask, _ = language.prompts([Wish(), Wish(band_gap=1.0)])
    assert bool(mask[:, -1].all())
    assert mask.tolist() == [sorted(row) for row in mask.tolist()]
    assert not bool(mask[0, 0])


def test_answers_are_read_up_to_their_end(language):
    rows = [[*answer, language.pad, 5, 5] for answer in language.answers(write(two_crystals()))]
    width = max(map(len, rows))
    tokens = torch.tensor([row + [language.pad] * (width - len(row)) for row in rows])
    crystals = language.read(tokens, [Wish(), Wish(numbers=(8, 22, 8, 8, 8, 22))])
    assert crystals.failures.tolist() == ["", ""]
    assert crystals.formulas == ["NaCl", "Ti2O4"]


def _read(language: TextLanguage, text: str, wish: Wish | None = None, ended: bool = True) -> Crystals:
    (answer,) = language.answers([text])
    return language.read(torch.tensor([answer if ended else answer[:-1]]), [wish or Wish()])


@pytest.mark.parametrize(
    ("lines", "ended", "reason", "line"),
    [
        (slice(0, 6), True, "", 0),
        (slice(0, 6), False, "no_end", 6),
        (slice(0, 5), False, "no_end", 5),
        (slice(0, 5), True, "missing_coordinates", 6),
        (slice(2, 6), False, "bad_lengths", 1),
    ],
)
def test_an_answer_that_was_cut_is_told_from_one_that_is_wrong(language, lines, ended, reason, line):
    text = "\n".join(write(two_crystals())[0].split("\n")[lines])
    crystal = _read(language, text, ended=ended)
    assert (crystal.failures[0], crystal.info[FAILURE_LINE][0]) == (reason, line)


def test_another_formula_than_the_one_asked_for_is_a_failure(tokenizer):
    language = TextLanguage(tokenizer, replace(STILL, keep_text=True))
    text = write(two_crystals())[0]
    crystal = _read(language, text, Wish(numbers=(11, 11, 17, 17)))
    assert (crystal.failures[0], crystal.info[FAILURE_LINE][0]) == ("wrong_formula", 0)
    assert crystal.info[TEXT][0] == text
    assert len(crystal.numbers) == 0


def test_any_tokens_are_read(language):
    rng = random.Random(0)  # noqa: S311
    rows = [[rng.randrange(language.vocabulary) for _ in range(60)] for _ in range(300)]
    crystals = language.read(torch.tensor(rows), [Wish()] * 300)
    assert set(crystals.failures) <= {"", *Reason}
    assert len(crystals) == 300


def test_the_longest_answer_has_room(language):
    wide = Crystals.build([[89] * 30], [np.full((30, 3), 0.123)], np.eye(3)[None] * 123.4)
    for form in (TextFormat(), TextFormat(lengths=3, angles=2, coordinates=5)):
        language.config = replace(STILL, form=form)
        (answer,) = language.answers(write(wide, form))
        room = language.longest([Wish(numbers=(89,) * 30)])
        assert len(answer) <= room
    assert language.longest([Wish(num_atoms=30), Wish(num_atoms=2)]) == language.longest([Wish(num_atoms=30)])
    assert language.longest([Wish()]) == language.longest([Wish(num_atoms=STILL.room)])


def test_fillings_ask_for_the_hidden_element_and_answer_with_the_candidate(language):
    tokens, mask, answer = language.fillings(padded(language), torch.tensor([17, 8]), torch.tensor([17, 16]))
    for row, hidden, candidate in zip(range(2), ("Cl", "O"), ("Cl", "S"), strict=True):
        prompt = decoded(language, tokens[row][mask[row] & ~answer[row]])
        assert MASK in prompt
        assert f"\n{hidden}\n" not in prompt
        assert decoded(language, tokens[row][answer[row]]) == candidate
    with pytest.raises(ValueError, match="has no O"):
        language.fillings(padded(language), torch.tensor([8, 8]), torch.tensor([17, 16]))


def test_fillings_are_what_was_learned(tokenizer):
    language = TextLanguage(tokenizer, replace(STILL, tasks=TasksConfig(infill=1.0)))
    whole = documents(language)
    answers = [decoded(language, row[there]) for row, there in zip(whole.tokens, whole.answer, strict=True)]
    hidden = torch.tensor([NUMBERS[answer] for answer in answers])
    assert torch.equal(language.fillings(padded(language), hidden, hidden).tokens, whole.tokens)


def test_augmentation_is_fixed_by_the_seed_and_changes_the_document(tokenizer):
    language = TextLanguage(tokenizer, TextConfig())
    assert torch.equal(documents(language).tokens, documents(language).tokens)
    assert documents(language, 1).tokens.tolist() != documents(language, 2).tokens.tolist()


def test_augmented_documents_are_the_same_crystal(tokenizer):
    fine = TextFormat(lengths=6, angles=6, coordinates=6)
    language = TextLanguage(tokenizer, replace(STILL, translate=True, shuffle=True, form=fine))
    tokens, _, answer = documents(language)
    answers = pad_sequence([row[there] for row, there in zip(tokens, answer, strict=True)], True, language.pad)
    back = language.read(answers, [Wish()] * 2)
    assert not torch.allclose(back.frac, two_crystals().frac)
    for original, moved in zip(two_crystals(), back, strict=True):
        assert original.formulas == moved.formulas
        one, two = (Structure(Lattice(c.lattice[0].numpy()), c.symbols, c.frac.numpy()) for c in (original, moved))
        distances = [np.sort(structure.distance_matrix.ravel()) for structure in (one, two)]
        np.testing.assert_allclose(*distances, atol=1e-4)


def test_a_tokenizer_without_an_end_is_refused():
    tokenizer = byte_tokenizer()
    tokenizer.eos_token = None
    with pytest.raises(UserError, match="ends a text"):
        TextLanguage(tokenizer)


def test_a_tokenizer_is_loaded_from_a_folder(tmp_path, tokenizer):
    tokenizer.save_pretrained(tmp_path)
    loaded = TextLanguage(load_tokenizer(str(tmp_path)), STILL)
    assert torch.equal(documents(loaded).tokens, documents(TextLanguage(tokenizer, STILL)).tokens)


def test_a_tokenizer_that_is_not_there_is_answered_in_one_line(tmp_path):
    with pytest.raises(UserError, match="no tokenizer could be loaded") as caught:
        load_tokenizer(str(tmp_path / "nothing"))
    assert "\n" not in str(caught.value)


def test_without_transformers_one_line_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def lacking(name: str, *rest, **more):
        if name.split(".")[0] in ("transformers", "huggingface_hub"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", lacking)
    with pytest.raises(UserError, match=r"pip install 'nucleate\[llm\]'"):
        load_tokenizer("anything")
