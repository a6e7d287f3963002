"""Recipes of FlowLLM."""

from __future__ import annotations

from dataclasses import replace

from nucleate.models.flowllm.config import FlowLLMConfig
from nucleate.models.generator import Task
from nucleate.recipes import crystal_llm, flowmm
from nucleate.recipes.recipe import Recipe


def small(task: Task) -> Recipe:
    """The small language model and the small flow; give both their weights with `--init`."""
    language, flow = crystal_llm.small(task), flowmm.small(Task.CSP)
    sampling = replace(flow.model.sampling, steps=25)
    model = FlowLLMConfig(
        task=task.value, language=language.model, flow=replace(flow.model, base="given", sampling=sampling)
    )
    return Recipe(model=model, training=replace(flow.training, learning_rate=1.5e-3))


RECIPES = {"small": small}
"""Recipes by name."""
