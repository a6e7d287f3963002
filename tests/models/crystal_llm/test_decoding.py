from __future__ import annotations

from dataclasses import replace

import torch

from nucleate.models.crystal_llm.config import SamplingConfig
from nucleate.models.crystal_llm.decoding import draw, write_answers
from nucleate.models.crystal_llm.language import Wish
from nucleate.models.crystal_llm.tokens import CrystalTokens
from nucleate.models.networks.llama import Llama, LlamaConfig

LOGITS = torch.tensor([[2.0, 1.0, 0.0, -1.0]])


def _shares(temperature: float, top_p: float, count: int = 20_000) -> torch.Tensor:
    rng = torch.Generator().manual_seed(0)
    drawn = draw(LOGITS.expand(count, -1), torch.full((count, 1), temperature), top_p, rng)
    return torch.bincount(drawn, minlength=4) / count


def test_drawn_as_often_as_probable():
    torch.testing.assert_close(_shares(1.0, 1.0), LOGITS[0].softmax(-1), atol=0.01, rtol=0)
    torch.testing.assert_close(_shares(0.5, 1.0), (2 * LOGITS[0]).softmax(-1), atol=0.01, rtol=0)


def test_no_temperature_takes_the_most_probable():
    assert _shares(0.0, 1.0).tolist() == [1, 0, 0, 0]


def test_the_nucleus_leaves_out_the_tail():
    """0.64 and 0.24 reach 0.8 together; the others are never drawn."""
    shares = _shares(1.0, 0.8)
    assert shares[2:].tolist() == [0, 0]
    torch.testing.assert_close(shares[:2], LOGITS[0, :2].softmax(-1), atol=0.01, rtol=0)


def test_an_answer_does_not_depend_on_its_neighbours():
    torch.manual_seed(0)
    language = CrystalTokens()
    network = Llama(LlamaConfig(width=32, layers=2, heads=4, inner=48), language.vocabulary).eval()
    wishes = [Wish(num_atoms=2), Wish(numbers=(11, 17)), Wish(numbers=(3, 8, 8), space_group=12)]
    greedy = replace(SamplingConfig(), temperature=0.0)

    def answers(asked: list[Wish]) -> list[list[int]]:
        grammar = language.grammar(asked, torch.device("cpu"))
        rows = write_answers(network, language, asked, greedy, torch.Generator().manual_seed(0), grammar=grammar)
        return [[token for token in row if token != language.pad] for row in rows.tolist()]

    together = answers(wishes)
    assert together == [answers([wish])[0] for wish in wishes]
    assert all(row[-1] == language.end for row in together)


def test_structures_may_be_written_at_another_temperature():
    """With the composition given, a temperature of 0 for the rest leaves nothing to chance."""
    torch.manual_seed(0)
    language = CrystalTokens()
    network = Llama(LlamaConfig(width=32, layers=2, heads=4, inner=48), language.vocabulary).eval()
    sampling = SamplingConfig(temperature=1.0, structure_temperature=0.0)
    wishes = [Wish(numbers=(11, 17))] * 4 + [Wish(num_atoms=2)] * 4
    grammar = language.grammar(wishes, torch.device("cpu"))
    rows = write_answers(
        network, language, wishes, sampling, torch.Generator().manual_seed(0), grammar=grammar
    ).tolist()
    assert len({tuple(row) for row in rows[:4]}) == 1
    assert len({tuple(row) for row in rows[4:]}) > 1
