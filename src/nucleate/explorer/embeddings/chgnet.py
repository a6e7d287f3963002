"""CHGNet's vector of a crystal (Deng et al. 2023, Nat. Mach. Intell. 5, 1031), with the weights that its wheel carries.

It is the mean over the atoms of what the network reads the energy from, 64 numbers: `crystal_fea` of CHGNet itself,
which is the sum, divided by the number of atoms, so that a supercell has the vector of its cell.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float32

from nucleate.crystals import Crystals
from nucleate.explorer.embed import Embedded
from nucleate.explorer.embeddings.chgnet_features import crystal_features
from nucleate.explorer.embeddings.chgnet_graph import bond_graph
from nucleate.explorer.embeddings.refusals import ISOLATED, number_density, refused
from nucleate.explorer.extras import explore_extra
from nucleate.parallel import map_in_order

if TYPE_CHECKING:
    from chgnet.model.model import CHGNet

WEIGHTS = "0.3.0"
"""The newest that were trained on relaxations of the Materials Project."""

WIDTH = 64
MAX_NUMBER = 94
"""CHGNet knows the elements up to plutonium."""

LOAD = 12_000
"""Angles and bonds, as expected from the density, of crystals that go through the network together: their features
stay in a core's cache."""

VERSION = 1
"""Raised whenever the vector of some crystal changes."""


@dataclass(frozen=True)
class ChgnetEmbedding:
    """See above.

    A crystal that is too dense, that has an element CHGNet does not know, or an atom with no other within 6 Å, has no
    vector.
    """

    @property
    def label(self) -> str:
        """What people read."""
        return f"CHGNet {WEIGHTS}"

    @property
    def description(self) -> str:
        """Release, weights, and ours."""
        return f"chgnet {metadata.version('chgnet')} weights {WEIGHTS} mean v{VERSION}"

    def embed(
        self, crystals: Crystals, *, jobs: int = 1, on_progress: Callable[[float], None] | None = None
    ) -> Embedded:
        """Makes the vectors, about 150 a second on a core."""
        failures = refused(crystals, MAX_NUMBER)
        vectors = np.full((len(crystals), WIDTH), np.nan, dtype=np.float32)
        rows = np.flatnonzero(failures == "")
        with one_thread():
            parts = _batches(crystals[rows])
            found = map_in_order(_vectors, parts, weights=[len(p) for p in parts], jobs=jobs, on_progress=on_progress)
        vectors[rows] = np.concatenate([vectors[:0], *found])
        failures[np.isnan(vectors[:, 0]) & (failures == "")] = ISOLATED
        return Embedded(vectors, failures)


def make() -> ChgnetEmbedding:
    """Prepares the embedding.

    Raises:
        UserError: CHGNet is not installed.
    """
    with explore_extra():
        import chgnet  # noqa: F401
    return ChgnetEmbedding()


@contextmanager
def one_thread() -> Iterator[None]:
    """Keeps PyTorch to one thread: more do not pay on tensors that fit a core's cache."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _batches(crystals: Crystals) -> list[Crystals]:
    """Cuts into batches of about the same work, in order, and so that they do not depend on the number of processes."""
    density = number_density(crystals)
    # The number of neighbours within 3 and 6 Å; each pair of the former makes an angle.
    near, far = 4 / 3 * np.pi * 3**3 * density, 4 / 3 * np.pi * 6**3 * density
    work = crystals.counts.numpy() * (near**2 + far)
    which = (np.cumsum(work) - work) // LOAD
    return [crystals[np.flatnonzero(which == part)] for part in np.unique(which)]


def _vectors(crystals: Crystals) -> Float32[np.ndarray, "c 64"]:
    """Vectors of a few crystals; a row of NaN for one with an isolated atom."""
    crystals = crystals.to(dtype=torch.float64)
    with torch.inference_mode():
        graph = bond_graph(crystals)
        vectors = crystal_features(_model(), graph, crystals)
        linked = torch.zeros(len(crystals.numbers), dtype=torch.bool).index_fill_(0, graph.centre, True)
        vectors[crystals.owner[~linked].unique()] = torch.nan
    return vectors.numpy()


@cache
def _model() -> CHGNet:
    from chgnet.model.model import CHGNet

    with redirect_stdout(io.StringIO()):  # it says how many parameters it has
        return CHGNet.load(model_name=WEIGHTS, use_device="cpu", verbose=False).eval()
