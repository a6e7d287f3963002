"""Structures per second of training: the published code of CDVAE beside ours, on the same crystals.

    python -m benchmarks.published_cdvae --code CLONE --data mp-20:train --spread 52

`--code` is your clone of github.com/txie-93/cdvae. It runs as it is, with its own configuration for MP-20 and in
single precision, in batches of 64: forward, backward, clipping, Adam. Its graphs of the encoder (CrystalNN) are made
beforehand, as its preprocessing does. Each has a process of its own, and they take turns.

Beside our packages it needs torch_geometric, pytorch_lightning, hydra-core, python-dotenv and p_tqdm; `stand_ins.py`
takes the place of torch_scatter and torch_sparse if they are not installed.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from benchmarks import stand_ins
from benchmarks.side_by_side import Contender, Elsewhere, arguments, compare, cut, take_crystals
from benchmarks.training import Training
from nucleate.crystals import Crystals, Padded
from nucleate.files import to_structures

if TYPE_CHECKING:
    from collections.abc import Iterator

CLIP = 0.5
"""By value, as its conf/train says."""


class Published(Contender):
    """Trains the published model on all batches at each call."""

    def __init__(self, code: Path, crystals: list[Padded], batch: int) -> None:
        with _importable(code):
            self.model, graphs = _build(code, crystals)
            self.optimizer = self.model.configure_optimizers()["optimizer"]
            order = np.random.default_rng(0).permutation(len(graphs))
            self.batches = [
                _collate([graphs[row] for row in order[start : start + batch]]) for start in range(0, len(order), batch)
            ]

    def __call__(self) -> None:
        for i, batch in enumerate(self.batches):
            self.optimizer.zero_grad()
            self.model.training_step(batch, i).backward()
            nn.utils.clip_grad_value_(self.model.parameters(), CLIP)
            self.optimizer.step()


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--code", type=Path, required=True, help="clone of the published code")
    parser.add_argument("--published-batch", type=int, default=64, help="crystals per batch of the published code")
    parser.set_defaults(networks=["cdvae-paper", "cdvae-small"], batches=2)
    args = parser.parse_args()
    if not (args.code / "cdvae" / "pl_modules").is_dir():
        parser.exit(message=f"{args.code} has no cdvae/pl_modules; nothing is measured\n")
    torch.set_num_threads(args.threads)
    data = take_crystals(args)
    batches = cut(data, args.batch, args.spread)
    code = args.code.resolve()
    runs = {"published": Elsewhere(Published, code, batches, args.published_batch)}
    runs |= {name: Elsewhere(Training, name, batches, data) for name in args.networks}
    args.code = str(code)
    compare("training", "structure", runs, args.batch * args.batches, args)


@contextmanager
def _importable(code: Path) -> Iterator[None]:
    """Its modules can be imported: on importing them it reads variables of the environment and changes the folder."""
    folder = Path.cwd()
    sys.path.insert(0, str(code))
    os.environ["PROJECT_ROOT"] = str(code)
    os.environ.setdefault("HYDRA_JOBS", "")
    os.environ.setdefault("WABDB_DIR", "")
    stand_ins.install()
    try:
        yield
    finally:
        os.chdir(folder)


def _build(code: Path, crystals: list[Padded]) -> tuple[Any, list[dict[str, Any]]]:
    """The model after its own configuration, with scalers, and a graph of each crystal."""
    from cdvae.common import data_utils
    from hydra import compose, initialize_config_dir
    from hydra.utils import instantiate

    with initialize_config_dir(str(code / "conf"), version_base="1.1"):
        config = compose("default", overrides=["data=mp_20"])
    settings = {"optim": config.optim, "data": config.data, "logging": config.logging}
    model = instantiate(config.model, **settings, _recursive_=False).train()
    graphs = [{"graph_arrays": _graph(structure, data_utils)} for part in crystals for structure in _structures(part)]
    data_utils.add_scaled_lattice_prop(graphs, config.data.lattice_scale_method)
    model.lattice_scaler = data_utils.get_scaler_from_data_list(graphs, key="scaled_lattice")
    return model, graphs


def _structures(crystals: Padded) -> list[Any]:
    mask = crystals.mask
    return to_structures(
        Crystals.build(
            [numbers[there].numpy() for numbers, there in zip(crystals.numbers, mask, strict=True)],
            [frac[there].numpy() for frac, there in zip(crystals.frac.double(), mask, strict=True)],
            crystals.lattice.double(),
        )
    )


def _graph(structure: Any, data_utils: ModuleType) -> Any:
    """As its preprocessing makes it, with the cell along its axes and CrystalNN's bonds."""
    from pymatgen.analysis.graphs import StructureGraph
    from pymatgen.core import Lattice, Structure

    if not hasattr(StructureGraph, "with_local_env_strategy"):  # its name in the pymatgen of 2020
        StructureGraph.with_local_env_strategy = StructureGraph.from_local_env_strategy
    lattice = Lattice.from_parameters(*structure.lattice.parameters)
    return data_utils.build_crystal_graph(Structure(lattice, structure.species, structure.frac_coords))


def _collate(graphs: list[dict[str, Any]]) -> Any:
    """One batch, with the names that its model reads."""
    from torch_geometric.data import Batch, Data

    parts = []
    for graph in graphs:
        frac, numbers, lengths, angles, edges, images, count = graph["graph_arrays"]
        parts.append(
            Data(
                frac_coords=torch.tensor(frac, dtype=torch.float32),
                atom_types=torch.tensor(numbers),
                lengths=torch.tensor(lengths, dtype=torch.float32)[None],
                angles=torch.tensor(angles, dtype=torch.float32)[None],
                edge_index=torch.tensor(edges.T).contiguous(),
                to_jimages=torch.tensor(images),
                num_atoms=count,
                num_bonds=len(edges),
                num_nodes=count,
            )
        )
    return Batch.from_data_list(parts)


if __name__ == "__main__":
    main()
