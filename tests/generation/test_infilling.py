from __future__ import annotations

import numpy as np
import pytest
import torch

from nucleate.crystals import Crystals
from nucleate.errors import UserError
from nucleate.generation.infilling import filled, infill, rank_elements, with_language
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
    known = Crystals.build([[3, 11], [17, 19, 35]], [np.zeros((2, 3)), np.zeros((3, 3))], 5 * np.stack([np.eye(3)] * 2))
    model.fit(known.to(dtype=torch.float32).padded())
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
    with pytest.raises(UserError, match="crystal 0, NaCl, has no O that could be hidden"):
        rank_elements(model, _salt(11, 17), [8])
    with pytest.raises(UserError, match="Ar: the model was trained on crystals without it"):
        rank_elements(model, _salt(18, 17), [17])
    with pytest.raises(UserError, match="flowmm does not fill in"):
        with_language(FlowMM(FlowMMConfig(task="csp")))


def _large(atoms: int) -> Crystals:
    return Crystals.build([[11] * atoms], [np.linspace(0, 0.9, atoms)[:, None] * np.ones(3)], 9 * np.eye(3)[None])


def test_what_cannot_be_filled_in_is_left_out_with_its_reason(model):
    parts = [_salt(3, 17), _salt(11, 17), Crystals.failed(["unparseable"]), _salt(18, 11), _large(500), _salt(19, 11)]
    found = infill(model, Crystals.concat(parts), 11, best=2)
    assert found.left_out.tolist() == ["no_Na", "", "unparseable", "unseen_element", "too_many_atoms", ""]
    assert found.crystals.info["reference_index"].tolist() == [1, 5, 1, 5]
    assert found.crystals.info["rank"].tolist() == [0, 0, 1, 1]
    scores = rank_elements(model, Crystals.concat([parts[1], parts[5]]), [11, 11])
    np.testing.assert_allclose(found.crystals.info["log_probability"], -np.sort(-scores, 1)[:, :2].T.ravel(), rtol=1e-5)
    assert found.places.tolist() == (scores > scores[:, [11]]).sum(1).tolist()


@pytest.mark.parametrize(
    ("crystals", "arguments", "says"),
    [
        # Five elements are known, of which one is in the crystal beside the hidden one.
        (_salt(11, 17), {"best": 5}, "best 5: there are 4 elements to fill in, so ask for 1 to 4"),
        (_salt(11, 17), {"best": 0}, "ask for 1 to 4"),
        (_salt(11, 17), {"element": 18}, "^Ar: the model was trained on crystals without it"),
        (_salt(11, 17), {"element": 35}, "no crystal to hide an element in: 1 no_Br"),
        (_large(500), {}, "Na500 has 500 atoms; the model was trained on cells of up to 3"),
        (Crystals.failed(["unparseable"]), {}, "1 unparseable"),
        (Crystals.empty(), {}, "none is given"),
    ],
)
def test_what_cannot_be_done_is_said_before_the_work(model, monkeypatch, crystals, arguments, says):
    monkeypatch.setattr(model, "describe", None)
    with pytest.raises(UserError, match=says):
        infill(model, crystals, **arguments)


def test_all_candidates_can_be_asked_for(model):
    found = infill(model, _salt(11, 17), 11, best=4)
    assert sorted(found.crystals.info["filled"]) == ["Br", "K", "Li", "Na"]


def test_the_seed_decides_what_is_hidden(model):
    crystals = Crystals.concat([_salt(11, 17)] * 20)
    one, two, other = (infill(model, crystals, seed=seed).crystals.info["hidden"].tolist() for seed in (0, 0, 1))
    assert one == two != other
    assert set(one) == {"Na", "Cl"}
