"""Recipes of CDVAE."""

from __future__ import annotations

from nucleate.models.cdvae.config import CDVAEConfig, NoiseConfig, SamplingConfig
from nucleate.models.flowmm.lattice import LatticeConfig
from nucleate.models.generator import Task
from nucleate.recipes.recipe import Recipe
from nucleate.training.config import TrainingConfig


def small(task: Task) -> Recipe:
    """A compact model that learns well on two CPU cores; how it departs from the paper is on its model card."""
    model = CDVAEConfig(
        task=task.value,
        lattice=LatticeConfig(angles="linear", volume_scaled=True, standardised=True),
        noise=NoiseConfig(centre=0.5, spread=1.0, couple=True, strain=0.03),
        sampling=SamplingConfig(steps=50, draws=8),
    )
    training = TrainingConfig(
        batch=256, epochs=400, optimizer="muon", learning_rate=3e-3, warmup=200, ema=0.999, validate_every=300
    )
    return Recipe(model=model, training=training)


RECIPES = {"small": small}
"""Recipes by name."""
