"""What the contract suite does not ask of the loop."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import count

import pytest
import torch

from nucleate.errors import UserError
from nucleate.models.checkpoint import read_header
from nucleate.models.flowmm import FlowMM, FlowMMConfig
from nucleate.models.generator import FinalFit
from nucleate.models.networks.pairformer import PairformerConfig
from nucleate.training import loop
from nucleate.training.config import TrainingConfig
from nucleate.training.interruption import Interruption
from nucleate.training.loop import Trainer
from nucleate.training.run_folder import RunFolder
from tests.contract.suite import some_crystals


def trainer(folder, *, count=16, kind=FlowMM, **changes):
    folder.mkdir(exist_ok=True)
    torch.manual_seed(0)
    network = PairformerConfig(width=16, pair_width=8, layers=1, heads=2)
    model = kind(FlowMMConfig(task="csp", backbone="pairformer", pairformer=network))
    crystals = some_crystals(count)
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


def test_a_checkpoint_of_other_crystals_is_refused(tmp_path):
    one = trainer(tmp_path)
    one.train_step(0.0)
    one.save()
    fewer = trainer(tmp_path, count=12)
    with pytest.raises(UserError, match="is of a run on other crystals than these 12"):
        fewer.resume()
    state = one.folder.load_checkpoint()
    one.folder.save_checkpoint({name: value for name, value in state.items() if name != "crystals"})
    with pytest.raises(UserError, match="other crystals"):  # earlier versions did not count them
        fewer.resume()


class Counting(FlowMM):
    """A family whose final fit moves one weight by a random number in each of its steps."""

    def final_fit(self, data, rng):
        return CountingFit(self, rng)


class CountingFit(FinalFit):
    title, steps = "weight", 6

    def __init__(self, model, rng):
        self.weight, self.rng = next(model.network.parameters()), rng

    def step(self, share):
        with torch.no_grad():
            self.weight += torch.rand((), generator=self.rng) * (1 - share)

    def state_dict(self):
        return {"rng": self.rng.get_state()}

    def load_state_dict(self, state):
        self.rng.set_state(state["rng"])


def test_a_final_fit_that_is_stopped_goes_on_to_the_same_place(tmp_path, monkeypatch):
    whole = trainer(tmp_path / "whole", kind=Counting)
    assert whole.run()
    assert whole.finish.taken == 6
    first, interruption = trainer(tmp_path / "cut", kind=Counting), Interruption()
    step = CountingFit.step

    def stopping(self, share):
        step(self, share)
        interruption.asked = share > 0.2

    monkeypatch.setattr(CountingFit, "step", stopping)
    assert not first.run(interruption)
    assert (first.finish.taken, first.finish.ended) == (3, False)
    monkeypatch.setattr(CountingFit, "step", step)
    second = trainer(tmp_path / "cut", kind=Counting)
    second.resume()
    assert second.run()
    assert second.finish.taken == 6
    for name, value in whole.ema.model.state_dict().items():
        assert torch.equal(value, second.ema.model.state_dict()[name]), name
    third = trainer(tmp_path / "cut", kind=Counting)  # what is done is not done again
    third.resume()
    assert third.run()
    assert all(
        torch.equal(a, b) for a, b in zip(third.ema.model.parameters(), second.ema.model.parameters(), strict=True)
    )
    longer = trainer(tmp_path / "cut", kind=Counting, epochs=3.0)  # other weights have a fit of their own
    longer.resume()
    assert longer.run()
    assert (longer.step, longer.finish.taken) == (6, 6)
    assert not torch.equal(next(longer.ema.model.network.parameters()), next(second.ema.model.network.parameters()))


def test_a_budget_leaves_time_for_what_comes_after_the_loop(tmp_path, monkeypatch):
    """On a clock that moves by a second with each look at it."""
    ticks = count()
    monkeypatch.setattr(loop.time, "monotonic", lambda: float(next(ticks)))
    one = trainer(tmp_path, kind=Counting, budget=2000.0, save_every=1e9, validate_every=1e9)
    monkeypatch.setattr(loop, "seconds_of_final_fit", lambda *_: 1e9)
    assert one.run()
    assert one.needs is not None
    assert one.needs.final_fit == 1e9
    last = one.finish.began
    assert last is not None
    assert 1600 <= last < 1650  # a fifth is left
    assert one.elapsed < 2000


@pytest.mark.parametrize(("select", "steps"), [("validation", 0), ("last", 1)])
def test_the_last_weights_can_be_the_best(select, steps, tmp_path):
    one = trainer(tmp_path, select=select)
    one.validate()
    one.train_step(0.0)
    one.best = -1.0  # no loss is lower
    one.validate()
    assert read_header(one.folder.best)["notes"]["steps"] == steps
