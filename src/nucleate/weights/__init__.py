"""Shipped weights, and models by name: `flowmm-csp`, a run's folder, or a weights file."""

from __future__ import annotations

from pathlib import Path

from nucleate.errors import UserError
from nucleate.models.checkpoint import load_weights
from nucleate.models.generator import Generator, Task

FOLDER = Path(__file__).parent


def shipped() -> dict[str, Path]:
    """Names of the models in the package and where their weights are."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.safetensors"))}


def find_weights(name: str | Path) -> Path:
    """Finds the weights file of a shipped model, a run, or a file.

    Raises:
        UserError: there is nothing of that name.
    """
    known = shipped()
    if str(name) in known:
        return known[str(name)]
    path = Path(name)
    if path.is_dir():
        for candidate in (path / "best.safetensors", path / "last.safetensors"):
            if candidate.exists():
                return candidate
        raise UserError(f"{path} holds no weights (best.safetensors or last.safetensors)")
    if path.is_file():
        return path
    raise UserError(f"unknown model {str(name)!r}; there are {', '.join(known)}, or name a run or a weights file")


def load_model(name: str | Path, task: Task | None = None) -> Generator:
    """Loads a model by name.

    Args:
        name: a shipped model, a run's folder, or a weights file.
        task: refuses a model that cannot do it.

    Raises:
        UserError: it is not there, cannot be read, or was trained for another task.
    """
    generator = load_weights(find_weights(name))
    if task is not None and task not in generator.tasks:
        raise UserError(f"{name} was trained for {generator.task}, not {task}")
    return generator
