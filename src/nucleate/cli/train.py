"""`nucleate train`: train a model on a data set, in a run's folder, for an epoch count or a budget of time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from nucleate.training.run_folder import RunFolder

app = typer.Typer(add_completion=False, rich_markup_mode=None)

STOPPED = 130
"""Exit code of a run that was asked to stop and can go on with --resume."""


@app.command()
def train(
    model: Annotated[str, typer.Argument(help="Family to train: cdvae, crystal-llm, flowllm or flowmm.")],
    out: Annotated[Path, typer.Option(help="Folder of the run.")],
    task: Annotated[str, typer.Option(help="csp (structures for compositions) or dng (new crystals).")] = "csp",
    data: Annotated[str, typer.Option(help="Data set by name or path; its train and val splits are used.")] = "mp-20",
    recipe: Annotated[str, typer.Option(help="small (a CPU will do), paper, llama or rehearse.")] = "small",
    budget: Annotated[str | None, typer.Option(help="Time to fit the schedule to, such as 90s, 20m, 8h.")] = None,
    epochs: Annotated[float | None, typer.Option(help="Passes over the data, instead of the recipe's number.")] = None,
    init: Annotated[
        list[str] | None, typer.Option(help="Start from a model's weights, where their shapes fit; may be repeated.")
    ] = None,
    base: Annotated[
        str | None, typer.Option(help="For crystal-llm --recipe llama: a language model's folder or name on the Hub.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where the run in this folder stopped.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the run in this folder.")] = False,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
) -> None:
    """Train a model. Stop it at any moment; --resume goes on. Under torchrun, processes share each batch."""
    from dataclasses import asdict, replace

    import torch
    from rich.console import Console

    from nucleate.cli._durations import parse_duration
    from nucleate.cli._progress import bar
    from nucleate.datasets import cache, load
    from nucleate.memory import keep_freed_memory
    from nucleate.models.registry import family
    from nucleate.recipes import find_recipe, with_base
    from nucleate.training.distributed import world
    from nucleate.training.interruption import Interruption
    from nucleate.training.loop import Trainer, dense
    from nucleate.training.run_folder import RunFolder
    from nucleate.weights import load_model

    keep_freed_memory()
    console = Console(stderr=True)
    folder = RunFolder(out)
    if resume:  # what crystals are described by has to be there before the checkpoint is read
        began = folder.read_config()
        base, init = base or began.get("base"), init or _listed(began.get("init"))
    chosen = with_base(find_recipe(model, task, recipe), base)
    training = replace(chosen.training, seed=seed, budget=parse_duration(budget))
    if epochs is not None:
        training = replace(training, epochs=_positive(epochs))
    if resume:
        _check_same_run(folder, model, task, recipe)
        training = replace(training, seed=folder.read_config()["training"]["seed"])
    torch.manual_seed(training.seed)
    generator = family(model)(chosen.model)
    with world() as here:
        crystals = load(data, "train", progress=here.leads).niggli()
        validation = load(data, "val", progress=here.leads).niggli()
        generator.fit(dense(crystals, torch.device("cpu")))
        for source in init or ():
            taken = generator.adopt(load_model(source))
            console.print(f"{taken:.0%} of the parameters start from {source}")
        if here.leads and not resume:
            settings = {"family": model, "task": task, "data": data, "recipe": recipe, "init": init, "base": base}
            resolved = {**settings, "model": asdict(chosen.model), "training": asdict(training)}
            folder.create(resolved, overwrite=overwrite)
        with bar("training", shown=here.leads) as show, Interruption() as interruption:
            trainer = Trainer(
                generator, crystals, validation, training, folder, here, show, cache.folder() / "described"
            )
            if resume:
                trainer.resume()
            finished = trainer.run(interruption)
        if here.leads:
            _picture(folder)
            state = "done" if finished else "stopped; go on with --resume"
            console.print(f"{out}: {trainer.step:,} steps, {trainer.elapsed:,.0f} s, {state}")
    if not finished:
        raise typer.Exit(STOPPED)


def _listed(init: list[str] | str | None) -> list[str]:
    """Sources of weights in a run's configuration, of which there was one at most before version 0.2."""
    return [init] if isinstance(init, str) else init or []


def _positive(epochs: float) -> float:
    from nucleate.errors import UserError

    if not epochs > 0:
        raise UserError(f"--epochs {epochs:g}: more than 0 are needed")
    return epochs


def _check_same_run(folder: RunFolder, model: str, task: str, recipe: str) -> None:
    """Refuses to resume a run of another family, task or recipe."""
    from nucleate.errors import UserError

    config = folder.read_config()
    if (config["family"], config["task"]) != (model, task):
        was = f"{config['family']} for {config['task']}"
        raise UserError(f"{folder.path} is a run of {was}, not of {model} for {task}")
    was = config["recipe"]
    if was != recipe:
        raise UserError(f"{folder.path} is a run of the recipe {was}; go on with --recipe {was}")


def _picture(folder: RunFolder) -> None:
    """Draws the curves where matplotlib is installed; a bare GPU box trains without."""
    from importlib.util import find_spec

    if find_spec("matplotlib") is not None and folder.metrics.exists():
        from nucleate.report.curves import training_curves

        training_curves(folder.metrics, folder.path / "curves.png")
