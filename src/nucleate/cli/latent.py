"""`nucleate latent`: what only a model with a latent can do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from nucleate.crystals import Crystals
    from nucleate.models.cdvae import CDVAE

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

CrystalsIn = Annotated[str, typer.Argument(help="A structure file, or a data set such as mp-20:val.")]
Out = Annotated[Path, typer.Option(help="Where to write: .extxyz, .parquet, .csv, .zip of CIFs, or a folder.")]
Model = Annotated[str, typer.Option(help="A model with a latent: cdvae, a run, or a weights file.")]
First = Annotated[int | None, typer.Option("-n", "--count", help="Only the first so many crystals.")]
Steps = Annotated[int | None, typer.Option(help="Steps of the sampler; the model's own number by default.")]
Seed = Annotated[int, typer.Option(help="Of everything random.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the output.")]


@app.command()
def reconstruct(
    crystals: CrystalsIn,
    out: Out,
    model: Model = "cdvae",
    count: First = None,
    keep_composition: Annotated[
        bool, typer.Option("--keep-composition", help="Tell the model the compositions too.")
    ] = False,
    steps: Steps = None,
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Encode crystals, and draw them again from their latents alone.

    `nucleate evaluate csp` says how many came back.
    """
    from nucleate.cli._progress import bar
    from nucleate.generation import latent

    generator, given = _prepare(model, crystals, count, out, steps, overwrite=overwrite)
    with bar("reconstructing") as show:
        drawn = latent.reconstruct(
            generator, given, keep_composition=keep_composition, steps=steps, seed=seed, on_progress=show
        )
    _write(drawn, out, overwrite=overwrite)


@app.command()
def interpolate(
    first: Annotated[str, typer.Argument(help="A file with one crystal.")],
    last: Annotated[str, typer.Argument(help="A file with another.")],
    out: Out,
    model: Model = "cdvae",
    count: Annotated[int, typer.Option("-n", "--count", help="Crystals on the way, both ends included.")] = 9,
    steps: Steps = None,
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Draw crystals on the straight way from one crystal to another."""
    from nucleate.cli._progress import bar
    from nucleate.generation import latent

    generator, start = _prepare(model, first, None, out, steps, overwrite=overwrite)
    end = _read(last, None)
    with bar("interpolating") as show:
        drawn = latent.interpolate(generator, start, end, count, steps=steps, seed=seed, on_progress=show)
    _write(drawn, out, overwrite=overwrite)


@app.command()
def optimise(
    crystals: CrystalsIn,
    out: Out,
    prop: Annotated[
        str, typer.Option("--property", help="Column of the data to learn it from, such as band_gap.")
    ] = "formation_energy_per_atom",
    data: Annotated[str, typer.Option(help="Data set whose train split the property is learnt from.")] = "mp-20",
    maximise: Annotated[bool, typer.Option("--maximise", help="Look for high values; low ones by default.")] = False,
    target: Annotated[float | None, typer.Option(help="Look for this value instead.")] = None,
    keep: Annotated[int, typer.Option(help="Candidates from each start.")] = 10,
    moves: Annotated[int, typer.Option(help="Steps of the search.")] = 2500,
    leash: Annotated[float, typer.Option(help="Pull towards the start; 0 as published.")] = 0.0,
    model: Model = "cdvae",
    count: First = None,
    steps: Steps = None,
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Look for crystals with a property, starting from given ones.

    A small network learns the property from latents. What is reported is what another one, which learnt it from
    fingerprints and knows no latents, says of the candidates; nothing is calculated or relaxed.
    """
    import numpy as np

    from nucleate.cli._progress import bar
    from nucleate.cli.evaluate import kept_fingerprints
    from nucleate.datasets import load
    from nucleate.errors import UserError
    from nucleate.evaluation.failures import tally
    from nucleate.generation.properties import column, search

    if keep < 1 or moves < keep:
        raise UserError(f"--keep {keep} --moves {moves}: at least 1 is kept, and no more than there are moves")
    generator, start = _prepare(model, crystals, count, out, steps, overwrite=overwrite)
    training = load(data, "train", progress=True)
    values = column(training, prop, data)
    if missing := int(np.isnan(values).sum()):
        typer.echo(
            f"{data}: {prop} is unknown for {missing:,} of {len(values):,} crystals; the others teach it", err=True
        )
    with bar(f"searching for {prop}") as show:
        found = search(
            generator,
            start,
            training,
            values,
            maximise=maximise,
            target=target,
            keep=keep,
            moves=moves,
            leash=leash,
            steps=steps,
            seed=seed,
            keep_in=kept_fingerprints(),
            on_progress=show,
        )
    _write(found.candidates, out, overwrite=overwrite)
    rates = ", ".join(f"{name} {rate:.0%}" for name, rate in found.success_rates.items())
    errors = f"mean error {found.error:.3g} from latents, {found.judge_error:.3g} of the judge"
    typer.echo(f"{prop}: {errors}, on crystals held out" + (f"; {rates}" * bool(rates)))
    if lost := tally(found.lost):
        typer.echo(f"not learnt from, of {len(training):,} crystals of {data}: {lost}", err=True)


def _prepare(
    model: str, spec: str, count: int | None, out: Path, steps: int | None, *, overwrite: bool
) -> tuple[CDVAE, Crystals]:
    """Checks what can be checked at once; loads the model and the crystals."""
    import torch

    from nucleate.cli._models import warn_of_unknown_elements
    from nucleate.cli._outputs import check_output
    from nucleate.errors import UserError
    from nucleate.generation.latent import with_latent
    from nucleate.weights import load_model

    for name, value in (("-n", count), ("--steps", steps)):
        if value is not None and value < 1:
            raise UserError(f"{name} {value}: at least 1 is needed")
    check_output(out, overwrite=overwrite)
    generator = with_latent(load_model(model)).to("cuda" if torch.cuda.is_available() else "cpu")
    warn_of_unknown_elements(generator)
    return generator, _read(spec, count)


def _read(spec: str, count: int | None) -> Crystals:
    """Crystals of a data set by name, or of a file."""
    from nucleate import files
    from nucleate.datasets import NAMES, load, parse_reference

    named = parse_reference(spec).name in NAMES
    crystals = load(spec, progress=True) if named else files.read(Path(spec), progress=True)
    return crystals if count is None else crystals[:count]


def _write(crystals: Crystals, out: Path, *, overwrite: bool) -> None:
    from nucleate import files
    from nucleate.evaluation.failures import tally

    files.write(crystals, out, overwrite=overwrite)
    lost = tally(crystals.failures)
    typer.echo(f"{out}: {len(crystals):,} crystals" + (f", of which unusable: {lost}" if lost else ""))
