"""Recipes of the crystal language models."""

from __future__ import annotations

from dataclasses import replace

from nucleate.models.crystal_llm.config import CrystalLLMConfig, SamplingConfig
from nucleate.models.generator import Task
from nucleate.models.networks.llama import LlamaConfig
from nucleate.recipes.recipe import Recipe
from nucleate.training.config import TrainingConfig


def small(task: Task) -> Recipe:
    """LLaMA from scratch with the small crystal language, made to learn well on two CPU cores."""
    model = CrystalLLMConfig(
        task=task.value,
        llama=LlamaConfig(width=192, layers=6, heads=6, inner=512),
        remainder=True,
        smoothing=0.1,
        rehearsal=0.25,
        sampling=SamplingConfig(temperature=0.8, structure_temperature=0.3),
    )
    training = TrainingConfig(
        batch=128,
        epochs=60,
        optimizer="muon",
        learning_rate=3e-3,
        warmup=200,
        weight_decay=0.05,
        ema=0.999,
        validate_every=300,
        select="last",
    )
    return Recipe(model=model, training=training)


def rehearse(task: Task) -> Recipe:
    """`small` that goes on (`--init`): as much of the grammar as of crystals, in small steps."""
    recipe = small(task)
    return Recipe(
        model=replace(recipe.model, rehearsal=0.5),
        training=replace(
            recipe.training, optimizer="adamw", learning_rate=3e-4, warmup=50, weight_decay=0.0, ema=0.998
        ),
    )


def llama(task: Task) -> Recipe:
    """The published model: plain text and LLaMA-2 with adapters (Gruver et al. 2024), for one GPU or more.

    `--base` names another model, on the Hub or in a folder.
    """
    model = CrystalLLMConfig(
        task=task.value, language="text", sampling=SamplingConfig(temperature=0.7, constrained=False)
    )
    training = TrainingConfig(
        batch=32,
        chunk=8,
        epochs=10,
        optimizer="adamw",
        learning_rate=5e-4,
        final_learning_rate=0.0,
        warmup=100,
        ema=0.0,
        compile="off",
        validate_every=900,
        validation_batches=4,
    )
    return Recipe(model=model, training=training)


RECIPES = {"small": small, "rehearse": rehearse, "llama": llama}
"""Recipes by name."""
