"""One row of a comparison: what a metrics file says, under a name."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

from nucleate.errors import UserError
from nucleate.evaluation.result import FORMAT, Result

TASKS = ("dng", "csp")

_PARTS = ("task", "definition", "counts", "metrics")


class Number(NamedTuple):
    """A metric with the ends of its interval of 95 %, which are None where it has none."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One set of samples and what an evaluation says of it.

    Attributes:
        name: what the row is called.
        data: as in `metrics.json`.
        path: of the metrics file, or of the samples that were evaluated on the way.
        samples: where the samples are; None if nobody knows.
    """

    name: str
    data: Mapping[str, Any]
    path: Path
    samples: Path | None = None

    @property
    def task(self) -> str:
        """`dng` or `csp`."""
        return self.data["task"]

    @property
    def definition(self) -> Mapping[str, Any]:
        """All that the numbers depend on."""
        return self.data["definition"]

    @property
    def counts(self) -> Mapping[str, Any]:
        """How many samples came how far."""
        return self.data["counts"]

    @property
    def metrics(self) -> Mapping[str, Any]:
        """The numbers."""
        return self.data["metrics"]

    def number(self, key: str) -> Number | None:
        """A metric, such as `validity` or `k1.rmse`; None if it does not exist."""
        value, interval = _at(self.metrics, key), _at(self.data.get("intervals", {}), key)
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not isfinite(value):
            return None
        low, high = (interval[0], interval[1]) if isinstance(interval, Sequence) and len(interval) >= 2 else (None,) * 2
        return Number(float(value), low, high)

    def distribution(self, name: str) -> Mapping[str, Any]:
        """A distribution of `dng`, such as `density`; empty if there is none."""
        return _at(self.metrics, f"distributions.{name}") or {}


def of_result(result: Result, name: str, samples: Path) -> Entry:
    """The row of an evaluation that was just made."""
    return Entry(name=name, data=json.loads(result.to_json()), path=samples, samples=samples)


def looks_like_metrics(path: Path) -> bool:
    """Whether a file is JSON of the kind that `nucleate evaluate` writes, of whatever version."""
    if path.suffix.lower() != ".json" or not path.is_file():
        return False
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(data, dict) and "task" in data and "metrics" in data


def read(path: Path, name: str) -> Entry:
    """Reads a metrics file.

    Raises:
        UserError: there is no such file, it is no JSON or no metrics file, or it is of another version.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise UserError(f"{path} is not JSON: {error}") from error
    if not isinstance(data, dict) or any(part not in data for part in _PARTS):
        raise UserError(f"{path} is no metrics file of `nucleate evaluate`")
    found = data.get("format", 1)
    if found != FORMAT:
        raise UserError(f"{path} has layout {found} of metrics, and this is {FORMAT}: evaluate the samples again")
    if data["task"] not in TASKS or not all(isinstance(data[part], dict) for part in _PARTS[1:]):
        raise UserError(f"{path} is no metrics file of `nucleate evaluate`: its task is {data['task']!r}")
    where = data.get("samples")
    samples = path.parent / where if isinstance(where, str) and where else None
    return Entry(name=name, data=data, path=path, samples=samples)


def named_apart(entries: Iterable[Entry], given: Sequence[bool]) -> list[Entry]:
    """Makes sure that no two rows of a task have one name: where file names agree, their folders' come before.

    Args:
        entries: the rows.
        given: whether the user chose each name, which then stays.

    Raises:
        UserError: a file is there twice under one name, or two rows still have one name.
    """
    entries = list(entries)
    seen: set[tuple[str, Path, str]] = set()
    for entry in entries:
        key = entry.task, entry.path.resolve(), entry.name
        if key in seen:
            raise UserError(f"{entry.path} is there twice")
        seen.add(key)
    keys = [(entry.task, entry.name) for entry in entries]
    entries = [
        replace(entry, name=f"{entry.path.resolve().parent.name}/{entry.name}")
        if keys.count(key) > 1 and not chosen
        else entry
        for entry, key, chosen in zip(entries, keys, given, strict=True)
    ]
    keys = [(entry.task, entry.name) for entry in entries]
    for key in keys:
        if keys.count(key) > 1:
            raise UserError(f"two rows are called {key[1]!r}; give them names, as in NAME=FILE")
    return entries


def _at(tree: Any, key: str) -> Any:
    for part in key.split("."):
        tree = tree.get(part) if isinstance(tree, Mapping) else None
    return tree
