"""Causal language models from a local folder or the Hugging Face Hub, with low-rank adapters (Hu et al. 2022).

What is trained is small (4 million of LLaMA-2's 7 billion weights by default), and only that is part of the state: the
frozen weights are read from where they came from. Copies of the network share them.

Axes: B rows, T tokens, V vocabulary; packed rows: R rows, W tokens.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, distributed, nn

from nucleate.errors import UserError
from nucleate.files.extras import llm_extra
from nucleate.models.networks.causal import CausalNetwork
from nucleate.models.networks.hub import only_local


@dataclass(frozen=True, kw_only=True)
class PretrainedConfig:
    """Which model, and what of it is trained. The defaults are those of Gruver et al. (2024).

    Attributes:
        model: a local folder, or a name on the Hub.
        revision: branch, tag or commit on the Hub.
        rank: of the adapters; 0 trains all weights instead, which is best done with 32 bits.
        alpha: adapters are scaled by alpha / rank.
        dropout: share of an adapter's input that is dropped in training.
        targets: names of the linear layers that get adapters.
        bits: of a frozen weight: 32, 16 (bfloat16), or 8 or 4 (bitsandbytes; 4 is NF4 of Dettmers et al. 2023).
        checkpointing: whether states within a block are computed again in the backward pass instead of kept.
        packed: tokens of a row into which several documents are packed; 0 for a row a document.
        sharded: whether the processes of `torchrun` share the frozen weights out among them (FSDP; Zhao et al. 2023),
            each gathering a block's while it needs them. Leave out the average of weights then: its copy is whole.
    """

    model: str = "meta-llama/Llama-2-7b-hf"
    revision: str | None = None
    rank: int = 8
    alpha: float = 32.0
    dropout: float = 0.05
    targets: Sequence[str] = ("q_proj", "v_proj")
    bits: Literal[4, 8, 16, 32] = 16
    checkpointing: bool = False
    packed: int = 0
    sharded: bool = False


class Memory(NamedTuple):
    """What was read so far."""

    cache: Any
    """Keys and values, as transformers keeps them."""
    mask: Bool[Tensor, "b s"]
    """Which places in the cache can be looked at."""
    positions: Int[Tensor, " b"]
    """Position of the next token of each row, not counting padding."""


class PretrainedNetwork(CausalNetwork):
    """The network.

    The masks of its dropout follow from the tokens, so that training goes on bitwise where it was stopped.

    Args:
        config: which model.
        vocabulary: tokens that there are. Rows are added to the embedding, and trained, if the model has fewer; logits
            of more are cut off.

    Raises:
        UserError: transformers, PEFT or bitsandbytes is missing, or there is no such model; or it has no such layers.
    """

    def __init__(self, config: PretrainedConfig, vocabulary: int) -> None:
        super().__init__()
        self.config = config
        self.vocabulary = vocabulary
        self.sharded = False
        if config.sharded and (config.bits < 16 or not config.rank):
            raise UserError("only frozen weights of 16 or 32 bits can be shared out among processes")
        base = _load(config)
        added = _grow(base, vocabulary)
        arguments = inspect.signature(base.forward).parameters
        self.cache_name = "cache" if "cache" in arguments else "past_key_values"  # its name until transformers 5
        self.last_only = {"logits_to_keep": 1} if "logits_to_keep" in arguments else {}
        if config.checkpointing:
            _keep_less(base)
        self.model: nn.Module = _with_adapters(base, config, added) if config.rank else base
        self.trained = frozenset(name for name, weight in self.named_parameters() if weight.requires_grad)
        """Names of the weights that are trained, which are those of the state."""
        self.register_state_dict_post_hook(_keep_trained)
        self.register_load_state_dict_post_hook(_do_not_miss_frozen)

    @torch.compiler.disable
    def forward(self, tokens: Int[Tensor, "b t"], mask: Bool[Tensor, "b t"]) -> Float[Tensor, "b t v"]:
        """Logits of what follows each token; packed into fewer rows on the way if the configuration says so."""
        if self.config.sharded and not self.sharded and distributed.is_initialized():
            self.shard(tokens.device)
        with self._dropout(tokens):
            if self.config.packed:
                return self._packed(tokens, mask)
            places = (mask.cumsum(1) - 1).clamp(min=0)
            seen = {"attention_mask": mask.long(), "position_ids": places}
            return self.model(input_ids=tokens, use_cache=False, **seen).logits[..., : self.vocabulary]

    def start(self, tokens: Int[Tensor, "b t"], mask: Bool[Tensor, "b t"]) -> tuple[Float[Tensor, "b v"], Memory]:
        """Reads prompts that are padded on the left."""
        places = (mask.cumsum(1) - 1).clamp(min=0)
        return self._read(tokens, Memory(None, mask, mask.sum(1)), places)

    def step(self, tokens: Int[Tensor, " b"], memory: Memory) -> tuple[Float[Tensor, "b v"], Memory]:
        """Takes one more token of each row."""
        cache, mask, positions = memory
        mask = torch.cat([mask, torch.ones_like(mask[:, :1])], 1)
        return self._read(tokens[:, None], Memory(cache, mask, positions + 1), positions[:, None])

    def keep(self, memory: Memory, rows: Int[Tensor, " k"]) -> Memory:
        """The memory of some rows. The cache is changed in its place."""
        memory.cache.batch_select_indices(rows)
        return memory._replace(mask=memory.mask[rows], positions=memory.positions[rows])

    def _read(
        self, tokens: Int[Tensor, "b t"], memory: Memory, places: Int[Tensor, "b t"]
    ) -> tuple[Float[Tensor, "b v"], Memory]:
        """Logits after the last of some tokens, and the memory with them in it."""
        said = self.model(
            input_ids=tokens,
            attention_mask=memory.mask.long(),
            position_ids=places,
            use_cache=True,
            **{self.cache_name: memory.cache},
            **self.last_only,
        )
        return said.logits[:, -1, : self.vocabulary], memory._replace(cache=getattr(said, self.cache_name))

    def _packed(self, tokens: Int[Tensor, "b t"], mask: Bool[Tensor, "b t"]) -> Float[Tensor, "b t v"]:
        """The same logits, found with several documents in a row; no document sees another. Padding gets zeros."""
        row, start, width = pack(mask.sum(1).tolist(), self.config.packed)
        place = (mask.cumsum(1) - 1)[mask]
        owner = mask.nonzero()[:, 0]
        rows = torch.tensor(row, device=tokens.device)[owner]
        columns = torch.tensor(start, device=tokens.device)[owner] + place
        shape = (max(row) + 1, width)
        packed, places = tokens.new_zeros(shape), tokens.new_zeros(shape)
        packed[rows, columns] = tokens[mask]
        places[rows, columns] = place
        document = tokens.new_full(shape, -1)
        document[rows, columns] = owner
        order = torch.arange(width, device=tokens.device)
        seen = (document[:, :, None] == document[:, None]) & (order[:, None] >= order)
        said = self.model(input_ids=packed, attention_mask=seen[:, None], position_ids=places, use_cache=False)
        logits = said.logits[..., : self.vocabulary]
        unpacked = logits.new_zeros(*tokens.shape, logits.shape[-1])
        return unpacked.index_put(mask.nonzero(as_tuple=True), logits[rows, columns])

    @contextmanager
    def _dropout(self, tokens: Int[Tensor, "b t"]) -> Iterator[None]:
        """Draws what is dropped from the tokens, and leaves the random state of the process alone."""
        if not (self.training and self.config.dropout):
            yield
            return
        odd = 2 * torch.arange(tokens.numel(), device=tokens.device) + 1
        seed = int(((tokens.flatten() + 1) * odd * _MIX).sum()) % 2**63
        with torch.random.fork_rng([tokens.device] if tokens.device.type == "cuda" else []):
            torch.manual_seed(seed)
            yield

    def shard(self, device: torch.device) -> None:
        """Shares the frozen weights out among all processes. The adapters stay whole: states are as they were.

        The first call of `forward` among several processes does it, if the configuration says so.

        Args:
            device: of this process.
        """
        from torch.distributed.device_mesh import init_device_mesh  # takes a second
        from torch.distributed.fsdp import fully_shard

        self.sharded = True
        mesh = init_device_mesh(device.type, (distributed.get_world_size(),))
        trained = {weight for weight in self.parameters() if weight.requires_grad}
        for module in [*_blocks(self.model), self.model]:
            fully_shard(module, mesh=mesh, ignored_params=trained)

    def export(self, folder: Path) -> None:
        """Writes the adapters (or all weights, if all are trained) as PEFT, transformers and vLLM read them."""
        self.model.save_pretrained(folder)  # pyright: ignore[reportCallIssue] - of transformers and PEFT alike

    def __deepcopy__(self, memo: dict[int, Any]) -> PretrainedNetwork:
        # Frozen weights are the same for ever; with billions of them there is no room for a second copy.
        tensors = [*self.named_parameters(), *self.named_buffers()]
        memo.update({id(tensor): tensor for name, tensor in tensors if name not in self.trained})
        copied = type(self).__new__(type(self))
        memo[id(self)] = copied
        vars(copied).update(copy.deepcopy(vars(self), memo))
        return copied


def pack(lengths: Sequence[int], width: int) -> tuple[list[int], list[int], int]:
    """Puts documents into rows, the longest first, each into the first row that has room for it.

    Args:
        lengths: tokens of each document.
        width: tokens of a row.

    Returns:
        The row of each document, where in it the document starts, and the width of the rows, which is more than what
        was asked for if a document is longer, and less if no row is full.
    """
    used: list[int] = []
    row, start = [0] * len(lengths), [0] * len(lengths)
    for document in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        chosen = next((r for r, taken in enumerate(used) if taken + lengths[document] <= width), len(used))
        if chosen == len(used):
            used.append(0)
        row[document], start[document] = chosen, used[chosen]
        used[chosen] += lengths[document]
    return row, start, max(used, default=0)


def _load(config: PretrainedConfig) -> Any:
    """The model without adapters.

    Raises:
        UserError: a library is missing, or there is no such model.
    """
    with llm_extra():
        from transformers import AutoModelForCausalLM
    # Packed rows need a mask of their own, which only this implementation takes as it is.
    more: dict[str, Any] = {"attn_implementation": "sdpa"} if config.packed else {}
    if config.bits < 16:
        more |= _quantized(config)
    try:
        model = AutoModelForCausalLM.from_pretrained(
            config.model,
            revision=config.revision,
            local_files_only=only_local(config.model, config.revision),
            dtype=torch.float32 if config.bits == 32 else torch.bfloat16,
            **more,
        )
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"no language model could be loaded from {config.model!r}: {_line(error)}") from error
    return model


def _quantized(config: PretrainedConfig) -> dict[str, Any]:
    """How transformers is asked for weights of 4 or 8 bits.

    Raises:
        UserError: bitsandbytes is missing, or all weights are to be trained.
    """
    if find_spec("bitsandbytes") is None:
        raise UserError(f"bitsandbytes is not installed; {config.bits}-bit weights need it: pip install bitsandbytes")
    if not config.rank:
        raise UserError(f"{config.bits}-bit weights cannot be trained; ask for adapters of rank 1 or more")
    with llm_extra():
        from transformers import BitsAndBytesConfig
    four: dict[str, Any] = {
        "bnb_4bit_quant_type": "nf4",
        "bnb_4bit_compute_dtype": torch.bfloat16,
        "bnb_4bit_use_double_quant": True,
    }
    asked: dict[str, Any] = {"load_in_4bit": True, **four} if config.bits == 4 else {"load_in_8bit": True}
    # Weights are quantized as they come to where they stay.
    device = torch.cuda.current_device() if torch.cuda.is_available() else "cpu"
    return {"quantization_config": BitsAndBytesConfig(**asked), "device_map": {"": device}}


def _grow(base: Any, vocabulary: int) -> list[int]:
    """Gives the embedding a row for each token; returns those that were added."""
    rows = base.get_input_embeddings().weight.shape[0]
    if vocabulary <= rows:
        return []
    base.resize_token_embeddings(vocabulary)
    return list(range(rows, vocabulary))


def _keep_less(base: Any) -> None:
    """Has blocks computed again in the backward pass."""
    if hasattr(base, "activation_checkpointing_enable"):  # its name from transformers 5 on
        base.activation_checkpointing_enable({"use_reentrant": False})
    else:
        base.gradient_checkpointing_enable({"use_reentrant": False})


def _with_adapters(base: Any, config: PretrainedConfig, added: list[int]) -> nn.Module:
    """Freezes a model and gives it adapters; embeddings of tokens that were added are trained as they are.

    Raises:
        UserError: PEFT is missing, or the model has no such layers.
    """
    with llm_extra():
        from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
    if config.bits < 16:
        base = prepare_model_for_kbit_training(base, use_gradient_checkpointing=False)
    ends = [base.get_input_embeddings()]
    if not base.config.tie_word_embeddings:
        ends.append(base.get_output_embeddings())
    names = [name.rpartition(".")[2] for name, module in base.named_modules() if any(module is end for end in ends)]
    lora = LoraConfig(
        r=config.rank,
        lora_alpha=config.alpha,  # pyright: ignore[reportArgumentType] - any number will do
        lora_dropout=config.dropout,
        target_modules=list(config.targets),
        task_type="CAUSAL_LM",
        trainable_token_indices=dict.fromkeys(names, added) if added else None,
    )
    try:
        return get_peft_model(base, lora)
    except ValueError as error:
        raise UserError(f"{config.model!r} cannot have adapters: {_line(error)}") from error


def _blocks(model: nn.Module) -> list[nn.Module]:
    """The layers of a model that transformers keeps together."""
    kinds = {kind for module in model.modules() for kind in getattr(module, "_no_split_modules", None) or ()}
    return [module for module in model.modules() if type(module).__name__ in kinds]


def _keep_trained(module: nn.Module, state: dict[str, Any], prefix: str, _: Any) -> None:
    """Leaves the frozen weights of a network out of its state."""
    assert isinstance(module, PretrainedNetwork)  # noqa: S101 - for the type
    for name in [name for name in state if name.startswith(prefix)]:
        if name[len(prefix) :] not in module.trained:
            del state[name]


def _do_not_miss_frozen(module: nn.Module, keys: Any) -> None:
    """Frozen weights are no part of a state: that they are not in one is no error."""
    assert isinstance(module, PretrainedNetwork)  # noqa: S101 - for the type
    frozen = {name for name, _ in [*module.named_parameters(remove_duplicate=False), *module.named_buffers()]}
    frozen -= module.trained

    def is_frozen(name: str) -> bool:
        parts = name.split(".")
        return any(".".join(parts[start:]) in frozen for start in range(len(parts)))

    keys.missing_keys[:] = [name for name in keys.missing_keys if not is_frozen(name)]


def _line(error: Exception) -> str:
    """The first line of what an error says."""
    return (str(error).splitlines() or [type(error).__name__])[0]


_MIX = 0x9E3779B97F4A7C15 - 2**64
"""Spreads seeds (the golden ratio in 64 bits, as a signed number)."""
