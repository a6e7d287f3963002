"""JMP's vector of a crystal (Shoghi et al. 2024, ICLR): the mean over the atoms of what its energy head is given.

JMP is no package, and its licence (CC-BY-NC) is not ours: the code and the weights are the user's own. So the vectors
are made as in the founding study, by the code that was published with JMP-S and JMP-L: graphs of the 30 nearest
neighbours within 12 Å, GemNet-OC on them, and 256 numbers an atom, of which the mean is taken.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32

from nucleate.crystals import Crystals
from nucleate.elements import MAX_NUMBER
from nucleate.errors import UserError
from nucleate.explorer.embed import Embedded
from nucleate.explorer.embeddings.chgnet import one_thread
from nucleate.explorer.embeddings.jmp_code import Jmp, load_code
from nucleate.explorer.embeddings.jmp_weights import load_weights
from nucleate.explorer.embeddings.refusals import ISOLATED, refused
from nucleate.geometry.neighbours import neighbours
from nucleate.parallel import map_in_order

CUTOFF = 12.0
"""In Å."""

NEIGHBOURS = 30
"""Of an atom in the graph whose edges carry messages; the other graphs keep their proportions to it."""

BULK = 2
"""The tag of an atom that takes part in all interactions, as JMP gives it to those of materials."""

WIDTH = 256
BLOCKS_OF_LARGE = 6

VERSION = 1
"""Raised whenever the vector of some crystal changes."""

URL = "https://github.com/facebookresearch/JMP"


@dataclass(frozen=True)
class JmpEmbedding:
    """See above.

    Attributes:
        code: a clone of facebookresearch/JMP.
        checkpoint: the file of its weights.
        digest: SHA-256 of that file.
        size: "S" or "L".
    """

    code: Path
    checkpoint: Path
    digest: str
    size: str

    @property
    def label(self) -> str:
        """What people read."""
        return f"JMP-{self.size}"

    @property
    def description(self) -> str:
        """The weights, the graphs, and ours."""
        return f"jmp {self.digest} {CUTOFF:g} {NEIGHBOURS} v{VERSION}"

    def embed(
        self, crystals: Crystals, *, jobs: int = 1, on_progress: Callable[[float], None] | None = None
    ) -> Embedded:
        """Makes the vectors, one crystal at a time, on the GPU if there is one."""
        failures = refused(crystals, MAX_NUMBER)
        rows = np.flatnonzero(failures == "")
        work = partial(_vector, self.code, self.checkpoint)
        jobs = 1 if torch.cuda.is_available() else jobs
        vectors = np.full((len(crystals), WIDTH), np.nan, dtype=np.float32)
        with one_thread():
            found = map_in_order(
                work, list(crystals[rows]), weights=[100] * len(rows), jobs=jobs, on_progress=on_progress
            )
        if found:
            vectors[rows] = np.stack(found)
        failures[np.isnan(vectors[:, 0]) & (failures == "")] = ISOLATED
        return Embedded(vectors, failures)


def make(code: Path | None, checkpoint: Path | None) -> JmpEmbedding:
    """Loads the model, so that what is wrong with it comes to light before any work.

    Raises:
        UserError: there is no clone, no checkpoint, or they do not fit together.
    """
    if code is None:
        raise UserError(f"jmp needs a clone of {URL}: --jmp-code FOLDER")
    if checkpoint is None:
        raise UserError(f"jmp needs weights, jmp-s.pt or jmp-l.pt (see {URL}): --jmp-checkpoint FILE")
    if not checkpoint.is_file():
        raise UserError(f"{checkpoint}: there is no such checkpoint of JMP")
    large = _model(code, checkpoint).blocks == BLOCKS_OF_LARGE
    with checkpoint.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return JmpEmbedding(code, checkpoint, digest, "L" if large else "S")


class _Model:
    """Backbone and embedding of elements with their weights."""

    def __init__(self, jmp: Jmp, weights: dict[str, torch.Tensor], source: Path) -> None:
        self.jmp = jmp
        self.blocks = 1 + max(int(name.split(".")[2]) for name in weights if name.startswith("backbone.int_blocks."))
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        config = jmp.config(large=self.blocks == BLOCKS_OF_LARGE)
        self.backbone = jmp.backbone(config)
        self.elements = torch.nn.Embedding(config.num_elements, config.emb_size_atom)
        parts = (self.backbone, "backbone."), (self.elements, "embedding.atom_embedding.")
        for module, prefix in parts:
            own = {name.removeprefix(prefix): tensor for name, tensor in weights.items() if name.startswith(prefix)}
            try:
                missing, _ = module.load_state_dict(own, strict=False)
            except RuntimeError as error:
                raise UserError(f"{source}: these weights are of another size than JMP-S and JMP-L") from error
            if missing:
                raise UserError(f"{source}: {len(missing)} weights of JMP are missing, such as {prefix}{missing[0]}")
            module.to(self.device).eval()

    def vector(self, crystal: Crystals) -> Float32[np.ndarray, " 256"]:
        """Mean of the features of the atoms of one crystal."""
        data = self._data(crystal)
        features = self.backbone(data, h=self.elements(data.atomic_numbers - 1))["energy"]
        return features.mean(0).cpu().numpy()

    def _data(self, crystal: Crystals) -> Any:
        """The crystal as JMP reads it, with its graphs."""
        count = len(crystal.numbers)
        lattice = crystal.lattice.to(torch.float64)
        data = SimpleNamespace(
            pos=(crystal.frac.to(torch.float64) @ lattice[0]).to(torch.float32),
            cell=lattice.to(torch.float32),
            atomic_numbers=crystal.numbers.to(torch.int64),
            natoms=torch.tensor([count]),
            batch=torch.zeros(count, dtype=torch.int64),
            tags=torch.full((count,), BULK),
        )
        for name, value in vars(data).items():
            setattr(data, name, value.to(self.device))
        graphs = self.jmp.graphs(data, CUTOFF, NEIGHBOURS)
        for kind, graph in graphs.items():
            for name, value in graph.items():
                setattr(data, f"{kind}_{name}", value)
        return data


@cache
def _model(code: Path, checkpoint: Path) -> _Model:
    return _Model(load_code(code), load_weights(checkpoint), checkpoint)


def _vector(code: Path, checkpoint: Path, crystal: Crystals) -> Float32[np.ndarray, " 256"]:
    """The vector of one crystal; NaN if an atom is alone."""
    crystal = crystal.niggli()
    found = neighbours(crystal.frac, crystal.lattice, crystal.counts, CUTOFF)
    if len(found.source.unique()) < len(crystal.numbers):
        return np.full(WIDTH, np.nan, dtype=np.float32)
    with torch.inference_mode():
        return _model(code, checkpoint).vector(crystal)
