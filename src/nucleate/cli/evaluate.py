"""`nucleate evaluate`: judge samples against a reference, by the definitions of the published numbers."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from nucleate.crystals import Crystals
    from nucleate.evaluation.result import Result

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

TABLES = (".parquet", ".csv")

_LABELS = {
    "match_rate": "match rate (%)",
    "match_rate_filtered": "match rate, filtered (%)",
    "rmse": "RMSE",
    "rmse_filtered": "RMSE, filtered",
    "metre": "METRe (%)",
    "crmse": "cRMSE",
    "structural_validity": "structurally valid (%)",
    "unusable": "unusable (%)",
}

Samples = Annotated[Path, typer.Argument(help="Any structure file, or a folder or a zip of them.")]
Reference = Annotated[str, typer.Option(help="A data set such as mp-20 (its test split), mp-20:val, or a path.")]
Out = Annotated[Path, typer.Option(help="The numbers, as JSON.")]
PerCrystal = Annotated[Path | None, typer.Option(help="One row a crystal, as .parquet or .csv.")]
Jobs = Annotated[int | None, typer.Option(help="Processes; all cores by default. The numbers do not depend on it.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace outputs that exist.")]


@app.command()
def csp(
    samples: Samples,
    reference: Reference,
    out: Out,
    per_crystal: PerCrystal = None,
    jobs: Jobs = None,
    overwrite: Overwrite = False,
) -> None:
    """Judge predicted structures: match rate, RMSE, METRe and cRMSE.

    Samples say by the columns reference_index and rank what they predict; without them row i predicts row i of the
    reference.
    """
    _check(out, per_crystal, jobs, overwrite=overwrite)
    from nucleate.cli._progress import bar
    from nucleate.evaluation.csp import evaluate
    from nucleate.evaluation.parallel import available_cores

    crystals, truth, name = _load(samples, reference, jobs)
    with bar("comparing") as show:
        result = evaluate(crystals, truth, reference_name=name, jobs=jobs or available_cores(), on_progress=show)
    _write(result, out, per_crystal)
    counts, k = result.counts["reference"], result.definition["k"]
    missing = counts["without_prediction"]
    asked = f"{counts['asked']:,} of {counts['crystals']:,} crystals of {name} were asked for"
    typer.echo(asked + (f"; {missing:,} of them have no sample and count as misses" if missing else ""))
    columns = {"first": result.metrics["k1"], f"best of {k}": result.metrics["kN"]}
    _print(result, columns if k > 1 else {"": result.metrics["k1"]})
    typer.echo(f"wrote {out}")


@app.command()
def dng(
    samples: Samples,
    reference: Reference,
    out: Out,
    per_crystal: PerCrystal = None,
    seed: Annotated[int, typer.Option(help="Of all that is drawn at random.")] = 0,
    jobs: Jobs = None,
    overwrite: Overwrite = False,
) -> None:
    """Judge new crystals: structural validity, failures by reason, densities and numbers of elements."""
    _check(out, per_crystal, jobs, overwrite=overwrite)
    from nucleate.evaluation.dng import evaluate

    crystals, truth, name = _load(samples, reference, jobs)
    result = evaluate(crystals, truth, reference_name=name, seed=seed)
    _write(result, out, per_crystal)
    rates = {key: value for key, value in result.metrics.items() if isinstance(value, float)}
    densities = result.metrics["distributions"]["density"]
    medians = {f"median density of the {whose} (g/cm³)": values.get("median") for whose, values in densities.items()}
    typer.echo(f"{result.counts['requested']:,} samples beside {len(truth):,} crystals of {name}")
    _print(result, {"": rates | medians})
    typer.echo(f"wrote {out}")


def _check(out: Path, per_crystal: Path | None, jobs: int | None, *, overwrite: bool) -> None:
    """Refuses, before any work, outputs that cannot or must not be written."""
    from nucleate.cli._outputs import check_new
    from nucleate.errors import UserError

    if jobs is not None and jobs < 1:
        raise UserError(f"--jobs {jobs}: at least 1 is needed")
    check_new(out, overwrite=overwrite)
    if per_crystal is not None:
        if per_crystal.suffix not in TABLES:
            raise UserError(f"--per-crystal {per_crystal}: the name must end in {' or '.join(TABLES)}")
        if per_crystal == out:
            raise UserError(f"--out and --per-crystal are both {out}")
        check_new(per_crystal, overwrite=overwrite)


def _load(samples: Path, reference: str, jobs: int | None) -> tuple[Crystals, Crystals, str]:
    """Reads the samples and the reference, of a named data set the test split; returns also the reference's name."""
    from nucleate import files
    from nucleate.datasets import NAMES, load, parse_reference

    crystals = files.read(samples, jobs=jobs, progress=True)
    name, split = parse_reference(reference)
    split = split or ("test" if name in NAMES else None)
    return crystals, load(name, split, jobs=jobs, progress=True), f"{name}:{split}" if split else name


def _write(result: Result, out: Path, per_crystal: Path | None) -> None:
    from pyarrow import csv, parquet

    from nucleate.files.atomic import replacing

    with replacing(out) as temporary:
        temporary.write_text(result.to_json(), encoding="utf-8")
    if per_crystal is not None:
        write = csv.write_csv if per_crystal.suffix == ".csv" else parquet.write_table
        with replacing(per_crystal) as temporary:
            write(result.to_table(), temporary)


def _print(result: Result, columns: dict[str, dict[str, float | None]]) -> None:
    """Shows the numbers as a table, rates in percent, and what failed below."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table("", box=SIMPLE_HEAD, pad_edge=False, show_header=len(columns) > 1)
    for head in columns:
        table.add_column(head, justify="right")
    for key in next(iter(columns.values())):
        table.add_row(_LABELS.get(key, key), *(_cell(key, values[key]) for values in columns.values()))
    console = Console()
    console.print(table)
    failures = result.counts["failures"]
    if failures:
        console.print("failures: " + ", ".join(f"{count:,} {reason}" for reason, count in failures.items()))


def _cell(key: str, value: float | None) -> str:
    if value is None or math.isnan(value):
        return "–"
    return f"{100 * value:.2f}" if _LABELS.get(key, "").endswith("(%)") else f"{value:.4f}"
