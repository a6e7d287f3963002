"""What the published programs read and said, as arrays."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import numpy as np

from nucleate.crystals import Crystals
from nucleate.evaluation.cells import from_parameters

PROTOTYPES = Path(__file__).parent / "prototypes"

NAMES = ("test_ref", "val", "cdvae", "llama-2-7B_1.0_0.7")
"""The reference, and three sets that are compared with it."""


def from_arrays(path: Path) -> Crystals:
    """Cells and coordinates as the published program saw them."""
    with gzip.open(path, "rt") as lines:
        rows = [json.loads(line) for line in lines]
    lattices = from_parameters(*(np.array([row[name] for row in rows]) for name in ("lengths", "angles")))
    return Crystals.build([row["Z"] for row in rows], [row["frac"] for row in rows], lattices)


def columns_of(path: Path) -> dict[str, np.ndarray]:
    """The columns of a table, as text."""
    with path.open() as text:
        rows = list(csv.DictReader(text))
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}
