"""What a run is to do: as it is asked for, or, where a run goes on, as its folder says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from nucleate.configuration import from_dict
from nucleate.errors import UserError
from nucleate.recipes.recipe import Recipe, find_recipe, with_base
from nucleate.training.config import TrainingConfig
from nucleate.training.run_folder import RunFolder


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A run before it begins or goes on.

    Attributes:
        family: of the model.
        task: csp or dng.
        data: name or path of the data set.
        recipe: name of the recipe.
        init: models whose weights it starts from.
        base: a pretrained language model, if the recipe starts from one that was named.
        resolved: configuration of the family and of training, from the recipe or from the run's folder.
        crystals: fingerprint of the crystals of each split, as `nucleate.training.data.fingerprint` finds them; None
            before they are read, and in runs of earlier versions.
    """

    family: str
    task: str
    data: str
    recipe: str
    init: tuple[str, ...] = ()
    base: str | None = None
    resolved: Recipe
    crystals: Mapping[str, Any] | None = None

    def record(self) -> dict[str, Any]:
        """The plan as `config.json` has it."""
        names = ("family", "task", "data", "recipe", "base", "crystals")
        record = {name: getattr(self, name) for name in names}
        settings = {"model": asdict(self.resolved.model), "training": asdict(self.resolved.training)}
        return {**record, "init": list(self.init), **settings}


def new_plan(
    model: str,
    task: str = "csp",
    data: str = "mp-20",
    recipe: str = "small",
    *,
    init: tuple[str, ...] = (),
    base: str | None = None,
    seed: int = 0,
    epochs: float | None = None,
    budget: float | None = None,
) -> Plan:
    """A run as it is asked for.

    Raises:
        UserError: the model, its task or the recipe is unknown, or the recipe has no base.
    """
    resolved = with_base(find_recipe(model, task, recipe), base)
    training = replace(resolved.training, seed=seed, budget=budget)
    if epochs is not None:
        training = replace(training, epochs=epochs)
    resolved = replace(resolved, training=training)
    return Plan(family=model, task=task, data=data, recipe=recipe, init=init, base=base, resolved=resolved)


def resumed_plan(folder: RunFolder, given: Mapping[str, Any]) -> Plan:
    """A run as its folder says, which may go on for longer.

    Args:
        folder: of the run.
        given: what is asked for, by the name that it has in `new_plan`; what is not among it is as it was. Another name
            of the data is taken over where the folder says which crystals they were: these tell whether it is the same.

    Raises:
        UserError: the folder is no run, or something that is asked for is not what the run began with.
    """
    config = folder.read_config()
    try:
        began = _as_begun(config)
        kind = type(find_recipe(began["model"], began["task"], began["recipe"]).model)
    except (KeyError, TypeError) as error:
        raise UserError(f"{folder.config} is damaged: it does not say {error}") from error
    asked = (given.get("model", began["model"]), given.get("task", began["task"]))
    if asked != (began["model"], began["task"]):
        was = f"{began['model']} for {began['task']}"
        raise UserError(f"{folder.path} is a run of {was}, not of {asked[0]} for {asked[1]}")
    if config.get("crystals") and "data" in given:
        began["data"] = given["data"]
    names = [name for name in ("data", "recipe", "init", "base", "seed") if name in given]
    if differing := [name for name in names if not _same(given[name], began[name])]:
        was, now = (", ".join(_flag(name, values[name]) for name in differing) for values in (began, given))
        raise UserError(f"{folder.path} is a run with {was}, and goes on with nothing else; {now} is refused")
    try:
        model = from_dict(kind, config["model"])
        training = from_dict(TrainingConfig, config["training"])
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{folder.config} is not of this version of Nucleate, or damaged: {error}") from error
    return Plan(
        family=began["model"],
        task=began["task"],
        data=began["data"],
        recipe=began["recipe"],
        init=began["init"],
        base=began["base"],
        resolved=Recipe(model=model, training=_prolonged(training, given)),
        crystals=config.get("crystals"),
    )


def _as_begun(config: Mapping[str, Any]) -> dict[str, Any]:
    """What a run began with, under the names of the command line."""
    init = config.get("init") or ()
    return {
        "model": config["family"],
        "task": config["task"],
        "data": config.get("data"),
        "recipe": config["recipe"],
        "init": (init,) if isinstance(init, str) else tuple(init),  # one at most before version 0.2
        "base": config.get("base"),
        "seed": config["training"]["seed"],
    }


def _prolonged(training: TrainingConfig, given: Mapping[str, Any]) -> TrainingConfig:
    """The same training with another end: a budget counts before epochs, and whichever is asked for before both."""
    if "budget" in given:
        return replace(training, budget=given["budget"], epochs=given.get("epochs", training.epochs))
    return replace(training, budget=None, epochs=given["epochs"]) if "epochs" in given else training


def _same(one: Any, other: Any) -> bool:
    """Whether two values are the same, or two paths the same file."""
    if one == other:
        return True
    return isinstance(one, str) and isinstance(other, str) and Path(one).resolve() == Path(other).resolve()


def _flag(name: str, value: Any) -> str:
    """As it is typed on the command line."""
    if isinstance(value, tuple):
        return " ".join(f"--{name} {one}" for one in value) or f"no --{name}"
    return f"no --{name}" if value is None else f"--{name} {value}"
