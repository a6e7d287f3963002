from __future__ import annotations

import numpy as np
import pytest
import torch

from nucleate.crystals import Crystals
from nucleate.errors import UserError
from nucleate.models.crystal_llm import CrystalLLM, CrystalLLMConfig
from nucleate.models.flowllm import FlowLLM
from nucleate.models.flowmm import FlowMM, FlowMMConfig
from nucleate.models.networks.llama import LlamaConfig
from nucleate.models.networks.pairformer import PairformerConfig
from nucleate.training.data import check_representable, check_same, fingerprint, unlabelled, unread


def crystals(*numbers: list[int], **info) -> Crystals:
    frac = [np.linspace(0, 0.9, 3 * len(z)).reshape(-1, 3) for z in numbers]
    return Crystals.build(numbers, frac, [4.0 * np.eye(3)] * len(numbers), info)


@pytest.fixture(scope="module")
def flow() -> FlowMM:
    network = PairformerConfig(width=8, pair_width=8, layers=1, heads=1)
    return FlowMM(FlowMMConfig(task="csp", backbone="pairformer", pairformer=network))


@pytest.fixture(scope="module")
def language() -> CrystalLLM:
    return CrystalLLM(CrystalLLMConfig(task="csp", llama=LlamaConfig(width=8, layers=1, heads=1, inner=8)))


def test_a_fingerprint_is_of_crystals_and_of_the_labels_that_are_learnt():
    one = crystals([1], [2, 3], band_gap=[1.0, np.nan], name=["a", "b"])
    again = crystals([1], [2, 3], band_gap=[1.0, np.nan], name=["c", "d"])
    other_gap = crystals([1], [2, 3], band_gap=[1.0, 2.0])
    assert fingerprint(one) == fingerprint(again) == fingerprint(other_gap)
    assert fingerprint(one)["crystals"] == 2
    labels = ["band_gap"]
    assert fingerprint(one, labels) == fingerprint(again, labels) != fingerprint(other_gap, labels)
    assert fingerprint(one) != fingerprint(crystals([2, 3], [1]))
    assert fingerprint(one) != fingerprint(crystals([1], [2, 4]))


def test_other_crystals_are_refused_and_unknown_ones_are_said():
    one, two, three = (fingerprint(crystals(*[[z]] * n)) for z, n in ((1, 2), (1, 3), (2, 2)))
    recorded = {"train": one, "val": three}
    assert check_same("run", "data", recorded, recorded) is None
    with pytest.raises(UserError, match=r"run began with 2 crystals to train on, and data has 3"):
        check_same("run", "data", recorded, {"train": two, "val": three})
    with pytest.raises(UserError, match="other crystals to validate on"):
        check_same("run", "data", recorded, {"train": one, "val": one})
    assert "is unknown" in (check_same("run", "data", None, recorded) or "")


def test_elements_beyond_the_table_are_named(flow, language):
    for model in (flow, language):
        check_representable(model, crystals([100, 1], [5]), "mine")
        with pytest.raises(UserError, match=r"mine has No in 2 crystals, Og in 1 crystal: .*up to Fm \(Z = 100\)"):
            check_representable(model, crystals([102, 102, 8], [102], [118, 1], [8]), "mine")


def test_cells_too_large_to_be_written_are_refused(flow, language):
    large = crystals([1] * 64, [1] * 65, [2] * 70)
    check_representable(flow, large, "mine")
    check_representable(language, large[:1], "mine")
    with pytest.raises(UserError, match=r"mine has 2 crystals with more than 64 atoms, up to 70"):
        check_representable(language, large, "mine")


def test_what_is_left_out_is_said_once_each(flow, language):
    failed = Crystals.failed(["unparseable", "unparseable", "disorder"], {"band_gap": np.full(3, np.nan)})
    read = crystals([1], [2], [3], band_gap=[0.0, np.nan, 1.0])
    data = Crystals.concat([read, failed])
    assert unread(read, "mine") == []
    assert unread(data, "mine") == [
        "mine: 3 of 6 crystals could not be read and are left out: 2 unparseable, 1 disorder"
    ]
    assert unlabelled(flow, data, "mine") == []
    assert unlabelled(language, data, "mine") == [
        "mine: e_above_hull is not a column; the model does not learn it as a condition",
        "mine: band_gap is unknown for 1 of 3 crystals; they go without it",
    ]
    (line,) = unlabelled(language, crystals([1], e_above_hull=[0.1], band_gap=["wide"]), "mine")
    assert line == "mine: band_gap has no number; the model does not learn it as a condition"


def test_proposals_that_failed_are_counted(flow):
    model = FlowLLM.__new__(FlowLLM)  # a language model is not needed to count
    rows = torch.zeros(4, 12)
    rows[1:3] = torch.nan
    (count,) = model.lacking(rows).values()
    assert count == 2
    assert model.lacking(None) == flow.lacking(rows) == {}
