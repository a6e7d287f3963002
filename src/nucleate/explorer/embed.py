"""What an embedding is, and which there are: each makes one vector of a crystal, whatever its size and its cell."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from nucleate.crystals import Crystals
from nucleate.errors import UserError


class Embedded(NamedTuple):
    """Vectors of C crystals.

    Attributes:
        vectors: (C, D); a row of NaN where there is none.
        failures: why there is none, the empty string where there is one, (C,), dtype object.
    """

    vectors: Float32[np.ndarray, "c d"]
    failures: np.ndarray


@runtime_checkable
class Embedding(Protocol):
    """Makes vectors of crystals, each by itself."""

    @property
    def label(self) -> str:
        """What people read."""
        ...

    @property
    def description(self) -> str:
        """Changes whenever the vector of some crystal does: release, weights, settings."""
        ...

    def embed(
        self, crystals: Crystals, *, jobs: int = 1, on_progress: Callable[[float], None] | None = None
    ) -> Embedded:
        """Makes the vectors.

        Args:
            crystals: that can be judged (see `nucleate.evaluation.failures.failure_reasons`).
            jobs: processes at most; nothing depends on it.
            on_progress: told the share done.

        Raises:
            UserError: a library that it needs is not installed.
        """
        ...


NAMES = ("chgnet", "fingerprint", "soap", "jmp")
"""Those that `find` knows; the first is the default."""


def find(name: str = NAMES[0], *, code: Path | None = None, checkpoint: Path | None = None) -> Embedding:
    """Prepares an embedding.

    Args:
        name: one of `NAMES`.
        code: for `jmp` the clone of facebookresearch/JMP.
        checkpoint: for `jmp` the file of its weights.

    Raises:
        UserError: there is no such embedding, or something that it needs is missing.
    """
    if name not in NAMES:
        raise UserError(f"unknown embedding {name!r}; there are {', '.join(NAMES)}")
    module = import_module(f"nucleate.explorer.embeddings.{name}")
    return module.make(code, checkpoint) if name == "jmp" else module.make()
