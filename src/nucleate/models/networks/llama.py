"""LLaMA (Touvron et al. 2023, arXiv:2302.13971): RMSNorm before each part, rotary positions, SwiGLU, no biases.

The same mathematics as `transformers.LlamaForCausalLM` (a test compares them, weights and all), without a dependency.

Axes: B rows, T tokens, S tokens in memory, V vocabulary, H heads, D numbers of a head.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from nucleate.models.networks.causal import CausalNetwork


@dataclass(frozen=True, kw_only=True)
class LlamaConfig:
    """Sizes of the network.

    Attributes:
        width: numbers of a token's state.
        layers: blocks.
        heads: of attention; the width of a head has to be even.
        inner: hidden numbers of the SwiGLU.
        base: of the rotary frequencies.
    """

    width: int = 256
    layers: int = 6
    heads: int = 8
    inner: int = 704
    base: float = 10_000.0


class Beside(NamedTuple):
    """Whole numbers that follow from the tokens so far, and that the network is told beside each token."""

    numbers: Callable[[Int[Tensor, "b t"]], Int[Tensor, "b t n"]]
    """Each from the tokens up to its own, wherever the padding is."""
    sizes: tuple[int, ...]
    """Values that each number can have."""


class Memory(NamedTuple):
    """Keys and values of what was read so far."""

    tokens: Int[Tensor, "b s"]
    keys: list[Float[Tensor, "b h s d"]]
    values: list[Float[Tensor, "b h s d"]]
    mask: Bool[Tensor, "b s"]
    """Which places in memory can be looked at."""
    positions: Int[Tensor, " b"]
    """Position of the next token of each row, not counting padding."""


class Llama(CausalNetwork):
    """The network.

    Args:
        config: sizes.
        vocabulary: tokens that there are.
        beside: what it is told beside the tokens; nothing by default. It makes no difference before it is trained.
    """

    def __init__(self, config: LlamaConfig, vocabulary: int, beside: Beside | None = None) -> None:
        super().__init__()
        self.config = config
        self.beside = beside
        self.told = nn.ModuleList(nn.Embedding(size, config.width) for size in (beside.sizes if beside else ()))
        for table in self.told.parameters():
            nn.init.zeros_(table)
        self.embedding = nn.Embedding(vocabulary, config.width)
        nn.init.normal_(self.embedding.weight, std=0.02)
        self.blocks = nn.ModuleList(_Block(config) for _ in range(config.layers))
        self.norm = nn.RMSNorm(config.width, eps=_EPS)
        self.head = nn.Linear(config.width, vocabulary, bias=False)
        nn.init.normal_(self.head.weight, std=0.02)

    def forward(self, tokens: Int[Tensor, "b t"], mask: Bool[Tensor, "b t"]) -> Float[Tensor, "b t v"]:
        """Logits of what follows each token. With padding on the right no token can see it: none is masked."""
        places = torch.arange(tokens.shape[1], device=tokens.device)
        turns, seen = self._turns(places), places[:, None] >= places
        state = self._embedded(tokens)
        for block in self.blocks:
            state = block(state, turns, seen)
        return self.head(self.norm(state))

    def start(self, tokens: Int[Tensor, "b t"], mask: Bool[Tensor, "b t"]) -> tuple[Float[Tensor, "b v"], Memory]:
        """Reads prompts that are padded on the left, and keeps their keys and values."""
        length = tokens.shape[1]
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        seen = mask[:, None, None] & torch.ones(length, length, dtype=torch.bool, device=mask.device).tril()
        # A padded place looks at itself, so that its softmax, which nobody reads, is one.
        seen = seen | torch.eye(length, dtype=torch.bool, device=mask.device)
        turns = self._turns(positions, head_axis=True)
        state = self._embedded(tokens)
        keys, values = [], []
        for block in self.layers:
            state, key, value = block.remember(state, turns, seen)
            keys.append(key)
            values.append(value)
        logits = self.head(self.norm(state[:, -1]))
        return logits, Memory(tokens, keys, values, mask, mask.sum(1))

    def step(self, tokens: Int[Tensor, " b"], memory: Memory) -> tuple[Float[Tensor, "b v"], Memory]:
        """Takes one more token of each row.

        Memory grows by copying: products with whole tensors are twice as fast on CPUs as with parts of larger ones,
        which is more than the copies cost.
        """
        mask = F.pad(memory.mask, (0, 1), value=True)
        turns = self._turns(memory.positions[:, None], head_axis=True)
        read = torch.cat([memory.tokens, tokens[:, None]], 1)
        state = self._embedded(read, last=True)
        seen = mask[:, None, None]
        keys, values = [], []
        for block, key, value in zip(self.layers, memory.keys, memory.values, strict=True):
            state, key, value = block.recall(state, turns, seen, key, value)
            keys.append(key)
            values.append(value)
        logits = self.head(self.norm(state[:, 0]))
        return logits, Memory(read, keys, values, mask, memory.positions + 1)

    def keep(self, memory: Memory, rows: Int[Tensor, " k"]) -> Memory:
        """The memory of some rows."""
        keys, values = ([part[rows] for part in parts] for parts in (memory.keys, memory.values))
        return Memory(memory.tokens[rows], keys, values, memory.mask[rows], memory.positions[rows])

    @property
    def layers(self) -> list[_Block]:
        """The blocks, as what they are."""
        return cast(list[_Block], list(self.blocks))

    def _embedded(self, tokens: Int[Tensor, "b t"], *, last: bool = False) -> Float[Tensor, "b s w"]:
        """Tokens, or the last of each row alone, with what is told beside them."""
        state = self.embedding(tokens[:, -1:] if last else tokens)
        if self.beside is not None:
            numbers = self.beside.numbers(tokens)
            for table, number in zip(self.told, numbers.unbind(-1), strict=True):
                state = state + table(number[:, -1:] if last else number)
        return state

    def _turns(self, positions: Int[Tensor, "*dims"], *, head_axis: bool = False) -> Turns:
        """Cosines and sines of the rotary angles (Su et al. 2021), with an axis for heads after the first."""
        depth = self.config.width // self.config.heads
        rates = self.config.base ** (-torch.arange(0, depth, 2, device=positions.device) / depth)
        angles = positions.unsqueeze(-1) * rates
        if head_axis:
            angles = angles.unsqueeze(1)
        return Turns(angles.cos(), angles.sin())


class Turns(NamedTuple):
    """Cosines and sines by which halves of queries and keys are turned."""

    cos: Float[Tensor, "*dims k"]
    sin: Float[Tensor, "*dims k"]


class _Block(nn.Module):
    """Attention, then SwiGLU, each added to the state."""

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        width = config.width
        self.heads = config.heads
        self.norm_attention = nn.RMSNorm(width, eps=_EPS)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.norm_inner = nn.RMSNorm(width, eps=_EPS)
        self.gate = nn.Linear(width, config.inner, bias=False)
        self.up = nn.Linear(width, config.inner, bias=False)
        self.down = nn.Linear(config.inner, width, bias=False)

    def forward(self, state: Float[Tensor, "b t w"], turns: Turns, seen: Bool[Tensor, "..."]) -> Tensor:
        """Everything at once, as in training."""
        return self.remember(state, turns, seen)[0]

    def remember(
        self, state: Float[Tensor, "b t w"], turns: Turns, seen: Bool[Tensor, "..."]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The state after the block, and its keys and values."""
        query, key, value = self._qkv(state, turns)
        return self._rest(state, _attention(query, key, value, seen)), key, value

    def recall(
        self,
        state: Float[Tensor, "b 1 w"],
        turns: Turns,
        seen: Bool[Tensor, "b 1 1 r"],
        keys: Float[Tensor, "b h s d"],
        values: Float[Tensor, "b h s d"],
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The state of one more token, which sees what is in memory, and the memory with its key and value."""
        query, key, value = self._qkv(state, turns)
        keys, values = torch.cat([keys, key], 2), torch.cat([values, value], 2)
        return self._rest(state, _attention(query, keys, values, seen)), keys, values

    def _qkv(self, state: Float[Tensor, "b t w"], turns: Turns) -> tuple[Tensor, Tensor, Tensor]:
        count, length, width = state.shape
        flat = self.qkv(self.norm_attention(state)).view(count, length, 3, self.heads, width // self.heads)
        query, key, value = flat.permute(2, 0, 3, 1, 4)
        return _turned(query, turns), _turned(key, turns), value

    def _rest(self, state: Float[Tensor, "b t w"], mixed: Float[Tensor, "b h t d"]) -> Float[Tensor, "b t w"]:
        state = state + self.out(mixed.transpose(1, 2).flatten(2))
        inner = self.norm_inner(state)
        return state + self.down(F.silu(self.gate(inner)) * self.up(inner))


def _attention(
    query: Float[Tensor, "b h t d"],
    key: Float[Tensor, "b h s d"],
    value: Float[Tensor, "b h s d"],
    seen: Bool[Tensor, "..."],
) -> Float[Tensor, "b h t d"]:
    """Attention, spelled out on CPUs.

    For texts as short as crystals the fused operator takes four times as long there, both ways.
    """
    if query.device.type != "cpu":
        return F.scaled_dot_product_attention(query, key, value, attn_mask=seen)
    scores = (query @ key.mT) * query.shape[-1] ** -0.5
    return scores.masked_fill(~seen, -torch.inf).softmax(-1).to(value.dtype) @ value


def _turned(x: Float[Tensor, "b h t d"], turns: Turns) -> Float[Tensor, "b h t d"]:
    """Rotary positions: number i of a head is turned together with number i + D/2."""
    first, second = x.chunk(2, -1)
    cos, sin = turns.cos.to(x.dtype), turns.sin.to(x.dtype)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], -1)


_EPS = 1e-6
