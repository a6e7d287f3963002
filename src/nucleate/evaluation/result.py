"""What an evaluation says: `metrics.json`, and a table with one row a crystal."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np

from nucleate import __version__

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One evaluation.

    Attributes:
        task: `csp` or `dng`.
        definition: all that the numbers depend on: versions, reference, seed, tolerances, cutoffs.
        counts: samples requested, parsed and built, and failures by reason.
        metrics: the numbers. Rates are fractions; NaN is a number that does not exist.
        rows: columns of one entry a crystal.
    """

    task: str
    definition: Mapping[str, Any]
    counts: Mapping[str, Any]
    metrics: Mapping[str, Any]
    rows: Mapping[str, np.ndarray]

    def as_dict(self) -> dict[str, Any]:
        """What goes into `metrics.json`; a number that does not exist is None."""
        head = {"task": self.task, "definition": self.definition, "counts": self.counts, "metrics": self.metrics}
        return _plain(head)

    def to_json(self) -> str:
        """The text of `metrics.json`."""
        return json.dumps(self.as_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    def to_table(self) -> pa.Table:
        """One row a crystal; a number that does not exist is null."""
        import pyarrow as pa

        return pa.table({name: pa.array(column, from_pandas=True) for name, column in self.rows.items()})


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
