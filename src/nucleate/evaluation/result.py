"""What an evaluation says: `metrics.json`, and a table with one row a crystal."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nucleate import __version__

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = 2
"""Version of the layout of `metrics.json`. 1 had neither this number nor intervals, histograms and sizes."""

_LIST_OF_NUMBERS = re.compile(r'\[\n\s*([^\[\]{}"]*?)\n\s*\]')


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One evaluation.

    Attributes:
        task: `csp` or `dng`.
        definition: all that the numbers depend on: versions, reference, seed, tolerances, cutoffs.
        counts: samples requested, parsed and built, and failures by reason.
        metrics: the numbers. Rates are fractions; NaN is a number that does not exist.
        rows: columns of one entry a crystal.
        intervals: around the numbers, by the same names (see `intervals.Interval`); not every number has one.
        samples: where the samples are, as a path relative to that of `metrics.json`; None if nobody knows.
    """

    task: str
    definition: Mapping[str, Any]
    counts: Mapping[str, Any]
    metrics: Mapping[str, Any]
    rows: Mapping[str, np.ndarray]
    intervals: Mapping[str, Any] = field(default_factory=dict)
    samples: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """What goes into `metrics.json`; a number that does not exist is None."""
        head = {"format": FORMAT, "task": self.task, "samples": self.samples, "definition": self.definition}
        return _plain({**head, "counts": self.counts, "metrics": self.metrics, "intervals": self.intervals})

    def to_json(self) -> str:
        """The text of `metrics.json`; a list of numbers is one line."""
        text = json.dumps(self.as_dict(), indent=2, ensure_ascii=False, allow_nan=False)
        return _LIST_OF_NUMBERS.sub(lambda found: f"[{' '.join(found[1].split())}]", text) + "\n"

    def to_table(self) -> pa.Table:
        """One row a crystal; a number that does not exist is null."""
        import pyarrow as pa

        return pa.table({name: pa.array(column, from_pandas=True) for name, column in self.rows.items()})


def relative_path(samples: Path, folder: Path) -> str:
    """Path of samples as it is written into a `metrics.json` in `folder`: both can be moved together."""
    try:
        return Path(os.path.relpath(samples.resolve(), folder.resolve())).as_posix()
    except ValueError:  # on another drive
        return samples.resolve().as_posix()


def versions(*libraries: str) -> dict[str, str]:
    """Versions of this package and of the libraries that are installed."""
    found = {"nucleate": __version__}
    for library in libraries:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found


def _plain(value: Any) -> Any:
    """Makes what JSON knows of mappings, sequences, NumPy scalars and NaN."""
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(entry) for entry in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
