"""What the contract suite does not ask of the loop."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from nucleate.models.checkpoint import read_header
from nucleate.models.flowmm import FlowMM, FlowMMConfig
from nucleate.models.networks.pairformer import PairformerConfig
from nucleate.training import loop
from nucleate.training.config import TrainingConfig
from nucleate.training.loop import Trainer
from nucleate.training.run_folder import RunFolder
from tests.contract.suite import some_crystals


def trainer(folder, **changes):
    folder.mkdir(exist_ok=True)
    torch.manual_seed(0)
    network = PairformerConfig(width=16, pair_width=8, layers=1, heads=2)
    model = FlowMM(FlowMMConfig(task="csp", backbone="pairformer", pairformer=network))
    crystals = some_crystals(16)
    model.fit(crystals.to(dtype=torch.float32).padded())
    settings = {"batch": 8, "epochs": 2.0, "warmup": 1, "precision": "fp32", "compile": "off"}
    config = replace(TrainingConfig(), **{**settings, **changes})
    return Trainer(model, crystals, some_crystals(8, seed=9), config, RunFolder(folder))


@pytest.mark.parametrize(("after", "lines"), [(0.0, [1, 2, 3, 4]), (1e9, [])])
def test_long_steps_are_logged_before_there_are_many(after, lines, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "LOG_AFTER", after)
    assert trainer(tmp_path).run()
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows if row["split"] == "train"] == lines


def test_validation_in_chunks_is_the_same(tmp_path):
    whole, cut = (trainer(tmp_path, chunk=chunk).validate() for chunk in (0, 3))
    assert cut == pytest.approx(whole, rel=1e-4)
    assert whole["loss"] > 0


def test_a_run_killed_before_its_first_step_goes_on(tmp_path, monkeypatch):
    whole = trainer(tmp_path / "whole")
    assert whole.run()

    def killed(*_):
        raise KeyboardInterrupt

    first = trainer(tmp_path / "cut")
    monkeypatch.setattr(first, "train_step", killed)
    with pytest.raises(KeyboardInterrupt):
        first.run()
    second = trainer(tmp_path / "cut")
    second.resume()
    assert second.run()
    for name, value in whole.generator.state_dict().items():
        assert torch.equal(value, second.generator.state_dict()[name]), name


@pytest.mark.parametrize(("select", "steps"), [("validation", 0), ("last", 1)])
def test_the_last_weights_can_be_the_best(select, steps, tmp_path):
    one = trainer(tmp_path, select=select)
    one.validate()
    one.train_step(0.0)
    one.best = -1.0  # no loss is lower
    one.validate()
    assert read_header(one.folder.best)["notes"]["steps"] == steps
