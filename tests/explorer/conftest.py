"""Crystals, and an embedding that costs nothing and counts what it is asked for."""

from __future__ import annotations

import numpy as np
import pytest

from nucleate import datasets
from nucleate.crystals import Crystals
from nucleate.explorer.embed import Embedded


@pytest.fixture(scope="session")
def prototypes() -> Crystals:
    return datasets.load("prototypes", "test")[:24]


class Counting:
    """Volume, number of atoms and largest atomic number as a vector; a crystal with uranium has none."""

    label = "three numbers"
    description = "three numbers v1"

    def __init__(self, stop_after: int | None = None) -> None:
        self.asked: list[int] = []
        self.stop_after = stop_after

    def embed(self, crystals, *, jobs=1, on_progress=None) -> Embedded:
        if self.stop_after is not None and len(self.asked) >= self.stop_after:
            raise KeyboardInterrupt
        self.asked.append(len(crystals))
        rows = [[abs(np.linalg.det(c.lattice[0].numpy())), len(c.numbers), int(c.numbers.max())] for c in crystals]
        vectors = np.array(rows, dtype=np.float32).reshape(-1, 3)
        failures = np.array(["unknown_element" if row[2] == 92 else "" for row in rows], dtype=object)
        vectors[failures != ""] = np.nan
        return Embedded(vectors, failures)


def uranium() -> Crystals:
    return Crystals.build([[92]], [[[0.0, 0.0, 0.0]]], [2.8 * np.eye(3)])
