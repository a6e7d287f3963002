"""Configuration of the crystal language models."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from nucleate.models.crystal_llm.text_language import TextConfig
from nucleate.models.crystal_llm.tokens import TokensConfig
from nucleate.models.networks.llama import LlamaConfig
from nucleate.models.networks.pretrained import PretrainedConfig


@dataclass(frozen=True, kw_only=True)
class SamplingConfig:
    """How answers are written.

    Attributes:
        temperature: divides the logits; 0 takes the most probable token each time.
        structure_temperature: of all that comes after the formula; the same as `temperature` if None.
        top_p: only the most probable tokens that together have this probability are drawn from (Holtzman et al. 2020).
        constrained: whether only tokens are written that lead to an answer that can be read.
        clearance: Å; constrained answers put no atom nearer to another one, if there is any other place.
        draws: samples for each composition, of which the most typical is given (CSP).
    """

    temperature: float = 1.0
    structure_temperature: float | None = None
    top_p: float = 1.0
    constrained: bool = True
    clearance: float = 0.5
    draws: int = 1


@dataclass(frozen=True, kw_only=True)
class CrystalLLMConfig:
    """One model of the family. It does both tasks.

    Attributes:
        task: "csp" or "dng", what the model was trained for in the first place.
        language: "tokens" writes the small language with a network of its own; "text" writes plain text, as published,
            with somebody's model.
        llama: sizes of the network for "tokens".
        tokens: how documents of "tokens" are drawn.
        pretrained: the network for "text".
        text: how documents of "text" are drawn.
        remainder: whether the network of "tokens" is told beside each token what remains to be written of the formula.
        smoothing: share of a coordinate's probability that its two neighbours get in training.
        rehearsal: share of the documents of a batch that the network writes itself, to learn the grammar from.
        sampling: default sampler.
    """

    task: Literal["csp", "dng"]
    language: Literal["tokens", "text"] = "tokens"
    llama: LlamaConfig = field(default_factory=LlamaConfig)
    tokens: TokensConfig = field(default_factory=TokensConfig)
    pretrained: PretrainedConfig = field(default_factory=PretrainedConfig)
    text: TextConfig = field(default_factory=TextConfig)
    remainder: bool = False
    smoothing: float = 0.0
    rehearsal: float = 0.0
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
