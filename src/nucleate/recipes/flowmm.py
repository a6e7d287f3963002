"""Recipes of FlowMM."""

from __future__ import annotations

from nucleate.models.flowmm.config import FlowMMConfig, SamplingConfig
from nucleate.models.generator import Task
from nucleate.models.networks.cspnet import CSPNetConfig
from nucleate.models.networks.pairformer import PairformerConfig
from nucleate.models.parts.lattice import LatticeConfig
from nucleate.recipes.recipe import Recipe
from nucleate.training.config import TrainingConfig


def paper(task: Task) -> Recipe:
    """The published model: CSPNet 6×512 and the parameters of Miller et al. 2024 for MP-20."""
    model = FlowMMConfig(
        task=task.value,
        backbone="cspnet",
        cspnet=CSPNetConfig(width=512, layers=6, frequencies=128, time_width=256),
        lattice=LatticeConfig(angles="logit"),
        types="bits",
        frac_weight=400.0,
        lattice_weight=1.0,
        types_weight=40.0,
        sampling=SamplingConfig(steps=1000, frac_slope=10.0 if task is Task.CSP else 5.0),
    )
    training = TrainingConfig(
        batch=256,
        epochs=2000,
        optimizer="adamw",
        learning_rate=3e-4,
        final_learning_rate=1 / 30,
        warmup=0,
        clip_norm=0.5,
        ema=0.999,
    )
    return Recipe(model=model, training=training)


def small(task: Task) -> Recipe:
    """A compact model that learns well on two CPU cores; how it departs from the paper is on its model card."""
    model = FlowMMConfig(
        task=task.value,
        backbone="pairformer",
        pairformer=PairformerConfig(),
        lattice=LatticeConfig(angles="logit", volume_scaled=True, standardised=True),
        types="posterior",
        couple=True,
        invert=True,
        frac_weight=12.0,
        lattice_weight=0.1,
        types_weight=0.5,
        sampling=SamplingConfig(steps=50, frac_slope=10.0, lattice_slope=1.0, capped=True, draws=8),
    )
    training = TrainingConfig(batch=256, epochs=400, optimizer="muon", learning_rate=3e-3, warmup=200, ema=0.999)
    return Recipe(model=model, training=training)


RECIPES = {"small": small, "paper": paper}
