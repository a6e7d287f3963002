"""`nucleate train`: train a model on a data set, in a run's folder, for an epoch count or a budget of time."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

if TYPE_CHECKING:
    from nucleate.crystals import Crystals
    from nucleate.models.generator import Generator
    from nucleate.recipes.plan import Plan
    from nucleate.training.loop import Trainer
    from nucleate.training.run_folder import RunFolder

app = typer.Typer(add_completion=False, rich_markup_mode=None)

STOPPED = 130
"""Exit code of a run that was asked to stop and can go on with --resume."""


@app.command()
def train(
    model: Annotated[str, typer.Argument(help="Family to train: cdvae, crystal-llm, flowllm or flowmm.")],
    out: Annotated[Path, typer.Option(help="Folder of the run.")],
    task: Annotated[
        str | None, typer.Option(help="csp (structures for compositions) or dng (new crystals).", show_default="csp")
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(help="Data set by name or path; its train and val splits are used.", show_default="mp-20"),
    ] = None,
    recipe: Annotated[
        str | None, typer.Option(help="small (a CPU will do), paper, llama or rehearse.", show_default="small")
    ] = None,
    budget: Annotated[str | None, typer.Option(help="Time to fit the schedule to, such as 90s, 20m, 8h.")] = None,
    epochs: Annotated[float | None, typer.Option(help="Passes over the data, instead of the recipe's number.")] = None,
    init: Annotated[
        list[str] | None, typer.Option(help="Start from a model's weights, where their shapes fit; may be repeated.")
    ] = None,
    base: Annotated[
        str | None, typer.Option(help="For crystal-llm --recipe llama: a language model's folder or name on the Hub.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where the run in this folder stopped, with its data and settings.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the run in this folder.")] = False,
    seed: Annotated[int | None, typer.Option(help="Of everything random.", show_default="0")] = None,
) -> None:
    """Train a model. Stop it at any moment; --resume goes on. Under torchrun, processes share each batch."""
    from nucleate.cli._durations import parse_duration
    from nucleate.errors import UserError
    from nucleate.recipes.plan import new_plan, resumed_plan
    from nucleate.training.run_folder import RunFolder

    if resume and overwrite:
        raise UserError("--resume goes on with a run, --overwrite replaces it: choose one")
    # Whatever is not given has a default in a new run, and its own value in one that goes on.
    asked = {"model": model, "task": task, "data": data, "recipe": recipe, "base": base, "seed": seed}
    asked |= {"init": tuple(init) if init else None, "epochs": _positive(epochs), "budget": parse_duration(budget)}
    given = {name: value for name, value in asked.items() if value is not None}
    folder = RunFolder(out)
    plan = resumed_plan(folder, given) if resume else new_plan(**given)
    if not _run(plan, folder, resume=resume, overwrite=overwrite):
        raise typer.Exit(STOPPED)


def _run(plan: Plan, folder: RunFolder, *, resume: bool, overwrite: bool) -> bool:
    """Prepares and trains; returns whether the schedule ended."""
    import time
    from dataclasses import replace

    import torch

    from nucleate.cli._progress import bar
    from nucleate.datasets import cache
    from nucleate.memory import keep_freed_memory
    from nucleate.models.registry import family
    from nucleate.training.distributed import world
    from nucleate.training.interruption import Interruption
    from nucleate.training.loop import Trainer, dense
    from nucleate.weights import load_model

    keep_freed_memory()
    started = time.monotonic()
    training = plan.resolved.training
    with world() as here, folder.held(here.leads), Interruption() as interruption:
        if not resume:
            folder.check_free(overwrite=overwrite)
        torch.manual_seed(training.seed)
        generator = family(plan.family)(plan.resolved.model)
        crystals, lines = _crystals(plan, generator, folder, resume=resume, leads=here.leads)
        plan = replace(plan, crystals=crystals.fingerprints)
        generator.fit(dense(crystals.train, torch.device("cpu")))
        for source in plan.init:
            taken = generator.adopt(load_model(source))
            lines += [] if resume else [f"{taken:.0%} of the parameters start from {source}"]
        _say(lines if here.leads else [])
        with bar("training", shown=here.leads) as show:
            trainer = Trainer(
                generator, crystals.train, crystals.val, training, folder, here, show, cache.folder() / "described"
            )
            if resume:
                trainer.resume()
            if here.leads:
                _say(f"{count:,} training crystals have no {what}" for what, count in trainer.lacking.items() if count)
                folder.create(plan.record(), overwrite=overwrite, resume=resume)
            prepared = time.monotonic() - started
            finished = trainer.run(interruption)
        if here.leads:
            _picture(folder)
            _say([f"{folder.path}: {_summary(trainer, prepared)}, " + ("done" if finished else _GO_ON)])
    return finished


_GO_ON = "stopped; go on with --resume"


class _Data(NamedTuple):
    """What a run learns from."""

    train: Crystals
    val: Crystals
    fingerprints: dict[str, Any]


def _crystals(
    plan: Plan, generator: Generator, folder: RunFolder, *, resume: bool, leads: bool
) -> tuple[_Data, list[str]]:
    """Reads the data, in reduced cells, with lines on what of it is left out.

    Raises:
        UserError: it cannot be read or represented, or is not what a run that goes on began with.
    """
    from nucleate.datasets import load
    from nucleate.training.data import SPLITS, check_representable, check_same, fingerprint, unlabelled, unread

    read = {split: load(plan.data, split, progress=leads) for split in SPLITS}
    found = {split: fingerprint(crystals, generator.labels) for split, crystals in read.items()}
    lines = []
    if resume and (line := check_same(str(folder.path), plan.data, plan.crystals, found)):
        lines.append(line)
    for split, crystals in read.items():
        check_representable(generator, crystals, f"{plan.data}:{split}")
        lines += unread(crystals, f"{plan.data}:{split}")
    lines += unlabelled(generator, read["train"], plan.data)
    return _Data(read["train"].niggli(), read["val"].niggli(), found), lines


def _positive(epochs: float | None) -> float | None:
    from nucleate.errors import UserError

    if epochs is not None and not epochs > 0:
        raise UserError(f"--epochs {epochs:g}: more than 0 are needed")
    return epochs


def _summary(trainer: Trainer, prepared: float) -> str:
    """Steps and time of a run, of what came after its loop, and of what came before it."""
    finish = trainer.finish
    after = f" and {finish.taken:,} of {finish.steps:,} of the {finish.title}" if finish.steps else ""
    before = f" after {prepared:,.0f} s of preparation" if prepared >= 1 else ""
    steps = f"{trainer.step:,} step" + "s" * (trainer.step != 1)
    return f"{steps}{after}, {trainer.elapsed:,.0f} s{before}"


def _say(lines: Iterable[str]) -> None:
    """Writes lines to stderr."""
    for line in lines:
        typer.echo(line, err=True)


def _picture(folder: RunFolder) -> None:
    """Draws the curves where matplotlib is installed; a bare GPU box trains without."""
    from importlib.util import find_spec

    if find_spec("matplotlib") is not None and folder.metrics.exists():
        from nucleate.report.curves import training_curves

        training_curves(folder.metrics, folder.path / "curves.png")
