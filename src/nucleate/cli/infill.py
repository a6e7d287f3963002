"""`nucleate infill`: hide an element of crystals, and let a language model say which one belongs there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from nucleate.crystals import Crystals

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def infill(
    crystals: Annotated[str, typer.Argument(help="A structure file, or a data set such as mp-20:val.")],
    out: Annotated[Path, typer.Option(help="Where to write: .extxyz, .parquet, .csv, .zip of CIFs, or a folder.")],
    element: Annotated[
        str | None, typer.Option(help="Symbol of the element to hide; one of each crystal at random by default.")
    ] = None,
    model: Annotated[
        str, typer.Option(help="A language model: crystal-llm, a run, or a weights file.")
    ] = "crystal-llm",
    count: Annotated[int | None, typer.Option("-n", "--count", help="Only the first so many crystals.")] = None,
    best: Annotated[int, typer.Option(help="Crystals to write for each, the most probable first.")] = 1,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output.")] = False,
) -> None:
    """Hide an element, fill in the most probable ones, and say how often the hidden one was among them."""
    import torch

    from nucleate import files
    from nucleate.cli._models import warn_of_unknown_elements
    from nucleate.cli._outputs import check_output
    from nucleate.cli._progress import bar
    from nucleate.errors import UserError
    from nucleate.evaluation.failures import tally
    from nucleate.generation.infilling import infill as run
    from nucleate.generation.infilling import with_language
    from nucleate.weights import load_model

    for name, value in (("-n", count), ("--best", best)):
        if value is not None and value < 1:
            raise UserError(f"{name} {value}: at least 1 is needed")
    hidden = None if element is None else _number(element)
    check_output(out, overwrite=overwrite)
    generator = with_language(load_model(model)).to("cuda" if torch.cuda.is_available() else "cpu")
    warn_of_unknown_elements(generator)
    given = _read(crystals, count)
    with bar("filling in") as show:
        found = run(generator, given, hidden, best=best, seed=seed, on_progress=show)
    files.write(found.crystals, out, overwrite=overwrite)
    shares = ", ".join(f"{(found.places < k).mean():.1%} among the first {k}" for k in (1, 3, 5))
    typer.echo(f"{out}: {len(found.places):,} crystals; the hidden element is {shares}")
    if len(found.places) < len(given):
        typer.echo(f"left out, of {len(given):,} crystals: {tally(found.left_out)}", err=True)


def _read(spec: str, count: int | None) -> Crystals:
    """The first so many crystals.

    Raises:
        UserError: there are none.
    """
    from nucleate.datasets import load
    from nucleate.errors import UserError

    crystals = load(spec, progress=True)[:count]
    if not len(crystals):
        raise UserError(f"{spec} has no crystals")
    return crystals


def _number(element: str) -> int:
    """Atomic number of an element.

    Raises:
        UserError: there is no such element.
    """
    from nucleate.elements import NUMBERS
    from nucleate.errors import UserError

    if element not in NUMBERS:
        raise UserError(f"--element {element}: there is no such element")
    return NUMBERS[element]
