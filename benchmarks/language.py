"""Throughput of the crystal language model: many answers at once beside one at a time, and training.

    python -m benchmarks.language
    python -m benchmarks.language -n 256 --alone 32 --json language.json

Both ways of sampling run in turns in one process, on the same prompts with the same grammar, so that their ratio holds
on a busy machine too. Training is a whole optimisation step on documents of real crystals of like length; its FLOPs are
those of matrix products, set against the rate of large bfloat16 products in the same run.
"""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path

import torch
from rich.console import Console
from torch.utils.flop_counter import FlopCounterMode

from nucleate.datasets import load
from nucleate.generation.sampling import generate
from nucleate.models.crystal_llm import CrystalLLM
from nucleate.models.precision import autocast
from nucleate.recipes import find_recipe
from nucleate.training.batches import epoch_batches
from nucleate.training.loop import dense
from nucleate.training.optimizers import build_optimizers
from nucleate.weights import load_model


def main() -> None:
    """Measures and prints."""
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="crystal-llm")
    parser.add_argument("--data", default="prototypes:train", help="crystals to train on, and compositions to sample")
    parser.add_argument("-n", type=int, default=1024, help="crystals that are sampled at once")
    parser.add_argument("--alone", type=int, default=16, help="crystals that are sampled one at a time, in each turn")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    measured = {"threads": arguments.threads, **sampling(arguments), **training(arguments.data)}
    console = Console()
    for name, value in measured.items():
        console.print(f"{name:>28}  {value:,.2f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(measured, indent=2))


def sampling(arguments: Namespace) -> dict[str, float]:
    """Crystals per second at once and one at a time, by the median turn of each."""
    model = load_model(arguments.model).eval()
    many, alone = arguments.n, arguments.alone

    def one_by_one() -> None:
        for seed in range(alone):
            generate(model, 1, seed=seed)

    generate(model, 8)
    turns = range(arguments.turns)
    at_once, single = [], []
    for seed in turns:
        at_once.append(many / _seconds(lambda seed=seed: generate(model, many, seed=seed)))
        single.append(alone / _seconds(one_by_one))
    best, base = sorted(at_once)[len(at_once) // 2], sorted(single)[len(single) // 2]
    return {"sampled at once, /s": best, "one at a time, /s": base, "ratio": best / base}


def training(data: str) -> dict[str, float]:
    """Crystals and tokens per second of whole steps, and the share of the machine's rate."""
    recipe = find_recipe("crystal-llm", "dng", "small")
    crystals = load(data)
    crystals = crystals[crystals.built & (crystals.counts.numpy() <= 20)][:2048].niggli()
    model = CrystalLLM(recipe.model)
    block = dense(crystals, torch.device("cpu"))
    model.fit(block)
    block = block._replace(labels=model.describe(crystals))
    rng = torch.Generator().manual_seed(0)
    batches = epoch_batches(model.lengths(block), recipe.training.batch, rng)
    optimizers = build_optimizers(model, recipe.training)
    tokens = 0

    def step(index: torch.Tensor) -> None:
        nonlocal tokens
        example = model.draw(block.take(index), rng)
        tokens += int(example.noise["mask"].sum())
        with autocast(torch.device("cpu")):
            loss = model.loss(example)["loss"]
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizers.step(1e-3)

    step(batches[0])
    tokens = 0
    with FlopCounterMode(display=False) as counter:
        for index in batches:
            step(index)
    flops, tokens = counter.get_total_flops(), 0
    seconds = _seconds(lambda: [step(index) for index in batches])
    return {
        "trained, crystals/s": len(batches) * len(batches[0]) / seconds,
        "trained, tokens/s": tokens / seconds,
        "GFLOP/s": flops / seconds / 1e9,
        "share of the machine's rate": flops / seconds / _rate(),
    }


def _rate() -> float:
    """FLOP/s of large bfloat16 products."""
    left, right = (torch.randn(2048, 2048, dtype=torch.bfloat16) for _ in range(2))
    left @ right
    return 5 * 2 * 2048**3 / _seconds(lambda: [left @ right for _ in range(5)])


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
