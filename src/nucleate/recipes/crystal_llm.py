"""Recipes of the crystal language models."""

from __future__ import annotations

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
        smoothing=0.1,
        sampling=SamplingConfig(draws=8),
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
    )
    return Recipe(model=model, training=training)


RECIPES = {"small": small}
"""Recipes by name."""
