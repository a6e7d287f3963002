"""The tensors of a checkpoint of JMP, and nothing else of it.

PyTorch Lightning pickles its checkpoints, with objects of classes that are not at hand, and a pickle may run anything.
So only what makes tensors, and plain containers, are made; everything else becomes a placeholder.
"""

from __future__ import annotations

import pickle
import re
from collections import OrderedDict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from nucleate.errors import UserError

_REBUILT = ("_rebuild_tensor_v2", "_rebuild_parameter", "_rebuild_parameter_with_state")
_NOT_AVERAGED = re.compile(r"rbf\.(offset|temps)$|scale_factor$|\.seq_energy_pre\.|^task_steps")


class _Placeholder:
    """Stands for an object of any class; takes what is done to it while it is unpickled."""

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def __setstate__(self, _: Any) -> None: ...

    def __setitem__(self, _: Any, __: Any) -> None: ...

    def append(self, _: Any) -> None:
        """Passes over an element."""

    def extend(self, _: Any) -> None:
        """Passes over elements."""


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        tensors = module == "torch._utils" and name in _REBUILT
        storages = module in ("torch", "torch.storage") and name.endswith("Storage")
        types = module == "torch" and isinstance(getattr(torch, name, None), torch.dtype)
        return super().find_class(module, name) if tensors or storages or types else _Placeholder


def load_weights(path: Path) -> dict[str, Tensor]:
    """Reads the weights, as averaged over training where the checkpoint has them so.

    Args:
        path: such as `jmp-s.pt`: a dictionary with `state_dict`, and in `optimizer_states` the averages `ema`, one for
            each weight in the order of the former, but for tables of radial functions and fitted scales.

    Raises:
        UserError: it is no checkpoint of JMP.
    """
    reader = SimpleNamespace(Unpickler=_Unpickler, load=pickle.load, __name__="pickle")
    try:
        found = torch.load(path, map_location="cpu", pickle_module=reader, weights_only=False)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, TypeError, KeyError) as error:
        raise UserError(f"{path} is no checkpoint of JMP: {str(error).splitlines()[0]}") from error
    weights = found.get("state_dict") if isinstance(found, dict) else None
    if not isinstance(weights, dict) or not any(name.startswith("backbone.int_blocks.") for name in weights):
        raise UserError(f"{path} is no checkpoint of JMP: it has no backbone.int_blocks")
    return {**weights, **_averages(found, weights, path)}


def _averages(found: dict[str, Any], weights: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    states = found.get("optimizer_states") or [{}]
    averages = states[0].get("ema") if isinstance(states[0], dict) else None
    if averages is None:
        return {}
    names = [name for name in weights if not _NOT_AVERAGED.search(name)]
    shapes = [weights[name].shape for name in names]
    if [average.shape for average in averages] != shapes:
        raise UserError(f"{path}: its {len(averages)} averages are not those of its {len(names)} weights")
    return dict(zip(names, averages, strict=True))
