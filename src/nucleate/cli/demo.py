"""`nucleate demo`: the shipped models at work, in a folder with a page to open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import numpy as np

    from nucleate.crystals import Crystals
    from nucleate.evaluation.result import Result
    from nucleate.models.generator import Generator

app = typer.Typer(add_completion=False, rich_markup_mode=None)

FORMULAS = "NaCl,SrTiO3,TiO2,LiCoO2,GaAs,MgB2,CaF2,LiFePO4"
SAMPLES_PER_FORMULA = 16
SHOWN_PER_FORMULA = 3
NEW_CRYSTALS = 48
JUDGED = 200
CSP_MODEL, DNG_MODEL = "flowmm-csp", "flowmm-dng"


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the page, the CIFs and the numbers.")] = Path("demo"),
    formulas: Annotated[str, typer.Option(help="Compositions to predict structures for.")] = FORMULAS,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is in the folder.")] = False,
) -> None:
    """Predict structures for some compositions, make new crystals, judge both, and show them on a page."""
    import numpy as np

    from nucleate import files
    from nucleate.cli._outputs import check_new
    from nucleate.cli._progress import bar
    from nucleate.crystals import Crystals
    from nucleate.datasets import load
    from nucleate.evaluation.csp import evaluate as evaluate_csp
    from nucleate.evaluation.dng import evaluate as evaluate_dng
    from nucleate.files.atomic import replacing
    from nucleate.generation.compositions import read_formulas
    from nucleate.generation.limits import check_all_fit
    from nucleate.generation.sampling import generate
    from nucleate.models.generator import Task
    from nucleate.parallel import available_cores
    from nucleate.report.cells import contact_sheet
    from nucleate.weights import load_model

    check_new(out, overwrite=overwrite)
    units = read_formulas(formulas)
    predictor, inventor = load_model(CSP_MODEL, Task.CSP), load_model(DNG_MODEL, Task.DNG)
    check_all_fit(predictor, units)
    known = _prototypes(load("prototypes", "test"), predictor)

    predicted = _predict_all(predictor, units, seed)
    with bar(f"making {NEW_CRYSTALS} new crystals") as show:
        invented = generate(inventor, NEW_CRYSTALS, seed=seed, on_progress=show)
    with bar(f"predicting {len(known)} known structure types") as show:
        asked = known.numbers_of_each()
        attempts = generate(predictor, len(known), compositions=asked, seed=seed, on_progress=show)
    with bar("judging") as show:
        csp = evaluate_csp(attempts, known, reference_name="prototypes:test", jobs=available_cores(), on_progress=show)
    dng = evaluate_dng(invented, known, reference_name="prototypes:test", seed=seed)

    crystals = Crystals.concat([predicted, invented])
    source = np.repeat(np.array(["predicted", "new"], dtype=object), [len(predicted), len(invented)])
    crystals = crystals.with_info(source=source)
    files.write(crystals, out / "cifs", overwrite=overwrite)
    files.write(crystals, out / "crystals.extxyz", overwrite=overwrite)
    contact_sheet(predicted, out / "predicted.png")
    for name, result in (("csp", csp), ("dng", dng)):
        with replacing(out / f"metrics-{name}.json") as temporary:
            temporary.write_text(result.to_json(), encoding="utf-8")
    _write_page(out / "index.html", predicted, invented, csp, dng, seed)
    typer.echo(f"open {out / 'index.html'}: {len(predicted)} predicted structures and {len(invented)} new crystals")


def _prototypes(crystals: Crystals, predictor: Generator) -> Crystals:
    """The first known structure types that fit the model."""
    from nucleate.generation.limits import unfit_reasons

    return crystals[unfit_reasons(predictor, crystals.numbers_of_each()) == ""][:JUDGED]


def _predict_all(predictor: Generator, units: list[np.ndarray], seed: int) -> Crystals:
    """The structures that were found most often, for each composition."""
    from nucleate.cli._progress import bar
    from nucleate.crystals import Crystals
    from nucleate.evaluation.duplicates import first_alike
    from nucleate.generation.prediction import predict

    parts = []
    with bar(f"predicting {len(units)} compositions") as show:
        for i, unit in enumerate(units):
            found = predict(predictor, unit, SAMPLES_PER_FORMULA, first_alike, seed=seed)
            parts.append(found[:SHOWN_PER_FORMULA])
            show((i + 1) / len(units))
    return Crystals.concat(parts)


def _write_page(path: Path, predicted: Crystals, invented: Crystals, csp: Result, dng: Result, seed: int) -> None:
    """Key numbers, both galleries, and what the numbers mean."""
    from nucleate.report.gallery import Gallery
    from nucleate.report.page import write_page
    from nucleate.report.sections import KeyNumbers, Table

    one = csp.metrics["k1"]
    validity = dng.metrics["structural_validity"]
    numbers = {
        "Known structures found": f"{one['match_rate']:.0%}",
        "RMSE of those found": f"{one['rmse']:.3f}",
        "New crystals valid": f"{validity:.0%}",
    }
    meaning = [
        ("Match rate", one["match_rate"], "share of known structure types that one attempt at the composition matched"),
        ("RMSE", one["rmse"], "mean distance of atoms from their places where it matched, over (V/N)^(1/3)"),
        ("Structural validity", validity, "share of new crystals with no two atoms closer than 0.5 Å"),
        ("Unusable", dng.metrics["unusable"], "share of new crystals that could not be built"),
    ]
    write_page(
        path,
        title="Crystals that a flow has made",
        summary=(
            f"Structures for given compositions by {CSP_MODEL}, the most often found of {SAMPLES_PER_FORMULA} samples "
            f"each, and new crystals by {DNG_MODEL}. Nothing has been relaxed or selected by energy."
        ),
        sections=[
            KeyNumbers(numbers),
            Gallery(predicted, heading="Predicted for a composition", details={"score": "Share of samples"}),
            Gallery(invented, heading="New crystals"),
            Table(
                ("Number", "Value", "What it is"),
                meaning,
                note=f"Judged on {csp.counts['requested']} structure types from the AFLOW library with elements and "
                "volumes of our choice, which the models have not been trained on.",
            ),
        ],
        facts={"Models": f"{CSP_MODEL}, {DNG_MODEL}", "Seed": seed},
    )
