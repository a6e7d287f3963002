"""Tokenizers and a LLaMA that are small enough to be made where they are tested."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from nucleate.crystals import Crystals
from nucleate.models.crystal_llm.language import LABELS, Wish
from nucleate.models.crystal_llm.prompts import generation_prompt, infill_prompts
from nucleate.models.crystal_llm.text import translated, write

AROUND = {"bos_token": "<s>", "eos_token": "</s>"}
PADDED, UNKNOWN = {"pad_token": "<pad>"}, {"unk_token": "<unk>"}


def two_crystals() -> Crystals:
    """Rock salt and rutile, with all that can be said of them."""
    rutile = [[0, 0, 0], [0.5, 0.5, 0.5], *([x, x, 0] for x in (0.3, 0.7)), [0.8, 0.2, 0.5], [0.2, 0.8, 0.5]]
    rock_salt = np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]]) * 2.82
    return Crystals.build(
        [[11, 17], [22, 22, 8, 8, 8, 8]],
        [[[0, 0, 0], [0.5, 0.5, 0.5]], rutile],
        np.stack([rock_salt, np.diag([4.6, 4.6, 2.96])]),
        dict(zip(LABELS, ([225, 136], [0.0, 0.03], [5.0, 1.8]), strict=True)),
    )


def texts() -> list[str]:
    """What the tokenizers are trained on."""
    crystals = two_crystals()
    rng = torch.Generator().manual_seed(0)
    prompts = [generation_prompt(Wish(num_atoms=n, space_group=225, e_above_hull=0.1, band_gap=1.0)) for n in range(9)]
    moved = [text for _ in range(50) for text in write(translated(crystals, rng))]
    return [*prompts, *infill_prompts(crystals, [11, 8]), *moved]


def byte_tokenizer() -> PreTrainedTokenizerBase:
    """Byte-level BPE, as in GPT-2 and LLaMA 3, trained on crystals."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["<pad>", "<s>", "</s>"]
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts(), trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **AROUND, **PADDED)


def digit_tokenizer() -> PreTrainedTokenizerBase:
    """One token a character, a blank in front, newlines as bytes and no padding, as LLaMA 2 treats numbers."""
    characters = sorted(set("".join(texts()).replace(" ", "▁").replace("\n", "")) | {"▁"})
    words = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *characters]
    vocabulary = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], byte_fallback=True, unk_token="<unk>", fuse_unk=True))  # noqa: S106
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **AROUND, **UNKNOWN)


TOKENIZERS = {"bytes": byte_tokenizer, "digits": digit_tokenizer}


def save_tiny_llama(folder: Path, tokenizer: PreTrainedTokenizerBase, spread: float | None = None) -> Path:
    """Writes a LLaMA of two layers with random weights, and its tokenizer, as they are found on the Hub.

    Args:
        folder: where it goes.
        tokenizer: which tokens it knows.
        spread: standard deviation of the embedding and the head; that of transformers by default.
    """
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=1024,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    model = LlamaForCausalLM(config)
    if spread is not None:
        for weight in (model.model.embed_tokens.weight, model.lm_head.weight):
            torch.nn.init.normal_(weight, std=spread)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
