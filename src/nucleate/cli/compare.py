"""`nucleate compare`: metrics of several models side by side."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nucleate.cli._names import named

if TYPE_CHECKING:
    from nucleate.crystals import Crystals
    from nucleate.evaluation.result import Result
    from nucleate.report.comparison.entry import Entry

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


class Task(StrEnum):
    """What samples are judged as."""

    DNG = "dng"
    CSP = "csp"


@app.command()
def compare(
    inputs: Annotated[
        list[str],
        typer.Argument(help="Metrics files of `nucleate evaluate`, or structure files; NAME=FILE names the row."),
    ],
    out: Annotated[Path, typer.Option(help="The page, as .html.")],
    tables: Annotated[
        Path | None, typer.Option(help="Also write the tables into this folder, as Markdown, CSV and LaTeX.")
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(help="What structure files are judged against: a data set such as mp-20:val, or a path."),
    ] = None,
    task: Annotated[
        Task | None,
        typer.Option(help="How structure files are judged; csp by default for those with a column reference_index."),
    ] = None,
    title: Annotated[str, typer.Option(help="Of the page.")] = "",
    jobs: Annotated[int | None, typer.Option(help="Processes; all cores by default.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace outputs that exist.")] = False,
) -> None:
    """Set metrics side by side: one page, and tables for Markdown, CSV and LaTeX.

    The best of each column is marked, with what does not differ from it. Rows that were not judged alike stand apart.
    """
    from nucleate.cli._outputs import check_new
    from nucleate.errors import UserError
    from nucleate.report.comparison import entry as entries
    from nucleate.report.comparison.columns import SHEET
    from nucleate.report.comparison.page import fill, write_comparison
    from nucleate.report.comparison.writing import paths, write_tables

    if out.suffix.lower() not in (".html", ".htm"):
        raise UserError(f"--out {out}: the name of a page ends in .html")
    if jobs is not None and jobs < 1:
        raise UserError(f"--jobs {jobs}: at least 1 is needed")
    for path in (out, *(paths(tables, list(SHEET)) if tables else ())):
        check_new(path, overwrite=overwrite)
    given = [(name, Path(place)) for name, place in map(named, inputs)]
    metrics = [_is_metrics(path, reference) for _, path in given]
    # Metrics files first: what is wrong with one of them is not to be learnt after an hour of judging samples.
    read = {
        i: entries.read(path, name or _stem(path))
        for i, ((name, path), known) in enumerate(zip(given, metrics, strict=True))
        if known
    }
    for i, (name, path) in enumerate(given):
        if i not in read:
            assert reference is not None  # noqa: S101
            read[i] = _judged(path, name or _stem(path), reference, task, jobs)
    rows = entries.named_apart([read[i] for i in range(len(given))], [name is not None for name, _ in given])
    write_comparison(out, rows, title=title)
    comparisons = fill(rows)
    for path in write_tables(tables, comparisons) if tables else ():
        typer.echo(f"wrote {path}")
    for comparison in comparisons:
        if len(comparison.blocks) > 1:
            typer.echo(f"{comparison.sheet.title}: not judged alike, so in {len(comparison.blocks)} blocks", err=True)
            for sentence in comparison.differences:
                typer.echo(f"  {sentence}", err=True)
    typer.echo(f"open {out}: {len(rows)} row{'s' if len(rows) != 1 else ''}")


def _stem(path: Path) -> str:
    """A row's name: that of the file without its ending, or that of the folder."""
    return path.name.split(".")[0] or path.name if path.is_file() else path.resolve().name


def _is_metrics(path: Path, reference: str | None) -> bool:
    """Whether an input is a metrics file; a structure file is fine if there is something to judge it against.

    Raises:
        UserError: there is no such file, or nothing to judge it against.
    """
    from nucleate.errors import UserError
    from nucleate.report.comparison.entry import looks_like_metrics

    if not path.exists():
        raise UserError(f"there is no {path}")
    if looks_like_metrics(path) or (path.suffix.lower() == ".json" and reference is None):
        return True
    if reference is None:
        raise UserError(f"{path} is no metrics file; to judge the samples in it give --reference NAME")
    return False


def _judged(path: Path, name: str, reference: str, task: Task | None, jobs: int | None) -> Entry:
    """Judges the samples of a file.

    Raises:
        UserError: the file cannot be read, or no sample has a cell.
    """
    from nucleate import files
    from nucleate.errors import UserError
    from nucleate.evaluation.pairing import REFERENCE_INDEX
    from nucleate.report.comparison.entry import of_result

    crystals = files.read(path, jobs=jobs, progress=True)
    if not crystals.built.any():
        raise UserError(f"{path}: none of the {len(crystals):,} samples has a cell")
    if task is None:
        task = Task.CSP if REFERENCE_INDEX in crystals.info else Task.DNG
    evaluate = _evaluate_csp if task == Task.CSP else _evaluate_dng
    return of_result(evaluate(crystals, name, reference, jobs), name, path)


def _evaluate_dng(crystals: Crystals, name: str, reference: str, jobs: int | None) -> Result:
    from nucleate.cli import evaluate as verb
    from nucleate.cli._progress import bar
    from nucleate.evaluation.dng import evaluate
    from nucleate.parallel import available_cores

    truth, called = verb.load_reference(reference, jobs)
    known, known_name = verb.load_training(None, called, jobs)
    with bar(f"judging {name}") as show:
        return evaluate(
            crystals,
            truth,
            reference_name=str(called),
            training=known,
            training_name=known_name,
            cutoffs=verb.find_cutoffs(None, reference),
            keep_in=verb.kept_fingerprints(),
            jobs=jobs or available_cores(),
            on_progress=show,
        )


def _evaluate_csp(crystals: Crystals, name: str, reference: str, jobs: int | None) -> Result:
    """Judges predictions, and says what `nucleate evaluate csp` says of whose they are.

    Raises:
        UserError: it is not clear what they predict; `nucleate evaluate csp` can be given it.
    """
    from nucleate.cli import evaluate as verb
    from nucleate.cli._pairing import notes
    from nucleate.cli._progress import bar
    from nucleate.errors import UserError
    from nucleate.evaluation.csp import evaluate
    from nucleate.evaluation.pairing import PairingError
    from nucleate.parallel import available_cores

    truth, called = verb.load_reference(reference, jobs)
    try:
        with bar(f"comparing {name}") as show:
            result = evaluate(
                crystals,
                truth,
                reference_name=str(called),
                keep_in=verb.kept_fingerprints(),
                jobs=jobs or available_cores(),
                on_progress=show,
            )
    except PairingError as error:
        raise UserError(f"{name}: " + error.worded("the metrics of nucleate evaluate csp --pair {}")) from error
    for line in notes(result, crystals):
        typer.echo(f"{name}: {line}", err=True)
    return result
