"""`nucleate generate`: crystals from a shipped model, a run, or a weights file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import numpy as np

    from nucleate.crystals import Crystals

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def generate(
    model: Annotated[str, typer.Argument(help="A shipped model (such as flowmm-dng), a run, or a weights file.")],
    out: Annotated[Path, typer.Option(help="Where to write: .extxyz, .parquet, .csv, .zip of CIFs, or a folder.")],
    count: Annotated[
        int | None,
        typer.Option(
            "-n",
            "--count",
            help="Crystals to make, 100 by default; -n 50 is not half of -n 100. For CSP the first n compositions.",
        ),
    ] = None,
    formulas: Annotated[
        str | None,
        typer.Option(help="For CSP: SiO2,Na4Cl4, a text or structure file, or a data set such as mp-20:val."),
    ] = None,
    per_formula: Annotated[int, typer.Option(help="Structures for each composition.")] = 1,
    draws: Annotated[
        int | None, typer.Option(help="Samples from which each structure is chosen (CSP); the model's own by default.")
    ] = None,
    sampler: Annotated[
        str,
        typer.Option(help="For cdvae also descent (exact places), flow, langevin (published), search (for formulas)."),
    ] = "default",
    condition: Annotated[
        list[str] | None,
        typer.Option(help="For language models: space_group=225, e_above_hull=0 or band_gap=1.5; may be repeated."),
    ] = None,
    temperature: Annotated[
        float | None, typer.Option(help="For models that draw at one; their own by default.")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Steps of the sampler; the model's own number by default.")] = None,
    seed: Annotated[
        int,
        typer.Option(help="Of everything random. The same one makes the same crystals: for more of them take another."),
    ] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output.")] = False,
) -> None:
    """Generate crystals: new ones, or structures for given compositions."""
    import torch

    from nucleate import files
    from nucleate.cli._models import warn_of_unknown_elements
    from nucleate.cli._outputs import check_output
    from nucleate.cli._progress import bar
    from nucleate.errors import UserError
    from nucleate.evaluation.failures import tally
    from nucleate.generation.sampling import find_conditions, find_sampler
    from nucleate.generation.sampling import generate as sample
    from nucleate.weights import load_model

    if count is not None and count < 1:
        raise UserError(f"-n {count}: ask for at least 1 crystal")
    for name, value in (("--steps", steps), ("--draws", draws), ("--per-formula", per_formula)):
        if value is not None and value < 1:
            raise UserError(f"{name} {value}: at least 1 is needed")
    check_output(out, overwrite=overwrite)
    generator = load_model(model).to("cuda" if torch.cuda.is_available() else "cpu")
    options = {**find_sampler(generator, sampler), **find_conditions(generator, condition or (), temperature)}
    compositions, typed = (None, True) if formulas is None else _compositions(formulas)
    if compositions is not None:
        warn_of_unknown_elements(generator)
        if count is not None and count > len(compositions):
            typer.echo(
                f"-n {count}: compositions in {formulas}: {len(compositions)}; --per-formula makes more of each",
                err=True,
            )
    if count is None:
        count = 100 if compositions is None else len(compositions)
    finished: list[Crystals] = []
    with bar(f"generating with {model}") as show, _saved_if_interrupted(finished, out):
        crystals = sample(
            generator,
            count,
            compositions=compositions,
            per_formula=per_formula,
            draws=draws,
            steps=steps,
            seed=seed,
            options=options,
            strict=typed,
            on_progress=show,
            on_batch=finished.append,
        )
    files.write(crystals.with_info(model=[model] * len(crystals)), out, overwrite=overwrite)
    lost = tally(crystals.failures)
    unusable = f", of which unusable: {lost}" if lost else ""
    typer.echo(f"{out}: {len(crystals):,} crystals{unusable}; seed {seed}, and another --seed makes others")


def _compositions(spec: str) -> tuple[list[np.ndarray], bool]:
    """Compositions of a data set by name, or of what `read_formulas` reads, and whether somebody typed them."""
    from nucleate.datasets import NAMES, load, parse_reference
    from nucleate.generation.compositions import are_typed, numbers_of_all, read_formulas

    if parse_reference(spec).name in NAMES:
        return numbers_of_all(load(spec, progress=True), spec), False
    return read_formulas(spec), are_typed(spec)


@contextmanager
def _saved_if_interrupted(finished: list[Crystals], out: Path) -> Iterator[None]:
    """Interrupted or terminated within `with`, writes what is finished under another name than the whole would have."""
    from nucleate import files
    from nucleate.crystals import Crystals
    from nucleate.training.interruption import Interruption

    try:
        with Interruption():
            yield
    except KeyboardInterrupt:
        if finished:
            place, crystals = out.with_name(f"interrupted-{out.name}"), Crystals.concat(finished)
            files.write(crystals, place, overwrite=True)
            typer.echo(f"{place}: {len(crystals):,} crystals, those that were finished; the largest cells come first")
        raise
