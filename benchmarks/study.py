"""The whole study: every shipped family on both tasks, judged, set side by side, and put on one map.

    python -m benchmarks.study --quick            # prototypes, which need no download; some minutes on 2 cores
    python -m benchmarks.study --out study        # 1,000 samples a family, beside the validation split of MP-20

It is a list of commands of `nucleate`, which are shown as they run. One whose output is there is left out, so that a
study that was stopped goes on where it was; delete an output to have it made again.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console


@dataclass(frozen=True)
class Row:
    """One row of a table: a model and how it samples."""

    name: str
    model: str
    options: tuple[str, ...] = ()


DNG = (
    Row("CDVAE", "cdvae"),
    Row("FlowMM", "flowmm-dng"),
    Row("Crystal LLM", "crystal-llm"),
    Row("FlowLLM", "flowllm"),
)
DNG_SETTINGS = (
    Row("CDVAE, 25 steps", "cdvae", ("--steps", "25")),
    Row("FlowMM, 20 steps", "flowmm-dng", ("--steps", "20")),
    Row("Crystal LLM, T 1.2", "crystal-llm", ("--temperature", "1.2")),
    Row("Crystal LLM, T 1.0", "crystal-llm", ("--temperature", "1.0")),
    Row("Crystal LLM, plain", "crystal-llm", ("--sampler", "plain")),
)
"""More points of the trade-off between quality and diversity."""
CSP = (
    Row("CDVAE", "cdvae", ("--draws", "1")),
    Row("FlowMM", "flowmm-csp", ("--draws", "1")),
    Row("Crystal LLM", "crystal-llm"),
    Row("FlowLLM", "flowllm"),
)
CSP_SETTINGS = (
    Row("CDVAE, most typical of 8", "cdvae"),
    Row("FlowMM, most typical of 8", "flowmm-csp"),
)


@dataclass(frozen=True)
class Command:
    """One call of `nucleate`, and the file that it leaves."""

    arguments: tuple[str, ...]
    out: Path


@dataclass(frozen=True)
class Study:
    """What is asked for.

    Attributes:
        out: folder of everything.
        count: samples a row.
        data: set whose training split says what is novel, and of which the map shows the nearest.
        split: of it, by which samples are judged, and from which compositions are taken.
        settings: whether more ways of sampling are tried.
        seed: of everything random.
    """

    out: Path
    count: int
    data: str
    split: str
    settings: bool
    seed: int = 0

    @property
    def reference(self) -> str:
        """By which samples are judged."""
        return f"{self.data}:{self.split}"

    def commands(self) -> Iterator[Command]:
        """All of them, in order."""
        rows = {
            "dng": DNG + (DNG_SETTINGS if self.settings else ()),
            "csp": CSP + (CSP_SETTINGS if self.settings else ()),
        }
        for task in rows:
            for row in rows[task]:
                yield self._generate(task, row)
                yield self._evaluate(task, row)
        report = self.out / "report.html"
        metrics = [f"{row.name}={self._path(task, row, '.json')}" for task in rows for row in rows[task]]
        tables = ("--tables", str(self.out / "tables"))
        yield Command(("compare", *metrics, *tables, "--out", str(report)), report)
        sources = [f"{row.name}={self._path('dng', row, '.parquet')}" for row in DNG]
        nearest = ("--reference", f"{self.data}:train", "--no-reference-points")
        explorer = self.out / "explorer.html"
        yield Command(
            ("explore", *sources, f"{self.data}={self.reference}", *nearest, "--out", str(explorer)), explorer
        )

    def _generate(self, task: str, row: Row) -> Command:
        samples = self._path(task, row, ".parquet")
        asked = ("--formulas", self.reference) if task == "csp" else ()
        count = ("-n", str(self.count), "--seed", str(self.seed))
        return Command(("generate", row.model, *count, *asked, *row.options, "--out", str(samples)), samples)

    def _evaluate(self, task: str, row: Row) -> Command:
        numbers = self._path(task, row, ".json")
        samples = str(self._path(task, row, ".parquet"))
        return Command(("evaluate", task, samples, "--reference", self.reference, "--out", str(numbers)), numbers)

    def _path(self, task: str, row: Row, suffix: str) -> Path:
        kept = "".join(letter if letter.isalnum() else " " for letter in row.name.lower())
        return self.out / f"{task}-{'-'.join(kept.split())}{suffix}"


def main() -> None:
    """Runs what is not there yet."""
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="200 samples a family, beside the prototypes")
    parser.add_argument("--out", type=Path, help="study, or study-quick")
    parser.add_argument("-n", type=int, help="samples a row; 1,000, or 200 with --quick")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    study = Study(
        out=given.out or Path("study-quick" if given.quick else "study"),
        count=given.n or (200 if given.quick else 1000),
        data="prototypes" if given.quick else "mp-20",
        split="test" if given.quick else "val",
        settings=not given.quick,
        seed=given.seed,
    )
    run(study, Console())


def run(study: Study, console: Console) -> None:
    """Runs the commands whose outputs are not there, and says how long each took.

    Raises:
        SystemExit: one of them failed; it has said why.
    """
    study.out.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    for command in study.commands():
        if command.out.exists():
            continue
        console.print(f"$ nucleate {shlex.join(command.arguments)}", style="bold", highlight=False)
        start = time.perf_counter()
        done = subprocess.run([sys.executable, "-m", "nucleate", *command.arguments], check=False)
        if done.returncode:
            raise SystemExit(done.returncode)
        console.print(f"{time.perf_counter() - start:.0f} s", style="dim")
    console.print(f"{time.perf_counter() - began:.0f} s in all: open {study.out / 'report.html'} and explorer.html")


if __name__ == "__main__":
    main()
