"""Some libraries are optional; whoever lacks one that is asked for is told what to install."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from nucleate.errors import UserError

LIBRARIES = ("pymatgen", "ase", "gemmi", "zstandard")
"""What structure files are read with."""

LANGUAGE_LIBRARIES = ("transformers", "peft", "tokenizers", "huggingface_hub")
"""What pretrained language models are run with."""


@contextmanager
def files_extra() -> Iterator[None]:
    """Turns a missing library, imported in the block or in the function it decorates, into one clear line.

    Raises:
        UserError: with the command that installs them.
    """
    with extra("files", LIBRARIES):
        yield


@contextmanager
def llm_extra() -> Iterator[None]:
    """Does the same for transformers and PEFT."""
    with extra("llm", LANGUAGE_LIBRARIES):
        yield


@contextmanager
def evaluation_extra() -> Iterator[None]:
    """Does the same for moyopy."""
    with extra("evaluation", ("moyopy",)):
        yield


@contextmanager
def vllm_extra() -> Iterator[None]:
    """Does the same for vLLM."""
    with extra("vllm", ("vllm",)):
        yield


@contextmanager
def quiet_moyopy() -> Iterator[None]:
    """Keeps moyopy from logging that the operations it lists, which nobody asked for, are not all there are."""
    logger = logging.getLogger("moyo")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


@contextmanager
def extra(name: str, libraries: tuple[str, ...]) -> Iterator[None]:
    """Does the same for any libraries, and the extra of this package that brings them."""
    try:
        yield
    except ModuleNotFoundError as error:
        library = (error.name or "").split(".")[0]
        if library not in libraries:
            raise
        raise UserError(f"{library} is not installed; it comes with: pip install 'nucleate[{name}]'") from error
