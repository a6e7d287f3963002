"""What the benchmarks of speed share: crystals to work on, networks to compare, the clock, and the table."""

from __future__ import annotations

import json
import os
import time
from abc import ABC, abstractmethod
from argparse import ArgumentDefaultsHelpFormatter, ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import date
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.plain_cspnet import PlainCSPNet
from nucleate.crystals import Crystals, Padded
from nucleate.datasets import load
from nucleate.geometry import lattice as cells
from nucleate.models.generator import Generator
from nucleate.models.networks.cspnet import CSPNetConfig
from nucleate.models.networks.interface import FlowOutput
from nucleate.models.precision import has_bfloat16
from nucleate.models.registry import family
from nucleate.recipes import find_recipe
from nucleate.recipes.recipe import Recipe
from nucleate.training.batches import epoch_batches

NETWORKS = ("plain", "paper", "small", "cdvae-paper", "cdvae-small")
"""`plain`: CSPNet 6×512 as published, in fp32; `paper` and `small`: what FlowMM's recipes of those names build; then
CDVAE's."""


def arguments(description: str | None) -> ArgumentParser:
    """The flags that all benchmarks of speed have."""
    parser = ArgumentParser(
        description=description and description.splitlines()[0], formatter_class=ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--batch", type=int, default=256, help="crystals per batch")
    parser.add_argument("--batches", type=int, default=4, help="batches, together spanning all sizes of crystals")
    parser.add_argument("--spread", type=int, default=1, help="batches of which one is worked on")
    parser.add_argument("--data", help="crystals of this data set, such as mp-20:val, instead of random ones")
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS), help="what to compare")
    parser.add_argument(
        "--repeats", type=int, default=3, help="times that each network takes its turn; the best counts"
    )
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="threads of PyTorch")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument(
        "--clock", choices=("wall", "cpu"), default="wall", help="cpu: processor time, for one thread on a busy machine"
    )
    parser.add_argument("--json", type=Path, help="also write the numbers to this file")
    return parser


def take_crystals(args: Namespace) -> Padded:
    """As many crystals as all batches hold: random ones, or some of a data set, evenly spread over its order."""
    count = args.batch * args.batches * args.spread
    if args.data is None:
        return draw_crystals(count, args.device)
    crystals = load(args.data, progress=True)
    crystals = crystals[crystals.built].niggli()
    rows = np.linspace(0, len(crystals) - 1, count).round().astype(int)
    return crystals[rows].to(dtype=torch.float32).padded().to(args.device)


def draw_crystals(count: int, device: str = "cpu") -> Padded:
    """Random crystals of 1–20 atoms, sized nearly as in MP-20.

    Sizes are 1 + Binomial(19, p) with p from Beta(1.3, 1.3), with mean 10.5 and mean square 139; the training set of
    MP-20 has 10.4 and 137. Coordinates and elements do not matter to speed and are uniform.
    """
    rng = np.random.default_rng(0)
    sizes = 1 + rng.binomial(19, rng.beta(1.3, 1.3, count))
    lengths, angles = rng.uniform(3, 9, (count, 3)), rng.uniform(75, 105, (count, 3))
    return (
        Crystals.build(
            [rng.integers(1, 84, size) for size in sizes],
            [rng.random((size, 3)) for size in sizes],
            cells.matrix(torch.from_numpy(lengths), torch.from_numpy(angles)),
            dtype=torch.float32,
        )
        .padded()
        .to(device)
    )


def cut(data: Padded, batch: int, spread: int = 1) -> list[Padded]:
    """Batches of crystals of similar size, as in training; of each `spread`, sorted by size, the one in the middle."""
    counts = data.counts.cpu()
    index = epoch_batches(counts, batch, torch.Generator().manual_seed(0))
    if spread > 1:
        index = sorted(index, key=lambda rows: int(counts[rows].sum()))[spread // 2 :: spread]
    return [data.take(rows.to(data.mask.device)) for rows in index]


def build(name: str, data: Padded) -> tuple[Generator, Recipe]:
    """The whole model with the network of that name; `plain` is `paper` but for the network and fp32."""
    kind, _, size = name.rpartition("-")
    recipe = find_recipe(kind or "flowmm", "dng", "paper" if name == "plain" else size)
    model = family(kind or "flowmm")(recipe.model)
    model.fit(data.to("cpu"))
    if name == "plain":
        recipe = replace(recipe, training=replace(recipe.training, precision="fp32"))
        model.network = _Plain(recipe.model.cspnet, model.network.state_dict())
    return model.to(data.mask.device), recipe


class _Plain(nn.Module):
    """The plain network, with the same weights, in the place of the fast one."""

    def __init__(self, config: CSPNetConfig, state: dict[str, Tensor]) -> None:
        super().__init__()
        type_inputs, type_outputs = state["embed_types.weight"].shape[1], state["types_head.weight"].shape[0]
        self.network = PlainCSPNet(type_inputs, type_outputs, **asdict(config))
        self.network.load_state_dict(state)

    def forward(
        self, types: Tensor, frac: Tensor, lattice: Tensor, metric: Tensor, time: Tensor, mask: Tensor
    ) -> FlowOutput:
        squares, axes = torch.linalg.eigh(metric)
        cell = axes * squares.clamp(min=1e-3).sqrt()[:, None]  # of all cells with this metric, one
        flat = self.network(types[mask], frac[mask], lattice, cell, time, mask.sum(1))
        padded = FlowOutput(types.new_zeros(*mask.shape, flat[0].shape[1]), torch.zeros_like(frac), flat[2])
        padded.types[mask], padded.frac[mask] = flat[0], flat[1]
        return padded


class Contender(ABC):
    """A network that does its share of the work each time it is called."""

    model: nn.Module

    @abstractmethod
    def __call__(self) -> None: ...

    def counted(self) -> None:
        """The same in the thread that calls, since operations are counted there."""
        self()

    def parameters(self) -> int:
        """Numbers that are trained."""
        return sum(parameter.numel() for parameter in self.model.parameters())

    def flops(self) -> int:
        """Floating-point operations of the matrix products of one turn."""
        with FlopCounterMode(display=False) as counter:
            self.counted()
        return counter.get_total_flops()

    def seconds(self, args: Namespace) -> float:
        """Takes a turn."""
        return _time(self, args)


class Elsewhere:
    """A contender in a process of its own, as if it ran alone, with as many threads as this process has.

    Args:
        make: a class or function of a module that builds it there.
        arguments: what that takes.
    """

    def __init__(self, make: Callable[..., Contender], *arguments: Any) -> None:
        context = get_context("spawn")
        self.pipe, there = context.Pipe()
        context.Process(target=_serve, args=(there, torch.get_num_threads(), make, arguments), daemon=True).start()
        there.close()  # so that the end of the process is the end of the pipe

    def parameters(self) -> int:
        """Numbers that are trained."""
        return self._ask("parameters")

    def flops(self) -> int:
        """Floating-point operations of the matrix products of one turn."""
        return self._ask("flops")

    def seconds(self, args: Namespace) -> float:
        """Takes a turn."""
        return self._ask("seconds", args)

    def _ask(self, question: str, *arguments: Any) -> Any:
        self.pipe.send((question, arguments))
        return self.pipe.recv()


def _serve(pipe: Connection, threads: int, make: Callable[..., Contender], arguments: tuple[Any, ...]) -> None:
    """Answers until nobody asks."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    contender = make(*arguments)
    with suppress(EOFError):
        while True:
            question, its_arguments = pipe.recv()
            pipe.send(getattr(contender, question)(*its_arguments))


class Row(NamedTuple):
    """What came out for one network."""

    network: str
    parameters: int
    gflop: float
    """Matrix products for one unit of work, 10⁹ floating-point operations."""
    per_second: float
    """Units of work."""
    share: float
    """Of the rate at which the machine multiplies large matrices."""


def compare(title: str, unit: str, contenders: Mapping[str, Contender | Elsewhere], work: int, args: Namespace) -> None:
    """Lets the networks take turns; prints, and writes if asked to, the best turn of each.

    Args:
        title: of the table.
        unit: of work.
        contenders: the networks.
        work: units of work in a turn.
        args: what `arguments` parsed.
    """
    flops = {}
    for name, run in _progress(contenders.items(), "warming up"):
        flops[name] = run.flops()
    seconds, rate = dict.fromkeys(contenders, float("inf")), 0.0
    for name, run in _progress([*contenders.items()] * args.repeats, "taking turns"):
        rate = max(rate, _matmul_rate(args))
        seconds[name] = min(seconds[name], run.seconds(args))
    rows = [
        Row(
            network=name,
            parameters=run.parameters(),
            gflop=flops[name] / work / 1e9,
            per_second=work / seconds[name],
            share=flops[name] / seconds[name] / rate,
        )
        for name, run in contenders.items()
    ]
    _print(title, unit, rows, rate, args)
    if args.json:
        settings = {name: value for name, value in vars(args).items() if name != "json"}
        about = {"title": title, "unit": unit, "date": date.today().isoformat(), "torch": torch.__version__}
        machine = {"machine": _machine(args), "matmul_gflops": rate / 1e9}
        numbers = {**about, **machine, "settings": settings, "rows": [row._asdict() for row in rows]}
        args.json.write_text(json.dumps(numbers, indent=2) + "\n")


def _print(title: str, unit: str, rows: list[Row], rate: float, args: Namespace) -> None:
    table = Table(title=title, caption=f"{_machine(args)}; large products: {rate / 1e9:.0f} GFLOP/s")
    table.add_column("network")
    for column in ("parameters", "GFLOP", f"{unit}s/s", f"× {rows[0].network}", "share of rate"):
        table.add_column(column, justify="right")
    for row in rows:
        ratio = row.per_second / rows[0].per_second
        numbers = f"{row.gflop:.2f}", f"{row.per_second:.1f}", f"{ratio:.1f}", f"{row.share:.0%}"
        table.add_row(row.network, f"{row.parameters / 1e6:.1f} M", *numbers)
    Console().print(table)


def _machine(args: Namespace) -> str:
    if args.device != "cpu":
        return torch.cuda.get_device_name()
    return f"{args.threads} of {os.cpu_count()} cores ({torch.backends.cpu.get_cpu_capability()})"


def _matmul_rate(args: Namespace) -> float:
    """FLOP/s of a large product in bfloat16, or in fp32 where the hardware has no bfloat16."""
    dtype = torch.bfloat16 if has_bfloat16(torch.device(args.device)) else torch.float32
    factor = torch.randn(2048, 2048, device=args.device).to(dtype)
    return 2 * 2048**3 / min(_time(lambda: factor @ factor, args) for _ in range(5))


def _time(run: Callable[[], Any], args: Namespace) -> float:
    clock = time.perf_counter if args.clock == "wall" else time.process_time
    start = clock()
    run()
    if args.device != "cpu":
        torch.cuda.synchronize()
    return clock() - start


def _progress(items: Iterable[Any], description: str) -> Iterable[Any]:
    return track(list(items), description, console=Console(stderr=True), transient=True)
