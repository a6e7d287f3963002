"""Quality and time of CDVAE's ways of sampling: structures for given compositions, and reconstruction.

    python -m benchmarks.cdvae --rows default-50 flow-50 -n 1000 --json cdvae.json
    python -m benchmarks.cdvae --rows langevin:100 search:200 --json cdvae.json

Each row is one way of sampling, on the first crystals of a data set, whose number may stand behind its name. With
`--json` the rows join those that the file already has, so that a table is measured in pieces. Matches are those of
`nucleate evaluate csp`, without filter.
"""

from __future__ import annotations

import json
import os
import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from math import sqrt
from pathlib import Path
from typing import Any, NamedTuple

import torch
from rich.console import Console
from rich.progress import Progress

from nucleate.crystals import Crystals
from nucleate.datasets import load
from nucleate.evaluation.comparison import compare
from nucleate.evaluation.csp import metrics
from nucleate.generation.latent import reconstruct, with_latent
from nucleate.generation.sampling import find_sampler, generate
from nucleate.models.cdvae import CDVAE
from nucleate.weights import load_model


class Way(NamedTuple):
    """A way of sampling."""

    about: str
    sampler: str = "default"
    steps: int | None = None
    """Network evaluations; the sampler's own number if None."""


WAYS = {
    "default-10": Way("the model's sampler, 10 evaluations", steps=10),
    "default-25": Way("25 evaluations", steps=25),
    "default-50": Way("50 evaluations; z and lattice from the prior, to be compared with `search`", steps=50),
    "default-100": Way("100 evaluations", steps=100),
    "descent-50": Way("as default-50, then ten evaluations without noise", "descent", 50),
    "flow-50": Way("the probability flow without noise on the way, 50 evaluations", "flow", 50),
    "langevin": Way("annealed Langevin dynamics as published, 50 levels of 100 steps", "langevin"),
    "search": Way("as default-50, but z searched by 20,000 steps of Adam, and the lattice read off it", "search", 50),
    "reconstruct": Way("encoded and decoded, 50 evaluations", steps=50),
}
"""Rows by name."""


class Wanted(NamedTuple):
    """A row that is asked for, and of how many crystals."""

    name: str
    crystals: int | None


@dataclass(frozen=True)
class Row:
    """What came out.

    Attributes:
        row: name of the way of sampling.
        crystals: how many references.
        draws: samples for each, of which the most typical counts.
        match_rate: of one prediction each, a fraction.
        standard_error: of the match rate.
        rmse: over matches, in units of (V/N)^(1/3).
        processor: seconds of the processor for 1,000 crystals, all draws together.
        wall: seconds on the clock for the same.
        date: of the measurement.
    """

    row: str
    crystals: int
    draws: int
    match_rate: float
    standard_error: float
    rmse: float
    processor: float
    wall: float
    date: str


def main() -> None:
    args = _arguments().parse_args()
    torch.set_num_threads(args.threads)
    model = with_latent(load_model(args.model))
    data = load(args.data, progress=True)
    data = data[data.built]
    rows = []
    with Progress(console=Console(stderr=True)) as progress:
        for wanted in args.rows:
            reference = data[: wanted.crystals or args.number]
            task = progress.add_task(f"{wanted.name}, {len(reference)} crystals", total=1.0)
            show = lambda share, task=task: progress.update(task, completed=share)  # noqa: E731
            rows.append(_measure(model, wanted.name, reference, args, show))
            progress.update(task, completed=1.0)
            _keep(rows, args)
    Console(width=160).print(_markdown(rows), markup=False, highlight=False)


def _arguments() -> ArgumentParser:
    ways = "\n".join(f"  {name:12} {way.about}" for name, way in WAYS.items())
    parser = ArgumentParser(
        description=f"{__doc__}\nrows:\n{ways}", formatter_class=RawDescriptionHelpFormatter, prog="benchmarks.cdvae"
    )
    parser.add_argument("--model", default="cdvae", help="shipped model, run or weights file")
    parser.add_argument("--data", default="mp-20:val", help="a data set; prototypes needs no download")
    parser.add_argument("-n", "--number", type=int, default=1000, help="crystals of rows that do not say")
    parser.add_argument("--rows", nargs="+", type=_wanted, default=[_wanted(name) for name in WAYS], metavar="ROW[:N]")
    parser.add_argument("--draws", type=int, default=1, help="samples for each composition, of which one is chosen")
    parser.add_argument("--langevin-steps", type=int, help="evaluations of langevin; 5,000 as published")
    parser.add_argument("--search-steps", type=int, help="steps of the search; 20,000 as in the study")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="threads of PyTorch")
    parser.add_argument("--jobs", type=int, default=1, help="processes that compare crystals")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="file of rows to add to")
    return parser


def _wanted(text: str) -> Wanted:
    name, _, count = text.partition(":")
    if name not in WAYS:
        raise ArgumentTypeError(f"no row {name!r}; there are {', '.join(WAYS)}")
    if count and not (count.isdigit() and int(count)):
        raise ArgumentTypeError(f"{text!r}: behind the colon stands a number of crystals")
    return Wanted(name, int(count) if count else None)


def _measure(model: CDVAE, name: str, reference: Crystals, args: Namespace, show: Callable[[float], None]) -> Row:
    """Samples, timed, and compares with the reference, not timed."""
    way = WAYS[name]
    options = {**find_sampler(model, way.sampler), **_changes(name, args)}
    sampling = {"steps": options.pop("steps", None) if way.steps is None else way.steps, "seed": args.seed}
    processor, wall = time.process_time(), time.perf_counter()
    if name == "reconstruct":
        samples = reconstruct(model, reference, options=options, on_progress=show, **sampling)
    else:
        compositions = reference.numbers_of_each()
        asked = {"compositions": compositions, "draws": args.draws, "options": options}
        samples = generate(model, len(reference), on_progress=show, **asked, **sampling)
    seconds = time.process_time() - processor, time.perf_counter() - wall
    numbers = metrics(compare(samples, reference, jobs=args.jobs), 1)
    rate = numbers["match_rate"]
    return Row(
        row=name,
        crystals=len(reference),
        draws=1 if name == "reconstruct" else args.draws,
        match_rate=rate,
        standard_error=sqrt(rate * (1 - rate) / len(reference)),
        rmse=numbers["rmse"],
        processor=1000 * seconds[0] / len(reference),
        wall=1000 * seconds[1] / len(reference),
        date=date.today().isoformat(),
    )


def _changes(name: str, args: Namespace) -> Mapping[str, Any]:
    """What the flags change about a row."""
    if name == "langevin" and args.langevin_steps:
        return {"steps": args.langevin_steps}
    if name == "search" and args.search_steps:
        return {"search_steps": args.search_steps}
    return {}


def _keep(rows: list[Row], args: Namespace) -> None:
    """Adds rows to the file; one measured again on as many crystals and draws replaces the old one."""
    if not args.json:
        return
    before = json.loads(args.json.read_text())["rows"] if args.json.exists() else []
    known = {(row["row"], row["crystals"], row["draws"]): row for row in [*before, *map(asdict, rows)]}
    machine = f"{args.threads} of {os.cpu_count()} cores ({torch.backends.cpu.get_cpu_capability()})"
    about = {"model": args.model, "data": args.data, "torch": torch.__version__, "machine": machine}
    args.json.write_text(json.dumps({**about, "rows": list(known.values())}, indent=2) + "\n")


def _markdown(rows: list[Row]) -> str:
    lines = [
        "| | crystals | draws | match rate | RMSE | CPU s per 1,000 | wall s per 1,000 |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        rate = f"{100 * row.match_rate:.1f} ± {100 * row.standard_error:.1f} %"
        cells = row.row, row.crystals, row.draws, rate, f"{row.rmse:.3f}", f"{row.processor:,.0f}", f"{row.wall:,.0f}"
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
