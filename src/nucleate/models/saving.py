"""What torch and safetensors raise when a disk is full, as the error of the operating system that it was."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from nucleate.files.atomic import replacing


def save_tensors(tensors: Mapping[str, torch.Tensor], path: Path, metadata: Mapping[str, str] | None = None) -> None:
    """Writes a safetensors file beside its place and renames it.

    Raises:
        UserError: it cannot be written, as on a full disk; the file that was there before is still there.
    """
    with replacing(path) as temporary, _as_os_error():
        save_file(dict(tensors), temporary, dict(metadata) if metadata is not None else None)


def save_state(state: Mapping[str, Any], path: Path) -> None:
    """Writes what `torch.load` reads with `weights_only`, beside its place, and renames it.

    Raises:
        UserError: it cannot be written, as on a full disk; the file that was there before is still there.
    """
    # Through Python's file, which says why it could not write; torch's own says only that it is not where it should be.
    with replacing(path) as temporary, _as_os_error(), temporary.open("wb") as file:
        torch.save(dict(state), file)


@contextmanager
def _as_os_error() -> Iterator[None]:
    """Raises the error of the operating system that stands behind another one, if there is one."""
    try:
        yield
    except (RuntimeError, SafetensorError) as error:
        behind = _behind(error)
        if behind is None:
            raise
        raise behind from error


def _behind(error: BaseException) -> OSError | None:
    """What an error came from: torch raises its own while it handles it, safetensors writes its number in the line."""
    if found := re.search(r"\(os error (\d+)\)", str(error)):
        number = int(found[1])
        return OSError(number, os.strerror(number))
    context: BaseException | None = error
    while context is not None and not isinstance(context, OSError):
        context = context.__cause__ or context.__context__
    return context
