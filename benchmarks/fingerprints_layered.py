"""Fingerprints of layered, long, flat, symmetric and sparse cells: ours beside matminer's, and beside those of copies.

    python -m benchmarks.fingerprints_layered --cells 10000 --matminer 2000 --answers answers.jsonl

In such cells many Voronoi planes meet in a point or are parallel, and rounding errors may make or break a cell. Ours is
computed for all cells and for copies, which are rattled by 1e-10 to 1e-7 Å or turned and shifted; matminer's for the
first of them. Its answers go to a file, line by line, so that a run that was stopped goes on where it was. Where the
two differ, or neither has a fingerprint, matminer is asked for the copies as well. If they do not agree, its answer to
the cell is a rounding error.
"""

from __future__ import annotations

import json
import warnings
from argparse import ArgumentDefaultsHelpFormatter, ArgumentParser
from collections import Counter
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.special_cells import FAMILIES, family, rattled, special_cell, turned
from nucleate.crystals import Crystals
from nucleate.evaluation.cells import Cell
from nucleate.evaluation.structure_fingerprint import LABELS, structure_fingerprints

RATTLE = (1e-10, 1e-9, 1e-8, 1e-7)
"""In Å: how far atoms of the first copies are moved."""

COPIES = range(1, len(RATTLE) + 2)
"""The last one is turned and shifted."""

TOLERANCE = 1e-3

DETERMINED = np.arange(len(LABELS)) != LABELS.index("body-centered cubic CN_8")
"""Features that the crystal determines; rounding errors move the other one (see docs/evaluation.md, Coverage)."""

PARTS = {
    "coordination": np.array([label.startswith("wt ") for label in LABELS]),
    "order parameters": np.array([not label.startswith("wt ") for label in LABELS]) & DETERMINED,
}
"""Probabilities of coordination numbers hang on the Voronoi cell. Order parameters are discontinuous, as published,
where two neighbours are exactly opposite."""

Answer: TypeAlias = np.ndarray | None
"""A fingerprint of matminer, or None where it raised an error."""


class Answers:
    """What matminer said to each cell and each of its copies, in a file.

    Attributes:
        path: one line of JSON for each answer: cell, copy (0 is the cell itself), seed, fingerprint, error.
        seed: of the cells.
    """

    def __init__(self, path: Path, seed: int) -> None:
        self.path = path
        self.seed = seed
        self._known: dict[tuple[int, int], Answer] = {}
        for line in path.read_text().splitlines() if path.exists() else []:
            answer = json.loads(line)
            if answer["seed"] == seed:
                values = answer["fingerprint"]
                self._known[answer["cell"], answer["copy"]] = None if values is None else np.array(values)

    def get(self, index: int, copy: int) -> Answer:
        """The fingerprint of one copy of one cell, asked for if it is not in the file."""
        if (index, copy) not in self._known:
            values, error = _matminer(_copy(index, copy, self.seed))
            about = {"cell": index, "copy": copy, "seed": self.seed, "error": error}
            with self.path.open("a") as lines:
                lines.write(json.dumps({**about, "fingerprint": None if values is None else values.tolist()}) + "\n")
            self._known[index, copy] = values
        return self._known[index, copy]


def _matminer(cell: Cell) -> tuple[Answer, str]:
    from pymatgen.core import Lattice, Structure

    from benchmarks.plain_evaluation import structure_fingerprint

    try:
        return structure_fingerprint(Structure(Lattice(cell.lattice), cell.numbers.tolist(), cell.frac)), ""
    except Exception as error:  # noqa: BLE001 - whatever stops it, the published program has no fingerprint
        return None, f"{type(error).__name__}: {error}"


def _copy(index: int, copy: int, seed: int) -> Cell:
    """The cell itself for copy 0, or one of the `COPIES`."""
    cell, rng = special_cell(index, seed), np.random.default_rng([seed, index, copy])
    if copy == 0:
        return cell
    return rattled(cell, RATTLE[copy - 1], rng) if copy <= len(RATTLE) else turned(cell, rng)


def main() -> None:
    args = _arguments().parse_args()
    warnings.simplefilter("ignore")
    ours = np.stack([_ours(args.cells, copy, args.seed) for copy in (0, *COPIES)])
    answers = Answers(args.answers, args.seed)
    rows = range(min(args.matminer, args.cells))
    compared = [
        _compare(index, ours[:, index], answers)
        for index in track(rows, "matminer", console=Console(stderr=True), transient=True)
    ]
    _print(ours, compared)
    if args.json:
        args.json.write_text(json.dumps([row._asdict() for row in compared], indent=1) + "\n")


def _arguments() -> ArgumentParser:
    parser = ArgumentParser(description=(__doc__ or "").splitlines()[0], formatter_class=ArgumentDefaultsHelpFormatter)
    parser.add_argument("--cells", type=int, default=10_000, help="cells that ours are computed for")
    parser.add_argument("--matminer", type=int, default=2_000, help="cells, the first ones, to compare with matminer")
    parser.add_argument("--answers", type=Path, default=Path("answers.jsonl"), help="keep matminer's answers here")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="also write a line for each compared cell to this file")
    return parser


def _ours(cells: int, copy: int, seed: int) -> np.ndarray:
    crystals = [_copy(index, copy, seed) for index in range(cells)]
    numbers, frac, lattices = zip(*crystals, strict=True)
    return structure_fingerprints(Crystals.build(numbers, frac, np.stack(lattices))).values


class Compared(NamedTuple):
    """One cell beside matminer."""

    cell: int
    family: str
    outcome: str
    difference: float
    """Largest of the features that the crystal determines; NaN unless both have a fingerprint."""


def _compare(index: int, ours: np.ndarray, answers: Answers) -> Compared:
    """Compares one cell; `ours` are our fingerprints of it and of all copies."""
    want = answers.get(index, 0)
    difference = _difference(ours[0], want)
    if difference <= TOLERANCE:
        return Compared(index, family(index), "equal", difference)
    if want is None:
        outcome = "neither has one" if np.isnan(ours[0, 0]) else "matminer has none"
    elif np.isnan(ours[0, 0]):
        outcome = "ours has none"
    else:
        same_coordination = _difference(ours[0], want, PARTS["coordination"]) <= TOLERANCE
        outcome = "an order parameter differs" if same_coordination else "the coordination differs"
    theirs = [answers.get(index, copy) for copy in COPIES]
    equal = sum(_same(mine, other) for mine, other in zip(ours[1:], theirs, strict=True))
    return Compared(index, family(index), f"{outcome}; {equal} of {len(COPIES)} copies equal", difference)


def _difference(ours: np.ndarray, theirs: Answer, features: np.ndarray = DETERMINED) -> float:
    return float("nan") if theirs is None else float(np.abs(ours - theirs)[features].max())


def _same(ours: np.ndarray, theirs: Answer) -> bool:
    if theirs is None:
        return bool(np.isnan(ours[0]))
    return _difference(ours, theirs) <= TOLERANCE


def _print(ours: np.ndarray, compared: list[Compared]) -> None:
    there = ~np.isnan(ours[:, :, 0])
    names = np.array([family(index) for index in range(ours.shape[1])])
    moves = np.abs(ours[1:] - ours[0])
    table = Table(title=f"ours, and what {len(COPIES)} copies of each cell change")
    columns = ("cells", "fingerprints", "made or broken", *(f"{part} by over {TOLERANCE}" for part in PARTS))
    table.add_column("family")
    for column in columns:
        table.add_column(column, justify="right")
    for name in (*FAMILIES, "all"):
        rows = (names == name) | (name == "all")
        broken = (there != there[0])[:, rows].any(0)
        moved = [(moves[:, rows][..., part].max(-1) > TOLERANCE).any(0).sum() for part in PARTS.values()]
        table.add_row(name, *(f"{n:,}" for n in (rows.sum(), there[0, rows].sum(), broken.sum(), *moved)))
    console = Console(width=140)
    console.print(table)
    table = Table(title=f"ours beside matminer, to {TOLERANCE}")
    for column in ("family", "cells", "outcome", "largest difference"):
        table.add_column(column, justify="right" if column == "cells" else "left")
    for (name, outcome), count in sorted(Counter((row.family, row.outcome) for row in compared).items()):
        largest = [row.difference for row in compared if (row.family, row.outcome) == (name, outcome)]
        size = f"{np.nanmax(largest):.1e}" if np.isfinite(largest).any() else "no fingerprint"
        table.add_row(name, f"{count:,}", outcome, size)
    console.print(table)


if __name__ == "__main__":
    main()
