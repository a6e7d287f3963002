"""Configuration of FlowLLM."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from nucleate.models.crystal_llm.config import CrystalLLMConfig
from nucleate.models.flowmm.config import FlowMMConfig


@dataclass(frozen=True, kw_only=True)
class SamplingConfig:
    """How crystals are proposed and refined. How each part does it, its own configuration says.

    Attributes:
        draws: proposals that are refined for each composition, of which the most typical is given (CSP).
    """

    draws: int = 1


@dataclass(frozen=True, kw_only=True)
class FlowLLMConfig:
    """One model of the family. It does both tasks.

    Attributes:
        task: "csp" or "dng", what the model was trained for in the first place.
        language: of the model that proposes.
        flow: of the flow for CSP that refines; its `base` is "given".
        sampling: default sampler.

    Raises:
        ValueError: the flow would start from noise, or make its own types.
    """

    task: Literal["csp", "dng"]
    language: CrystalLLMConfig = field(default_factory=lambda: CrystalLLMConfig(task="csp"))
    flow: FlowMMConfig = field(default_factory=lambda: FlowMMConfig(task="csp", base="given"))
    sampling: SamplingConfig = field(default_factory=SamplingConfig)

    def __post_init__(self) -> None:
        if self.flow.base != "given" or self.flow.task != "csp":
            raise ValueError("the flow of FlowLLM has to be one for csp whose base is given")
