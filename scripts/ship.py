"""Puts the best weights of a run into the package: `python scripts/ship.py RUN NAME`.

Weights are stored in bfloat16, in which products are computed anyway where the hardware has it; what is measured and
written on the model card are the stored weights. How to sample is taken from today's recipe, since it is tuned last.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from nucleate.models.checkpoint import load_weights, read_header, save_weights
from nucleate.recipes import find_recipe
from nucleate.weights import FOLDER, load_model


def resampled(config: Any, recipe: Any) -> Any:
    """The configuration with the recipe's ways of sampling, its own and those of its parts."""
    changes = {}
    for field in fields(config):
        ours, theirs = getattr(config, field.name), getattr(recipe, field.name)
        if field.name == "sampling":
            changes[field.name] = theirs
        elif is_dataclass(ours):
            changes[field.name] = resampled(ours, theirs)
    return replace(config, **changes)


@torch.no_grad()
def average(model: nn.Module, other: nn.Module) -> None:
    """Moves the parameters of a model to the middle between it and another of the same shape."""
    for ours, theirs in zip(model.parameters(), other.parameters(), strict=True):
        ours.lerp_(theirs, 0.5)


def main() -> None:
    """Reads the run, and writes its weights with today's sampler."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("name")
    parser.add_argument("--mean", type=Path, help="a run whose weights the first's are averaged with")
    parser.add_argument("--adopt", help="a model whose weights take the place of a parent's")
    arguments = parser.parse_args()
    best = arguments.run / "best.safetensors"
    settings = json.loads((arguments.run / "config.json").read_text())
    model = load_weights(best)
    recipe = find_recipe(settings["family"], settings["task"], settings["recipe"])
    model.config = resampled(model.config, recipe.model)
    if arguments.mean:
        average(model, load_weights(arguments.mean / "best.safetensors"))
    if arguments.adopt:
        model.adopt(load_model(arguments.adopt))
    sources = settings["init"] or []
    began = [Path(source).name for source in ([sources] if isinstance(sources, str) else sources)]
    notes = {**read_header(best)["notes"], "data": settings["data"], "recipe": settings["recipe"], "init": began}
    save_weights(model, FOLDER / f"{arguments.name}.safetensors", notes, torch.bfloat16)


if __name__ == "__main__":
    main()
