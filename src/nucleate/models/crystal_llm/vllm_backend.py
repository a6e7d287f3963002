"""Sampling from large models with vLLM (Kwon et al. 2023), which shares out the memory of keys and values in pages.

It takes the place of `nucleate.models.crystal_llm.decoding.write_answers` for models of billions of weights on GPUs.
Temperature and nucleus are those of the sampler; a grammar and a second temperature it does not have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from nucleate.errors import UserError
from nucleate.files.extras import vllm_extra
from nucleate.models.crystal_llm.config import SamplingConfig
from nucleate.models.crystal_llm.language import Language, Wish


@dataclass(frozen=True, kw_only=True)
class VllmConfig:
    """How vLLM runs a model.

    Attributes:
        model: a local folder, or a name on the Hub.
        revision: branch, tag or commit on the Hub.
        adapters: folder that `PretrainedNetwork.export` wrote; None for the model as it is.
        rank: of the adapters.
        gpus: that a model is split over.
        memory: share of a GPU's memory that vLLM takes.
        length: most tokens of a prompt and its answer.
    """

    model: str = "meta-llama/Llama-2-7b-hf"
    revision: str | None = None
    adapters: Path | None = None
    rank: int = 8
    gpus: int = 1
    memory: float = 0.9
    length: int = 2048


class VllmWriter:
    """A model in vLLM, ready to write.

    Args:
        config: how it is run.

    Raises:
        UserError: vLLM is not installed.
    """

    def __init__(self, config: VllmConfig) -> None:
        with vllm_extra():
            from vllm import LLM  # pyright: ignore[reportMissingImports]
        self.config = config
        adapters = {} if config.adapters is None else {"enable_lora": True, "max_lora_rank": _rank(config.rank)}
        self.engine = LLM(
            model=config.model,
            revision=config.revision,
            tensor_parallel_size=config.gpus,
            gpu_memory_utilization=config.memory,
            max_model_len=config.length,
            dtype="bfloat16",
            enable_prefix_caching=True,  # prompts begin alike
            skip_tokenizer_init=True,  # tokens go in and come out
            **adapters,
        )

    def write_answers(
        self, language: Language, wishes: Sequence[Wish], sampling: SamplingConfig, rng: torch.Generator
    ) -> Int[Tensor, "b t"]:
        """Goes on with the prompts of some wishes until each answer has ended or is as long as it can be.

        Args:
            language: of the prompts.
            wishes: one an answer.
            sampling: temperature and nucleus.
            rng: gives each answer a seed of its own.

        Returns:
            The answers without their prompts, filled up with `pad` after `end`.

        Raises:
            UserError: a second temperature is asked for.
        """
        if sampling.structure_temperature is not None:
            raise UserError("vLLM has one temperature; leave out that of the structure")
        prompts = language.prompts(wishes)
        given = [{"prompt_token_ids": row[there].tolist()} for row, there in zip(*prompts[:2], strict=True)]
        seeds = torch.randint(2**31, (len(wishes),), generator=rng, device=rng.device).tolist()
        asked = [self._sampling(language, sampling, language.longest(wishes), seed) for seed in seeds]
        said = self.engine.generate(given, asked, lora_request=self._adapters(), use_tqdm=False)
        rows = [_ended(language, one.outputs[0]) for one in said]
        answers = torch.full((len(rows), max(map(len, rows), default=0)), language.pad)
        for place, row in enumerate(rows):
            answers[place, : len(row)] = torch.tensor(row, dtype=torch.int64)
        return answers

    def _sampling(self, language: Language, sampling: SamplingConfig, room: int, seed: int) -> Any:
        from vllm import SamplingParams  # pyright: ignore[reportMissingImports]

        return SamplingParams(
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            max_tokens=room,
            stop_token_ids=[language.end],
            seed=seed,
            detokenize=False,
        )

    def _adapters(self) -> Any:
        if self.config.adapters is None:
            return None
        from vllm.lora.request import LoRARequest  # pyright: ignore[reportMissingImports]

        return LoRARequest("crystals", 1, str(self.config.adapters))


def _ended(language: Language, answer: Any) -> list[int]:
    """The tokens of an answer, with the end if it has ended."""
    tokens = [int(token) for token in answer.token_ids]
    if answer.finish_reason == "stop" and tokens[-1:] != [language.end]:
        tokens.append(language.end)
    return tokens


def _rank(rank: int) -> int:
    """The smallest rank that vLLM has room for and that is enough.

    Raises:
        UserError: there is none.
    """
    fitting = [room for room in _RANKS if room >= rank]
    if not fitting:
        raise UserError(f"vLLM takes adapters of rank {_RANKS[-1]} at most, not {rank}")
    return fitting[0]


_RANKS = (8, 16, 32, 64, 128, 256)
