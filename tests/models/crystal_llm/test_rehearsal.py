from __future__ import annotations

import math
from collections import Counter

import pytest
import torch

from nucleate.crystals import Padded
from nucleate.datasets import load
from nucleate.models.crystal_llm import CrystalLLM
from nucleate.models.crystal_llm.config import CrystalLLMConfig
from nucleate.models.crystal_llm.language import Documents, Wish
from nucleate.models.crystal_llm.rehearsal import drawn_wishes, forbidden_nats, rehearse
from nucleate.models.crystal_llm.tokens import CrystalTokens
from nucleate.models.networks.llama import Llama, LlamaConfig
from nucleate.training.loop import dense

LLAMA = LlamaConfig(width=32, layers=2, heads=4, inner=48)
WISHES = [Wish(num_atoms=2), Wish(numbers=(11, 17)), Wish(numbers=(3, 8, 8))]


@pytest.fixture(scope="module")
def block() -> Padded:
    crystals = load("prototypes", "test")
    crystals = crystals[crystals.counts <= 6][:12].niggli()
    return dense(crystals, torch.device("cpu"))._replace(labels=CrystalTokens().describe(crystals))


def model(block: Padded, rehearsal: float) -> CrystalLLM:
    torch.manual_seed(0)
    built = CrystalLLM(CrystalLLMConfig(task="dng", llama=LLAMA, rehearsal=rehearsal))
    built.fit(block)
    return built


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_nats_of_a_network_that_knows_nothing():
    """Ten tokens, all alike to it, four of which may be written at each of three places of the answer."""
    tokens = torch.zeros(2, 5, dtype=torch.int64)
    answer = torch.tensor([[False, False, True, True, True]] * 2)
    allowed = torch.arange(10).expand(2, 5, 10) < 4
    documents = Documents(tokens, torch.ones_like(answer), answer)
    nats = forbidden_nats(torch.full((2, 5, 10), 0.7), documents, allowed)
    torch.testing.assert_close(nats, torch.full((2,), 3 * math.log(10 / 4)))


def test_nothing_is_forbidden_where_everything_is_allowed():
    documents = Documents(*(torch.ones(1, 4, dtype=kind) for kind in (torch.int64, torch.bool, torch.bool)))
    logits = torch.randn(1, 4, 6, generator=rng())
    assert float(forbidden_nats(logits, documents, torch.ones(1, 4, 6, dtype=torch.bool)).abs().max()) < 1e-6


def test_answers_begin_with_their_prompts_and_keep_the_grammar():
    torch.manual_seed(0)
    language = CrystalTokens()
    network = Llama(LLAMA, language.vocabulary).eval()
    documents, allowed = rehearse(network, language, WISHES, rng())
    assert bool(allowed.gather(-1, documents.tokens[..., None])[..., 0][documents.mask].all())
    assert float(allowed[documents.answer].float().mean()) < 0.5
    width = int(documents.answer.sum(1).max())
    answers = torch.full((len(WISHES), width), language.pad)
    for row, prompt in enumerate([language.prompts([wish]).tokens[0] for wish in WISHES]):
        assert documents.tokens[row, : len(prompt)].tolist() == prompt.tolist()
        written = documents.tokens[row, documents.answer[row]]
        assert int(documents.answer[row].int().argmax()) == len(prompt)
        answers[row, : len(written)] = written
    assert language.read(answers, WISHES).failures.tolist() == [""] * 3


def test_what_a_language_without_grammar_says(monkeypatch):
    language = CrystalTokens()
    monkeypatch.setattr(CrystalTokens, "grammar", lambda *_, **__: None)
    with pytest.raises(ValueError, match="no grammar"):
        rehearse(Llama(LLAMA, language.vocabulary), language, WISHES, rng())


def test_what_is_asked_for(block):
    """Three quarters say the composition of their crystal or, as often, one with as many atoms of other elements."""
    elements = torch.zeros(119, dtype=torch.bool)
    elements[[3, 8, 9, 11, 17, 26, 55, 83]] = True
    many = block.numbers.repeat(200, 1), block.counts.repeat(200)
    wishes = drawn_wishes(*many, elements, rng())
    own = [tuple(row[:atoms]) for row, atoms in zip(many[0].tolist(), many[1].tolist(), strict=True)]
    assert [wish.num_atoms for wish in wishes] == many[1].tolist()
    told = [(wish.numbers, numbers) for wish, numbers in zip(wishes, own, strict=True) if wish.numbers is not None]
    assert abs(len(told) / len(own) - 0.75) < 0.04
    new = [(ours, theirs) for ours, theirs in told if ours != theirs]
    assert abs(len(new) / len(own) - 0.375) < 0.04
    assert all(bool(elements[list(ours)].all()) for ours, _ in new)
    assert all(sorted(Counter(ours).values()) == sorted(Counter(theirs).values()) for ours, theirs in told)


def test_the_terms_of_chunks_add_up(block):
    """A batch is shared out by rows, and some chunks have only answers of one kind."""
    generator = model(block, 0.25)
    example = generator.draw(block, rng())
    assert example.noise["own"].tolist() == [True] * 3 + [False] * 9
    whole = generator.loss(example)
    parts = [generator.loss(example.rows(slice(start, start + 3))) for start in range(0, 12, 3)]
    for name, value in whole.items():
        total = sum(part.get(name, torch.zeros(())) for part in parts) / 4
        torch.testing.assert_close(total, value, rtol=1e-4, atol=1e-5)


def test_the_crystals_of_the_batch_are_learned_as_without_it(block):
    generator = model(block, 0.25)
    example = generator.draw(block, rng())
    theirs = model(block, 0.0).loss(model(block, 0.0).draw(block, rng()).rows(slice(3, None)))
    ours = generator.loss(example)
    assert float(ours["formula"]) == pytest.approx(float(theirs["formula"]), rel=1e-4)
    assert float(ours["structure"]) == pytest.approx(float(theirs["structure"]), rel=1e-4)


def test_the_grammar_is_learned(block):
    """From answers of its own alone."""
    generator = model(block, 1.0)
    optimizer = torch.optim.Adam(generator.parameters(), lr=1e-2)
    random, nats = rng(), []
    for _ in range(20):
        loss = generator.loss(generator.draw(block, random))
        optimizer.zero_grad()
        loss["loss"].backward()
        optimizer.step()
        nats.append(float(loss["forbidden"].detach()))
    assert nats[-1] < 0.6 * nats[0]
