"""`nucleate predict`: crystal structures for a formula."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def predict(
    formula: Annotated[str, typer.Argument(help="Such as LiFePO4; 1, 2, 4, … formula units per cell are tried.")],
    out: Annotated[Path, typer.Option(help="Folder for the CIFs, one extxyz, a picture and a page.")],
    count: Annotated[int, typer.Option("-n", "--count", help="Samples; duplicates are merged.")] = 20,
    model: Annotated[str, typer.Option(help="A model for CSP: shipped, a run, or a weights file.")] = "flowmm-csp",
    steps: Annotated[int | None, typer.Option(help="Steps of the sampler; the model's own number by default.")] = None,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is in the folder.")] = False,
) -> None:
    """Predict structures for a composition, most often found first."""
    import torch
    from rich.console import Console
    from rich.table import Table

    from nucleate import files
    from nucleate.cli._models import warn_of_unknown_elements
    from nucleate.cli._outputs import check_new
    from nucleate.cli._progress import bar
    from nucleate.elements import reduced_formula
    from nucleate.errors import UserError
    from nucleate.evaluation.duplicates import first_alike
    from nucleate.evaluation.failures import tally
    from nucleate.generation.compositions import formulas
    from nucleate.generation.prediction import draw, merge
    from nucleate.geometry.lattice import volume
    from nucleate.models.generator import Task
    from nucleate.report.cells import contact_sheet
    from nucleate.report.gallery import Gallery
    from nucleate.report.page import write_page
    from nucleate.weights import load_model

    if count < 1:
        raise UserError(f"-n {count}: ask for at least 1 sample")
    if steps is not None and steps < 1:
        raise UserError(f"--steps {steps}: at least 1 is needed")
    (unit,) = formulas([formula])
    check_new(out, overwrite=overwrite)
    generator = load_model(model, Task.CSP).to("cuda" if torch.cuda.is_available() else "cpu")
    warn_of_unknown_elements(generator)
    with bar(f"predicting {formula}") as show:
        samples = draw(generator, unit, count, steps=steps, seed=seed, on_progress=show)
    found, lost = merge(samples, first_alike), tally(samples.failures)
    files.write(found, out / "cifs", overwrite=overwrite)
    files.write(found, out / "structures.extxyz", overwrite=overwrite)
    titles = [f"{i + 1}. {100 * score:.0f} %" for i, score in enumerate(found.info["score"])]
    contact_sheet(found, out / "structures.png", titles)
    details = {"score": "Score", "times_found": "Times found", "formula_units": "Formula units"}
    write_page(
        out / "index.html",
        title=f"{reduced_formula(unit)}: {len(found)} predicted structures",
        summary=(
            f"{count} samples of {model}, duplicates merged with the structure matcher. The score is the share of the "
            "samples that turned out to be this structure; nothing has been relaxed."
            + (f" Not built: {lost}." if lost else "")
        ),
        sections=[Gallery(found, details=details)],
        facts={"Model": model, "Seed": seed, "Steps": steps or "the model's own", "Samples": count},
    )
    table = Table("rank", "formula", "times found", "volume per atom (Å³)")
    volumes = volume(found.lattice) / found.counts
    for i, name in enumerate(found.formulas):
        table.add_row(str(i + 1), name, str(found.info["times_found"][i]), f"{float(volumes[i]):.1f}")
    Console().print(table)
    typer.echo(f"{out / 'index.html'}: {len(found)} structures from {count} samples, most often found first")
    if lost:
        typer.echo(f"not built, of {count} samples: {lost}", err=True)
