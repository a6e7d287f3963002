"""Recipes of CDVAE."""

from __future__ import annotations

from nucleate.models.cdvae.config import CDVAEConfig, NoiseConfig, PriorConfig, SamplingConfig, WeightsConfig
from nucleate.models.generator import Task
from nucleate.models.networks.vectorformer import VectorformerConfig
from nucleate.models.parts.lattice import LatticeConfig
from nucleate.recipes.recipe import Recipe
from nucleate.training.config import TrainingConfig


def paper(task: Task) -> Recipe:
    """The published model: DimeNet++, GemNet-T and the parameters of Xie et al. 2022 for MP-20.

    The paper lowers the learning rate from 1e-3 to 1e-4 whenever the loss rests; here it falls along a cosine.
    """
    model = CDVAEConfig(
        task=task.value,
        lattice=LatticeConfig(angles="linear", volume_scaled=True, volumes="equal", standardised=True),
        teacher_forcing=0.5,
    )
    training = TrainingConfig(
        batch=256,
        chunk=64,
        epochs=1000,
        optimizer="adamw",
        learning_rate=1e-3,
        final_learning_rate=0.1,
        warmup=0,
        clip_norm=0.5,
        ema=0.0,
        validate_every=900,
        validation_batches=8,
    )
    return Recipe(model=model, training=training)


def small(task: Task) -> Recipe:
    """A compact model that learns well on two CPU cores; how it departs from the paper is on its model card."""
    model = CDVAEConfig(
        task=task.value,
        backbone="vectorformer",
        encoder=VectorformerConfig(width=128, pair_width=32, layers=2, heads=4),
        decoder=VectorformerConfig(width=192, pair_width=48, layers=5, heads=8),
        latent=64,
        composition="spelled",
        types="given",
        lattice=LatticeConfig(angles="linear", volume_scaled=True, standardised=True),
        noise=NoiseConfig(centre=0.5, spread=1.0, couple=True, strain=0.03),
        prior=PriorConfig(kind="flow"),
        weights=WeightsConfig(frac=2.0, lattice=4.0),
        without_latent=0.3,
        sampling=SamplingConfig(method="flow", steps=50, start=6.0, rho=3.0, churn=0.6, order="composition", draws=8),
    )
    training = TrainingConfig(
        batch=256,
        epochs=400,
        optimizer="muon",
        learning_rate=3e-3,
        warmup=200,
        ema=0.999,
        validate_every=300,
        select="last",
    )
    return Recipe(model=model, training=training)


RECIPES = {"small": small, "paper": paper}
"""Recipes by name."""
