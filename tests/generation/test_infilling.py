from __future__ import annotations

import numpy as np
import pytest
import torch

from nucleate.crystals import Crystals
from nucleate.errors import UserError
from nucleate.generation.infilling import filled, rank_elements, with_language
from nucleate.models.crystal_llm import CrystalLLM
from nucleate.models.crystal_llm.config import CrystalLLMConfig
from nucleate.models.crystal_llm.language import Wish
from nucleate.models.crystal_llm.sites import describe
from nucleate.models.crystal_llm.tokens import prompt, written
from nucleate.models.flowmm import FlowMM, FlowMMConfig
from nucleate.models.networks.llama import LlamaConfig

HALF = 2.82
FCC = np.array([[0, HALF, HALF], [HALF, 0, HALF], [HALF, HALF, 0]])


def _salt(cation: int, anion: int) -> Crystals:
    return Crystals.build([[cation, anion]], [[[0, 0, 0], [0.5, 0.5, 0.5]]], FCC[None])


@pytest.fixture
def model() -> CrystalLLM:
    torch.manual_seed(0)
    model = CrystalLLM(CrystalLLMConfig(task="dng", llama=LlamaConfig(width=32, layers=2, heads=4, inner=64))).eval()
    model.elements[[3, 11, 17, 19, 35]] = True
    return model


def test_the_score_is_the_probability_of_the_whole_document(model):
    """Token by token, from the network itself; what follows the formula (two elements, two counts) counts half."""
    scores = rank_elements(model, _salt(11, 17), [11])
    exact = {}
    for candidate in (3, 11, 19, 35):
        documents = written(describe(_salt(candidate, 17)))
        start = len(prompt(Wish(num_atoms=2)))
        logp = model.network(documents.tokens, documents.mask)[0].log_softmax(-1)
        tokens = documents.tokens[0].tolist()
        each = [float(logp[i - 1, tokens[i]].detach()) for i in range(start, len(tokens))]
        exact[candidate] = sum(each[:4]) + 0.5 * sum(each[4:])
    total = np.logaddexp.reduce(list(exact.values()))
    for candidate, value in exact.items():
        assert scores[0, candidate] == pytest.approx(value - total, abs=0.05)
    assert np.exp(scores).sum() == pytest.approx(1, abs=1e-5)


def test_elements_that_are_there_already_or_unknown_are_no_candidates(model):
    scores = rank_elements(model, _salt(11, 17), [11])
    assert np.flatnonzero(np.isfinite(scores[0])).tolist() == [3, 11, 19, 35]


def test_the_name_of_the_hidden_element_does_not_matter(model):
    one = rank_elements(model, _salt(11, 17), [11])
    other = rank_elements(model, _salt(19, 17), [19])
    np.testing.assert_allclose(one, other, atol=1e-4)


def test_nothing_else_changes():
    crystal = _salt(11, 17)
    new = filled(crystal, [11], [19])
    assert new.numbers.tolist() == [19, 17]
    assert torch.equal(new.frac, crystal.frac)
    assert torch.equal(new.lattice, crystal.lattice)


def test_what_cannot_be_hidden_is_said(model):
    with pytest.raises(UserError, match="no element 8"):
        rank_elements(model, _salt(11, 17), [8])
    with pytest.raises(UserError, match="flowmm does not fill in"):
        with_language(FlowMM(FlowMMConfig(task="csp")))
