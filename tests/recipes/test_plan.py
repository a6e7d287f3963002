from __future__ import annotations

import json
from dataclasses import replace

import pytest

from nucleate.errors import UserError
from nucleate.recipes.plan import new_plan, resumed_plan
from nucleate.training.run_folder import RunFolder

CRYSTALS = {split: {"crystals": 2, "sha256": "0"} for split in ("train", "val")}


@pytest.fixture
def folder(tmp_path) -> RunFolder:
    plan = new_plan("cdvae", "dng", "mine.csv", "small", init=("a", "b"), seed=7, epochs=12.0)
    folder = RunFolder(tmp_path / "run")
    folder.create(replace(plan, crystals=CRYSTALS).record())
    return folder


def changed(folder: RunFolder, **changes) -> RunFolder:
    folder.config.write_text(json.dumps({**folder.read_config(), **changes}))
    return folder


def test_a_new_run_has_defaults():
    plan = new_plan("flowmm")
    assert (plan.task, plan.data, plan.recipe, plan.resolved.training.seed) == ("csp", "mp-20", "small", 0)


def test_a_run_goes_on_with_all_that_it_began_with(folder):
    plan = resumed_plan(folder, {"model": "cdvae"})
    assert plan == replace(
        new_plan("cdvae", "dng", "mine.csv", "small", init=("a", "b"), seed=7, epochs=12.0), crystals=CRYSTALS
    )
    assert plan.record() == folder.read_config()
    again = {"model": "cdvae", "task": "dng", "recipe": "small", "init": ("a", "b"), "seed": 7, "data": "mine.csv"}
    assert resumed_plan(folder, again) == plan


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"model": "flowmm"}, "is a run of cdvae for dng, not of flowmm for dng"),
        ({"task": "csp"}, "not of cdvae for csp"),
        ({"recipe": "paper"}, "is a run with --recipe small, .*--recipe paper is refused"),
        ({"seed": 0}, "is a run with --seed 7, .*--seed 0 is refused"),
        ({"init": ("a",)}, "is a run with --init a --init b, .*--init a is refused"),
        ({"base": "llama"}, "is a run with no --base, .*--base llama is refused"),
        ({"seed": 1, "recipe": "paper"}, "with --recipe small, --seed 7, .*--recipe paper, --seed 1 is refused"),
    ],
)
def test_what_is_asked_for_and_is_not_so_is_refused_by_name(folder, given, words):
    with pytest.raises(UserError, match=words) as caught:
        resumed_plan(folder, given)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "budget", "epochs"),
    [
        ({}, None, 12.0),
        ({"epochs": 20.0}, None, 20.0),
        ({"budget": 60.0}, 60.0, 12.0),
        ({"budget": 60.0, "epochs": 3.0}, 60.0, 3.0),
    ],
)
def test_a_run_may_have_another_end(folder, given, budget, epochs):
    training = resumed_plan(folder, given).resolved.training
    assert (training.budget, training.epochs) == (budget, epochs)
    assert replace(training, budget=None, epochs=12.0) == resumed_plan(folder, {}).resolved.training


def test_epochs_end_a_budget(folder):
    training = folder.read_config()["training"]
    changed(folder, training={**training, "budget": 9.0})
    assert resumed_plan(folder, {}).resolved.training.budget == 9.0
    assert resumed_plan(folder, {"epochs": 2.0}).resolved.training.budget is None


def test_data_by_another_name_is_told_by_its_crystals_where_these_are_known(folder, tmp_path, monkeypatch):
    assert resumed_plan(folder, {"data": "moved.csv"}).data == "moved.csv"
    changed(folder, crystals=None)
    with pytest.raises(UserError, match=r"--data mine\.csv, .*--data moved\.csv is refused"):
        resumed_plan(folder, {"data": "moved.csv"})
    monkeypatch.chdir(tmp_path)
    assert resumed_plan(folder, {"data": str(tmp_path / "mine.csv")}).data == "mine.csv"


def test_runs_of_earlier_versions_go_on(folder):
    old = {name: value for name, value in folder.read_config().items() if name not in ("base", "crystals")}
    folder.config.write_text(json.dumps({**old, "init": "a"}))
    plan = resumed_plan(folder, {"model": "cdvae"})
    assert (plan.init, plan.base, plan.crystals) == (("a",), None, None)


def test_a_configuration_that_cannot_be_used_is_one_line(folder):
    model = folder.read_config()["model"]
    with pytest.raises(UserError, match="not of this version of Nucleate, or damaged: CDVAEConfig has no colour"):
        resumed_plan(changed(folder, model={**model, "colour": "red"}), {})
    folder.config.write_text(json.dumps({"family": "cdvae", "task": "dng", "recipe": "small"}))
    with pytest.raises(UserError, match="does not say 'training'"):
        resumed_plan(folder, {})
