"""Recipes by model, task and name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

from nucleate.errors import UserError
from nucleate.models.generator import Task
from nucleate.models.registry import FAMILIES
from nucleate.training.config import TrainingConfig


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that a run needs besides data and seed.

    Attributes:
        model: configuration of the family, a frozen dataclass.
        training: how to train it.
    """

    model: Any
    training: TrainingConfig


def find_recipe(model: str, task: str, name: str) -> Recipe:
    """Calls the function `name(task)` of `nucleate.recipes.MODEL`.

    Raises:
        UserError: the model, its task, or the recipe is unknown.
    """
    if model not in FAMILIES:
        raise UserError(f"unknown model {model!r}; there are {', '.join(FAMILIES)}")
    if task not in list(Task):
        raise UserError(f"unknown task {task!r}; there are {', '.join(Task)}")
    recipes: dict[str, Callable[[Task], Recipe]] = import_module(f"nucleate.recipes.{model.replace('-', '_')}").RECIPES
    if name not in recipes:
        raise UserError(f"{model} has no recipe {name!r}; it has {', '.join(recipes)}")
    return recipes[name](Task(task))


def with_base(recipe: Recipe, base: str | None) -> Recipe:
    """The recipe with another pretrained model to start from; the same if none is named.

    Raises:
        UserError: the recipe starts from none.
    """
    if base is None:
        return recipe
    if getattr(recipe.model, "language", None) != "text":
        raise UserError(f"--base {base}: only crystal-llm with --recipe llama starts from a pretrained model")
    return replace(recipe, model=replace(recipe.model, pretrained=replace(recipe.model.pretrained, model=base)))
