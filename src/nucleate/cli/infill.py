"""`nucleate infill`: hide an element of crystals, and let a language model say which one belongs there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import numpy as np

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
    import numpy as np
    import torch

    from nucleate import files
    from nucleate.cli._outputs import check_output
    from nucleate.cli._progress import bar
    from nucleate.crystals import Crystals
    from nucleate.elements import SYMBOLS
    from nucleate.errors import UserError
    from nucleate.generation.infilling import filled, rank_elements, with_language
    from nucleate.weights import load_model

    if best < 1:
        raise UserError(f"--best {best}: at least 1 is needed")
    check_output(out, overwrite=overwrite)
    generator = with_language(load_model(model)).to("cuda" if torch.cuda.is_available() else "cpu")
    given = _read(crystals, count)
    masked = _masked(given, element, seed)
    with bar("filling in") as show:
        scores = rank_elements(generator, given, masked.tolist(), on_progress=show)
    order = np.argsort(-scores, axis=1, kind="stable")
    parts = [
        filled(given, masked.tolist(), order[:, rank].tolist()).with_info(
            reference_index=np.arange(len(given)),
            rank=np.full(len(given), rank),
            hidden=[SYMBOLS[z] for z in masked],
            filled=[SYMBOLS[z] for z in order[:, rank]],
            log_probability=scores[np.arange(len(given)), order[:, rank]],
        )
        for rank in range(best)
    ]
    files.write(Crystals.concat(parts), out, overwrite=overwrite)
    place = (order == masked[:, None]).argmax(1)
    shares = ", ".join(f"{(place < k).mean():.1%} among the first {k}" for k in (1, 3, 5))
    typer.echo(f"{out}: {len(given):,} crystals; the hidden element is {shares}")


def _read(spec: str, count: int | None) -> Crystals:
    """The crystals that could be read.

    Raises:
        UserError: there are none.
    """
    from nucleate.datasets import load
    from nucleate.errors import UserError

    crystals = load(spec, progress=True)
    crystals = crystals[crystals.built][:count]
    if not len(crystals):
        raise UserError(f"{spec} has no crystals")
    return crystals


def _masked(crystals: Crystals, element: str | None, seed: int) -> np.ndarray:
    """Atomic number of the hidden element of each crystal.

    Raises:
        UserError: there is no such element.
    """
    import numpy as np

    from nucleate.elements import NUMBERS
    from nucleate.errors import UserError

    if element is None:
        rng = np.random.default_rng(seed)
        return np.array([rng.choice(np.unique(numbers)) for numbers in crystals.numbers_of_each()])
    if element not in NUMBERS:
        raise UserError(f"--element {element}: there is no such element")
    return np.full(len(crystals), NUMBERS[element])
