"""Weights as one safetensors file that carries its own configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from nucleate import __version__
from nucleate.errors import UserError
from nucleate.models.generator import Generator
from nucleate.models.registry import family
from nucleate.models.saving import save_tensors

FORMAT = 1
"""Version of the layout of a weights file. A newer one is refused."""


def save_weights(
    generator: Generator, path: Path, notes: Mapping[str, Any] | None = None, dtype: torch.dtype | None = None
) -> None:
    """Writes the weights, beside and renamed.

    Args:
        generator: the model.
        path: ends in `.safetensors`.
        notes: anything worth keeping with it (data, steps, measured numbers), in JSON types.
        dtype: storage of floating-point weights, such as bfloat16 to halve the file; unchanged by default.

    Raises:
        UserError: the file cannot be written, as on a full disk.
    """
    header = {
        "format": FORMAT,
        "version": __version__,
        "family": generator.family,
        "config": asdict(generator.config),
        "notes": dict(notes or {}),
    }
    tensors = {name: _stored(name, value, dtype) for name, value in generator.state_dict().items()}
    save_tensors(tensors, path, {"nucleate": json.dumps(header)})


def _stored(name: str, value: torch.Tensor, dtype: torch.dtype | None) -> torch.Tensor:
    weight = ".network." in f".{name}" and value.is_floating_point()
    return value.detach().cpu().to(dtype if dtype is not None and weight else value.dtype).contiguous()


def read_header(path: Path) -> dict[str, Any]:
    """Reads what a weights file says of itself, without the weights.

    Raises:
        UserError: the file is missing, truncated, not a weights file of Nucleate, or of a newer format.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except FileNotFoundError as error:
        raise UserError(f"no weights at {path}") from error
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path} is truncated or not a safetensors file ({error})") from error
    if "nucleate" not in metadata:
        raise UserError(f"{path} was not written by Nucleate")
    try:
        header = json.loads(metadata["nucleate"])
        newer = header["format"] > FORMAT
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} has a damaged header") from error
    if newer:
        raise UserError(f"{path} has format {header['format']}, newer than this version of Nucleate reads ({FORMAT})")
    return header


def load_weights(path: Path, *, expect_family: str | None = None) -> Generator:
    """Builds the model that a weights file describes, ready for sampling.

    Args:
        path: the file.
        expect_family: refuses a checkpoint of another family.

    Raises:
        UserError: the file cannot be used; the line says why.
    """
    header = read_header(path)
    if expect_family is not None and header["family"] != expect_family:
        raise UserError(f"{path} holds a {header['family']} model, not {expect_family}")
    try:
        generator = family(header["family"]).from_config(header["config"])
        with safe_open(path, framework="pt") as file:
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        own = generator.state_dict()
        generator.load_state_dict({n: v.to(own[n].dtype) if n in own else v for n, v in state.items()})
    except (SafetensorError, RuntimeError, ValueError, TypeError, KeyError) as error:
        raise UserError(f"{path} does not fit its own description: {str(error).splitlines()[0]}") from error
    return generator.eval()
