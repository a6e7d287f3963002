"""The user's clone of facebookresearch/JMP, of which only the network and the graphs are imported.

Its package for training asks for PyTorch Lightning and more, which a forward pass needs nothing of; so the modules here
are imported beside it. What they take of torch_scatter and torch_sparse, which need a compiler, `segments` does where
these are not installed; of torch_geometric a forward pass uses nothing at all.
"""

from __future__ import annotations

import io
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from functools import cache
from importlib import import_module, util
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np

from nucleate.errors import UserError
from nucleate.explorer.embeddings import segments

BACKBONE = Path("src/jmp/models/gemnet/backbone.py")

# Names that JMP imports from libraries it can do without here.
_NAMES: dict[str, dict[str, Any]] = {
    "torch_scatter": {
        "scatter": segments.scatter,
        "segment_coo": segments.segment_coo,
        "segment_csr": segments.segment_csr,
    },
    "torch_sparse": {"SparseTensor": segments.SparseTensor},
    "torch_geometric": {"__version__": "0"},
    "torch_geometric.data": {"Batch": object, "Data": object},
    "torch_geometric.data.batch": {"Batch": object},
    "torch_geometric.data.data": {"BaseData": object, "Data": object},
    "torch_geometric.nn": {"radius_graph": None},
    "torch_geometric.utils": {"sort_edge_index": None},
}


class Jmp:
    """What is used of the clone."""

    def __init__(self, config: Any, backbone: Any, graphs: Any) -> None:
        self._config, self._backbone, self._graphs = config, backbone, graphs

    def config(self, *, large: bool) -> Any:
        """Settings of JMP-L or JMP-S; without the head of forces, which the features of atoms do not pass."""
        config = self._config.BackboneConfig.large() if large else self._config.BackboneConfig.base()
        config.regress_forces = config.direct_forces = False
        return config

    def backbone(self, config: Any) -> Any:
        """GemNet-OC with random weights."""
        # It prints the settings that it passes over, and was written when NumPy still had `math`.
        with redirect_stdout(io.StringIO()), patch.object(np, "math", math, create=True):
            return self._backbone.GemNetOCBackbone(config, **dict(config))

    def graphs(self, data: Any, cutoff: float, neighbours: int) -> dict[str, dict[str, Any]]:
        """Graphs of periodic crystals: for messages, triplets, quadruplets, and pairs of atoms."""
        return self._graphs.generate_graphs(
            data,
            cutoffs=self._graphs.Cutoffs.from_constant(cutoff),
            max_neighbors=self._graphs.MaxNeighbors.from_goc_base_proportions(neighbours),
            pbc=True,
        )


@cache
def load_code(folder: Path) -> Jmp:
    """Imports the network and the graphs.

    Raises:
        UserError: the folder is no clone of JMP, or a library that these need is not installed.
    """
    if not (folder / BACKBONE).is_file():
        raise UserError(f"{folder} is no clone of facebookresearch/JMP: there is no {BACKBONE}")
    with _importable(folder / "src"):
        try:
            names = "models.gemnet.config", "models.gemnet.backbone", "utils.goc_graph"
            return Jmp(*(import_module(f"jmp.{name}") for name in names))
        except ModuleNotFoundError as error:
            raise UserError(f"{folder} needs {error.name}, which is not installed: pip install {error.name}") from error


@contextmanager
def _importable(source: Path) -> Iterator[None]:
    """Makes `jmp` and what it imports importable, and leaves nothing behind that others could take for a library."""
    missing = {name for name in ("torch_scatter", "torch_sparse", "torch_geometric") if util.find_spec(name) is None}
    stand_ins = {name: _module(name, **has) for name, has in _NAMES.items() if name.split(".")[0] in missing}
    sys.modules.update(stand_ins)
    sys.path.insert(0, str(source))
    try:
        # The package's own `__init__` is what asks for Lightning.
        light = sys.modules["jmp.lightning"] = _module("jmp.lightning", __path__=[str(source / "jmp" / "lightning")])
        config = import_module("jmp.lightning.config")
        vars(light).update(TypedConfig=config.TypedConfig, Field=config.Field)
        yield
    finally:
        sys.path.remove(str(source))
        for name in stand_ins:
            del sys.modules[name]


def _module(name: str, **has: Any) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(has)
    return module
