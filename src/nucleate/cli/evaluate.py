"""`nucleate evaluate`: judge samples against a reference, by the definitions of the published numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from nucleate.cli._pairing import Pair

if TYPE_CHECKING:
    from nucleate.crystals import Crystals
    from nucleate.evaluation.coverage import Cutoffs
    from nucleate.evaluation.result import Result

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

TABLES = (".parquet", ".csv")

PUBLISHED = "smact_2_2_1"

_RATE, _NUMBER = "{:.2%}", "{:.4f}"

# What the table shows, in order: key, label, format.
_CSP_ROWS = (
    ("match_rate", "match rate", _RATE),
    ("rmse", "RMSE", _NUMBER),
    ("match_rate_filtered", "match rate, filtered", _RATE),
    ("rmse_filtered", "RMSE, filtered", _NUMBER),
    ("metre", "METRe", _RATE),
    ("crmse", "cRMSE", _NUMBER),
)
_DNG_ROWS = (
    ("structural_validity", "structural validity", _RATE),
    ("composition_validity", "composition validity", _RATE),
    ("validity", "validity", _RATE),
    ("cov_recall", "COV-R", _RATE),
    ("cov_precision", "COV-P", _RATE),
    ("cov_recall_joint", "COV-R, joint", _RATE),
    ("cov_precision_joint", "COV-P, joint", _RATE),
    ("wdist_density", "Wasserstein distance of density (g/cm³)", _NUMBER),
    ("wdist_num_elements", "Wasserstein distance of number of elements", _NUMBER),
    ("uniqueness", "uniqueness", _RATE),
    ("novelty", "novelty", _RATE),
    ("p1_share", "share in space group P1", _RATE),
)


class DataName(NamedTuple):
    """A data set, by name or path, and its split."""

    name: str
    split: str | None

    def __str__(self) -> str:
        return f"{self.name}:{self.split}" if self.split else self.name


Samples = Annotated[Path, typer.Argument(help="Any structure file, or a folder or a zip of them.")]
Reference = Annotated[str, typer.Option(help="A data set such as mp-20 (its test split), mp-20:val, or a path.")]
Out = Annotated[Path, typer.Option(help="The numbers, as JSON.")]
PerCrystal = Annotated[Path | None, typer.Option(help="One row a crystal, as .parquet or .csv.")]
OxidationStates = Annotated[
    str, typer.Option(help="Those that composition validity goes by: smact_2_2_1 (published), smact14 or icsd24.")
]
Jobs = Annotated[int | None, typer.Option(help="Processes; all cores by default. The numbers do not depend on it.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace outputs that exist.")]


@app.command()
def csp(
    samples: Samples,
    reference: Reference,
    out: Out,
    per_crystal: PerCrystal = None,
    pair: Annotated[
        Pair | None,
        typer.Option(
            help="What a sample predicts: the crystal in its row, of its composition, or of its name; by default what "
            "its column reference_index says, else rows."
        ),
    ] = None,
    oxidation_states: OxidationStates = PUBLISHED,
    jobs: Jobs = None,
    overwrite: Overwrite = False,
) -> None:
    """Judge predicted structures: match rate and RMSE, filtered and not, METRe and cRMSE.

    Samples say by the columns reference_index and rank what they predict; without them row i predicts row i of the
    reference, which is refused if names or compositions say another order.
    """
    _check(out, per_crystal, jobs, overwrite=overwrite)
    from nucleate.cli._pairing import notes
    from nucleate.cli._progress import bar
    from nucleate.errors import UserError
    from nucleate.evaluation.csp import evaluate
    from nucleate.evaluation.pairing import PairingError
    from nucleate.parallel import available_cores

    _check_states(oxidation_states)
    crystals, truth, name = _load(samples, reference, jobs)
    try:
        with bar("comparing") as show:
            result = evaluate(
                crystals,
                truth,
                reference_name=str(name),
                pair=pair,
                oxidation=oxidation_states,
                keep_in=kept_fingerprints(),
                jobs=jobs or available_cores(),
                on_progress=show,
            )
    except PairingError as error:
        raise UserError(error.worded("--pair {}")) from error
    _write(result, samples, out, per_crystal)
    counts, k = result.counts["reference"], result.definition["k"]
    missing = counts["without_prediction"]
    asked = f"{counts['asked']:,} of {counts['crystals']:,} crystals of {name} were asked for"
    typer.echo(asked + (f"; {missing:,} of them have no sample and count as misses" if missing else ""))
    for line in notes(result, crystals):
        typer.echo(line)
    columns = {"first": result.metrics["k1"], f"best of {k}": result.metrics["kN"]}
    _print(result, _CSP_ROWS, columns if k > 1 else {"": result.metrics["k1"]})
    typer.echo(f"wrote {out}")


@app.command()
def dng(
    samples: Samples,
    reference: Reference,
    out: Out,
    per_crystal: PerCrystal = None,
    training: Annotated[
        str | None,
        typer.Option(help="Crystals that are not novel; by default the training split of the reference's data set."),
    ] = None,
    oxidation_states: OxidationStates = PUBLISHED,
    cutoffs: Annotated[
        str | None, typer.Option(help="Data set whose coverage cutoffs hold; that of the reference by default.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the draw of 1,000 valid samples.")] = 0,
    jobs: Jobs = None,
    overwrite: Overwrite = False,
) -> None:
    """Judge new crystals: validity, coverage, distances of distributions, diversity, uniqueness, novelty, symmetry."""
    _check(out, per_crystal, jobs, overwrite=overwrite)
    from nucleate.cli._progress import bar
    from nucleate.evaluation.dng import evaluate
    from nucleate.parallel import available_cores

    _check_states(oxidation_states)
    distances = find_cutoffs(cutoffs, reference)
    crystals, truth, name = _load(samples, reference, jobs)
    known, known_name = load_training(training, name, jobs)
    with bar("judging") as show:
        result = evaluate(
            crystals,
            truth,
            reference_name=str(name),
            training=known,
            training_name=known_name,
            oxidation=oxidation_states,
            cutoffs=distances,
            seed=seed,
            keep_in=kept_fingerprints(),
            jobs=jobs or available_cores(),
            on_progress=show,
        )
    _write(result, samples, out, per_crystal)
    typer.echo(f"{result.counts['requested']:,} samples beside {len(truth):,} crystals of {name}")
    if known is not None:
        typer.echo(f"novel is what is not among {len(known):,} crystals of {known_name}")
    _print(result, _DNG_ROWS, {"samples": result.metrics, "reference": result.metrics["reference"]})
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


def _load(samples: Path, reference: str, jobs: int | None) -> tuple[Crystals, Crystals, DataName]:
    """Reads the samples and the reference; returns also the reference's name."""
    from nucleate import files

    return files.read(samples, jobs=jobs, progress=True), *load_reference(reference, jobs)


def load_reference(reference: str, jobs: int | None) -> tuple[Crystals, DataName]:
    """Loads what samples are judged against, of a named data set the test split, and says its whole name."""
    from nucleate.datasets import NAMES, load, parse_reference

    name, split = parse_reference(reference)
    split = split or ("test" if name in NAMES else None)
    return load(name, split, jobs=jobs, progress=True), DataName(name, split)


def load_training(wanted: str | None, reference: DataName, jobs: int | None) -> tuple[Crystals | None, str | None]:
    """Loads what a model of the reference's data set was trained on, and says so where that is not to be had."""
    from nucleate.datasets import NAMES, load, parse_reference
    from nucleate.errors import UserError

    if wanted is not None:
        name, split = parse_reference(wanted)
        name = DataName(name, split or ("train" if name in NAMES else None))
        return load(name.name, name.split, jobs=jobs, progress=True), str(name)
    if reference.name not in NAMES:
        typer.echo("no novelty: --training names the crystals that are not novel", err=True)
        return None, None
    name = DataName(reference.name, "train")
    try:
        return load(name.name, name.split, jobs=jobs, progress=True), str(name)
    except UserError as error:
        typer.echo(f"no novelty, since {name} is not to be had: {error}", err=True)
        return None, None


def _check_states(name: str) -> None:
    from nucleate.errors import UserError
    from nucleate.evaluation.oxidation_states import NAMES

    if name not in NAMES:
        raise UserError(f"--oxidation-states {name}: known are {', '.join(NAMES)}")


def find_cutoffs(wanted: str | None, reference: str) -> Cutoffs:
    """The cutoffs of a data set; of one that has none those of MP-20."""
    from nucleate.datasets import parse_reference
    from nucleate.errors import UserError
    from nucleate.evaluation.coverage import CUTOFFS, DEFAULT

    if wanted is not None and wanted not in CUTOFFS:
        raise UserError(f"--cutoffs {wanted}: known are {', '.join(CUTOFFS)}")
    return CUTOFFS.get(wanted or parse_reference(reference).name, DEFAULT)


def kept_fingerprints() -> Path:
    """Where fingerprints of references are kept for the next time."""
    from nucleate.datasets import cache

    return cache.folder() / "fingerprints"


def _write(result: Result, samples: Path, out: Path, per_crystal: Path | None) -> None:
    from dataclasses import replace

    from pyarrow import csv, parquet

    from nucleate.evaluation.result import relative_path
    from nucleate.files.atomic import replacing

    result = replace(result, samples=relative_path(samples, out.parent))
    with replacing(out) as temporary:
        temporary.write_text(result.to_json(), encoding="utf-8")
    if per_crystal is not None:
        write = csv.write_csv if per_crystal.suffix == ".csv" else parquet.write_table
        with replacing(per_crystal) as temporary:
            write(result.to_table(), temporary)


def _print(
    result: Result, rows: tuple[tuple[str, str, str], ...], columns: dict[str, Mapping[str, float | None]]
) -> None:
    """Shows the numbers as a table, and what failed below."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table("", box=SIMPLE_HEAD, pad_edge=False, show_header=len(columns) > 1)
    for head in columns:
        table.add_column(head, justify="right")
    for key, label, style in rows:
        table.add_row(label, *(_cell(values.get(key), style) for values in columns.values()))
    console = Console()
    console.print(table)
    failures = result.counts["failures"]
    if failures:
        console.print("failures: " + ", ".join(f"{count:,} {reason}" for reason, count in failures.items()))


def _cell(value: float | None, style: str) -> str:
    return "–" if value is None or math.isnan(value) else style.format(value).replace("%", " %")
