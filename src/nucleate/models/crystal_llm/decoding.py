"""Writes answers, many at once: keys and values are kept, and each step draws one token a row."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from nucleate.models.crystal_llm.config import SamplingConfig
from nucleate.models.crystal_llm.language import Grammar, Language, Wish
from nucleate.models.networks.causal import CausalNetwork


@torch.no_grad()
def write_answers(
    network: CausalNetwork,
    language: Language,
    wishes: Sequence[Wish],
    sampling: SamplingConfig,
    rng: torch.Generator,
    *,
    grammar: Grammar | None = None,
    most: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> Int[Tensor, "b t"]:
    """Goes on with the prompts of some wishes until each answer has ended or is as long as it can be.

    Args:
        network: says what may come next.
        language: of the prompts.
        wishes: one an answer.
        sampling: temperature and nucleus.
        rng: random state.
        grammar: what may come next at all; anything if None.
        most: tokens after which an answer is left as it is; as many as it needs if None.
        progress: called with the share of the longest answer that is written.

    Returns:
        The answers without their prompts, filled up with `pad` after `end`, on the CPU.
    """
    device = next(network.parameters()).device
    prompts = language.prompts(wishes)
    room = min(language.longest(wishes), most or sys.maxsize)
    logits, memory = network.start(prompts.tokens.to(device), prompts.mask.to(device))
    rows = torch.arange(len(wishes), device=device)
    ended = torch.zeros(len(wishes), dtype=torch.bool, device=device)
    settled = torch.tensor([wish.numbers is not None for wish in wishes], device=device)
    answers = torch.full((len(wishes), room), language.pad)
    for place in range(room):
        logits = logits.float()
        if grammar is not None:
            logits = logits.masked_fill(~grammar.allowed(), -torch.inf)
        tokens = draw(logits, _temperature(sampling, settled), sampling.top_p, rng)
        tokens = torch.where(ended, language.pad, tokens)
        answers[rows.cpu(), place] = tokens.cpu()
        if grammar is not None:
            grammar.advance(tokens.cpu())
        settled = settled | language.settles(tokens)
        ended = ended | (tokens == language.end) | (tokens == language.pad)
        if progress is not None:
            progress((place + 1) / room)
        if bool(ended.all()) or place + 1 == room:
            break
        if ended.float().mean() > _TOO_MANY:
            going = (~ended).nonzero()[:, 0]
            rows, tokens, settled, ended = rows[going], tokens[going], settled[going], ended[going]
            memory = network.keep(memory, going)
            if grammar is not None:
                grammar.keep(going)
        logits, memory = network.step(tokens, memory)
    return answers[:, : place + 1]


def _temperature(sampling: SamplingConfig, settled: Tensor) -> Float[Tensor, "b 1"]:
    """Temperature of each row: another one as soon as the composition is settled, if there is another."""
    later = sampling.temperature if sampling.structure_temperature is None else sampling.structure_temperature
    return torch.where(settled, later, sampling.temperature)[:, None]


def draw(
    logits: Float[Tensor, "b v"], temperature: Float[Tensor, "b 1"], top_p: float, rng: torch.Generator
) -> Int[Tensor, " b"]:
    """Draws one token a row; temperature 0 takes the most probable. Random numbers come from the generator's device."""
    scaled = logits / temperature.clamp(min=1e-6)
    if top_p < 1:
        scaled = scaled.masked_fill(~_nucleus(scaled, top_p), -torch.inf)
    uniform = torch.rand(logits.shape, generator=rng, device=rng.device).to(logits.device)
    gumbel = -(-uniform.clamp(1e-20, 1 - 1e-7).log()).log()
    return (scaled + gumbel * (temperature > 0)).argmax(-1)


def _nucleus(logits: Float[Tensor, "b v"], top_p: float) -> Tensor:
    """The most probable tokens that together have this probability (Holtzman et al. 2020)."""
    probability, order = logits.softmax(-1).sort(-1, descending=True)
    before = probability.cumsum(-1) - probability
    return torch.zeros_like(logits, dtype=torch.bool).scatter(-1, order, before < top_p)


_TOO_MANY = 0.1
"""Share of the rows that may have ended before they are left out of what is computed."""
