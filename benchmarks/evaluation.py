"""Crystals per second of evaluation: ours beside pymatgen, matminer and smact, on the same crystals and one core.

    python -m benchmarks.evaluation

Both sides run in one process, one after the other, and their answers are compared.
"""

from __future__ import annotations

import cProfile
import json
import pstats
import time
import warnings
from argparse import ArgumentDefaultsHelpFormatter, ArgumentParser
from collections.abc import Callable, Iterator
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from pymatgen.analysis.structure_matcher import StructureMatcher
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks import plain_evaluation as plain
from nucleate.crystals import Crystals
from nucleate.datasets import load
from nucleate.evaluation import oxidation_states
from nucleate.evaluation.alike import cells_of
from nucleate.evaluation.composition_fingerprint import composition_fingerprints
from nucleate.evaluation.composition_validity import composition_validity
from nucleate.evaluation.matching import TOLERANCES, match
from nucleate.evaluation.reduction import Convention, reduced_cell
from nucleate.evaluation.structural_validity import structural_validity
from nucleate.evaluation.structure_fingerprint import structure_fingerprints
from nucleate.files import to_structures

LIBRARIES = ("pymatgen", "matminer", "smact", "numba", "numpy", "scipy")


class Row(NamedTuple):
    """What came out for one metric."""

    metric: str
    plain: float
    """Milliseconds for each crystal, or pair."""
    ours: float
    agreement: str

    @property
    def ratio(self) -> float:
        """How many times faster ours is."""
        return self.plain / self.ours


def main() -> None:
    args = _arguments().parse_args()
    torch.set_num_threads(1)
    crystals = load(args.data, jobs=1)
    crystals = crystals[crystals.built][: args.number]
    if args.profile:
        _profile(crystals)
        return
    _warm_up(crystals[:2])
    rows = [row for metric in (_fingerprints, _pairs, _composition, _structure, _magpie) for row in metric(crystals)]
    _print(rows, len(crystals), args.data)
    if args.json:
        about = {"date": date.today().isoformat(), "versions": {name: version(name) for name in LIBRARIES}}
        numbers = {**about, "data": args.data, "crystals": len(crystals), "rows": [row._asdict() for row in rows]}
        args.json.write_text(json.dumps(numbers, indent=2) + "\n")


def _arguments() -> ArgumentParser:
    parser = ArgumentParser(description=__doc__.splitlines()[0], formatter_class=ArgumentDefaultsHelpFormatter)
    parser.add_argument("--data", default="mp-20:val", help="a data set; prototypes needs no download")
    parser.add_argument("-n", "--number", type=int, default=500, help="crystals")
    parser.add_argument("--profile", action="store_true", help="show instead where both sides spend their time")
    parser.add_argument("--json", type=Path, help="also write the numbers to this file")
    return parser


def _fingerprints(crystals: Crystals) -> Iterator[Row]:
    ours, found = _timed(lambda: structure_fingerprints(crystals).values)
    theirs, want = _each(plain.structure_fingerprint, to_structures(crystals), line="CrystalNN fingerprints")
    apart = np.abs(found - want).max(1)
    agreement = f"within 1e-4 for {(apart <= 1e-4).sum():,}, largest difference {apart.max():.1e}"
    yield _row("CrystalNN fingerprint", crystals, theirs, ours, agreement)


def _pairs(crystals: Crystals) -> Iterator[Row]:
    predictions = _distorted(crystals)
    convention = Convention.CURRENT

    def compare() -> np.ndarray:
        pairs = [[reduced_cell(cell, convention) for cell in cells_of(batch)] for batch in (predictions, crystals)]
        return np.array([found.rms if (found := match(*pair)) else np.nan for pair in zip(*pairs, strict=True)])

    ours, found = _timed(compare)
    matcher = StructureMatcher(ltol=TOLERANCES.length, stol=TOLERANCES.site, angle_tol=TOLERANCES.angle)
    structures = to_structures(predictions), to_structures(crystals)
    theirs, want = _each(lambda *pair: plain.rms_distance(matcher, *pair), *structures, line="pairs")
    same = np.isfinite(found) == np.isfinite(want)
    apart = np.nanmax(np.abs(found - want))
    agreement = f"{same.sum():,} decisions equal, {np.isfinite(want).sum():,} matches, RMS within {apart:.1e}"
    yield _row("match of a pair", crystals, theirs, ours, agreement)


def _composition(crystals: Crystals) -> Iterator[Row]:
    table = oxidation_states.load()
    ours, found = _timed(lambda: composition_validity(crystals, table))
    judge = lambda structure: plain.composition_validity(structure, table)  # noqa: E731
    theirs, want = _each(judge, to_structures(crystals), line="composition validity")
    yield _row("composition validity", crystals, theirs, ours, f"{(found == want).sum():,} equal")


def _structure(crystals: Crystals) -> Iterator[Row]:
    ours, found = _timed(lambda: structural_validity(crystals).valid)
    theirs, want = _each(plain.structural_validity, to_structures(crystals), line="structural validity")
    yield _row("structural validity", crystals, theirs, ours, f"{(found == want).sum():,} equal")


def _magpie(crystals: Crystals) -> Iterator[Row]:
    ours, found = _timed(lambda: composition_fingerprints(crystals))
    theirs, want = _each(plain.composition_fingerprint, to_structures(crystals), line="Magpie fingerprints")
    yield _row(
        "Magpie fingerprint", crystals, theirs, ours, f"largest difference {np.nanmax(np.abs(found - want)):.1e}"
    )


def _row(metric: str, crystals: Crystals, theirs: float, ours: float, agreement: str) -> Row:
    return Row(metric, 1e3 * theirs / len(crystals), 1e3 * ours / len(crystals), agreement)


def _timed(run: Callable[[], np.ndarray]) -> tuple[float, np.ndarray]:
    """Processor time of this process, the shortest of three times, since a busy machine only ever adds to it."""
    times = []
    for _ in range(3):
        start = time.process_time()
        answer = run()
        times.append(time.process_time() - start)
    return min(times), answer


def _each(function: Callable[..., Any], *columns: list, line: str) -> tuple[float, np.ndarray]:
    """Processor time of one function on all rows, and what it returned."""
    rows = list(zip(*columns, strict=True))
    start = time.process_time()
    answers = [function(*row) for row in track(rows, line, console=Console(stderr=True), transient=True)]
    return time.process_time() - start, np.array(answers)


def _warm_up(crystals: Crystals) -> None:
    """Compiles, imports, and fills the caches of constants on both sides."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for metric in (_fingerprints, _pairs, _composition, _structure, _magpie):
            list(metric(crystals))


def _distorted(crystals: Crystals, sigma: float = 0.06) -> Crystals:
    """The same crystals strained, rattled by `sigma` times (V/N)^(1/3), in another basis, order and origin."""
    rng = np.random.default_rng(0)
    cells = []
    for cell in cells_of(crystals):
        size = (cell.volume / len(cell.numbers)) ** (1 / 3)
        shear = np.eye(3)
        shear[0, 1], shear[2, 0] = rng.integers(-1, 2, 2)
        moved = cell.frac + rng.normal(0, sigma * size, cell.frac.shape) @ np.linalg.inv(cell.lattice)
        order = rng.permutation(len(cell.numbers))
        lattice = shear @ cell.lattice @ (np.eye(3) + rng.normal(0, sigma / 4, (3, 3)))
        cells.append((cell.numbers[order], ((moved + rng.random(3)) @ np.linalg.inv(shear))[order], lattice))
    return Crystals.build(*zip(*cells, strict=True))


def _profile(crystals: Crystals) -> None:
    """Prints where both sides spend their time on fingerprints, which take nearly all of the published evaluation."""
    few = crystals[: max(1, len(crystals) // 20)]
    structures = to_structures(few)
    _warm_up(crystals[:2])
    for title, run in {
        "plain": lambda: [plain.structure_fingerprint(structure) for structure in structures],
        "ours": lambda: structure_fingerprints(crystals),
    }.items():
        profile = cProfile.Profile()
        profile.runcall(run)
        print(f"\n{title}: {len(few) if title == 'plain' else len(crystals):,} crystals")
        pstats.Stats(profile).strip_dirs().sort_stats("cumulative").print_stats(25)


def _print(rows: list[Row], crystals: int, data: str) -> None:
    table = Table(title=f"evaluation of {crystals:,} crystals of {data}, one core")
    table.add_column("")
    for column in ("plain, ms", "ours, ms", "ratio"):
        table.add_column(column, justify="right")
    table.add_column("agreement")
    for row in rows:
        table.add_row(row.metric, f"{row.plain:.3f}", f"{row.ours:.4f}", f"{row.ratio:.0f}", row.agreement)
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
