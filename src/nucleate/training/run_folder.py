"""A run is a folder: configuration, environment, metrics as JSON lines, checkpoints, weights."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from nucleate import __version__
from nucleate.errors import UserError
from nucleate.files.atomic import replacing
from nucleate.models.saving import save_state
from nucleate.training.run_lock import only_trainer


class RunFolder:
    """Paths and records of one run.

    Files: `config.json` (everything that was resolved), `environment.json`, `metrics.jsonl`, `checkpoint.pt` (to go
    on from), `last.safetensors` and `best.safetensors` (averaged weights), `trainer.lock`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.json"
        self.metrics = path / "metrics.jsonl"
        self.checkpoint = path / "checkpoint.pt"
        self.last = path / "last.safetensors"
        self.best = path / "best.safetensors"

    @contextmanager
    def held(self, wanted: bool = True) -> Iterator[None]:
        """Keeps all other trainers out of the folder until the block ends, or the process, however it ends.

        Args:
            wanted: False for all but one of several processes that train together.

        Raises:
            UserError: another process trains here, or the folder cannot be written.
        """
        if not wanted:
            yield
            return
        with only_trainer(self.path):
            yield

    def check_free(self, *, overwrite: bool = False) -> None:
        """Refuses a folder that holds a run, unless that is to be replaced.

        Raises:
            UserError: a run is there already.
        """
        if self.config.exists() and not overwrite:
            raise UserError(f"{self.path} holds a run already; go on with --resume or ask for --overwrite")

    def create(self, config: Mapping[str, Any], *, overwrite: bool = False, resume: bool = False) -> None:
        """Makes the folder and writes the configuration and the environment.

        Args:
            config: everything that was resolved.
            overwrite: whether a run that is there is replaced.
            resume: whether it goes on instead: what it has written stays, and the environment is that of its beginning.

        Raises:
            UserError: a run is there already, or the folder cannot be written, as on a full disk.
        """
        if not resume:
            self.check_free(overwrite=overwrite)
            for old in (self.metrics, self.checkpoint, self.last, self.best):
                old.unlink(missing_ok=True)
            write_json(self.path / "environment.json", environment())
        write_json(self.config, config)

    def read_config(self) -> dict[str, Any]:
        """Reads the resolved configuration.

        Raises:
            UserError: there is none, or it is damaged.
        """
        try:
            return json.loads(self.config.read_text())
        except FileNotFoundError as error:
            raise UserError(f"{self.path} is not a run: it has no config.json") from error
        except ValueError as error:
            raise UserError(f"{self.config} is damaged: {error}") from error

    def log(self, row: Mapping[str, Any]) -> None:
        """Appends one line to the metrics.

        Raises:
            UserError: it cannot be written, as on a full disk.
        """
        try:
            with self.metrics.open("a") as file:
                file.write(json.dumps(row) + "\n")
        except OSError as error:
            raise UserError(f"cannot write {self.metrics}: {error.strerror}") from error

    def forget_after(self, step: int) -> None:
        """Drops metrics of steps that a resumed run will do again; a half-written last line goes too."""
        if not self.metrics.exists():
            return
        kept = []
        for line in self.metrics.read_text().splitlines():
            try:
                row = json.loads(line)
            except ValueError:
                continue  # the line that a kill cut short
            if row["step"] <= step:
                kept.append(line)
        with replacing(self.metrics) as temporary:
            temporary.write_text("".join(f"{line}\n" for line in kept))

    def save_checkpoint(self, state: Mapping[str, Any]) -> None:
        """Writes the state to go on from, beside and renamed.

        Raises:
            UserError: it cannot be written, as on a full disk; the last one is still there.
        """
        save_state(state, self.checkpoint)

    def load_checkpoint(self) -> dict[str, Any]:
        """Reads the state to go on from.

        Raises:
            UserError: there is none, or it is truncated.
        """
        try:
            return torch.load(self.checkpoint, map_location="cpu", weights_only=True)
        except FileNotFoundError as error:
            raise UserError(f"{self.path} has no checkpoint to resume from") from error
        except (RuntimeError, EOFError, ValueError, OSError) as error:
            raise UserError(f"{self.checkpoint} is truncated or damaged") from error


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Writes a JSON file beside its place and renames it."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(values, indent=2) + "\n")


def environment() -> dict[str, Any]:
    """What the numbers of a run depend on besides its configuration."""
    return {
        "nucleate": __version__,
        "python": sys.version.split()[0],
        "torch": torch.__version__,
        "platform": platform.platform(),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else platform.processor() or "cpu",
        "command": sys.argv[1:],
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }
