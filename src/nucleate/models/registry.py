"""Families by name. Modules are imported when a family is asked for."""

from __future__ import annotations

from importlib import import_module

from nucleate.errors import UserError
from nucleate.models.generator import Generator

FAMILIES: dict[str, tuple[str, str]] = {
    "cdvae": ("nucleate.models.cdvae", "CDVAE"),
    "crystal-llm": ("nucleate.models.crystal_llm", "CrystalLLM"),
    "flowllm": ("nucleate.models.flowllm", "FlowLLM"),
    "flowmm": ("nucleate.models.flowmm", "FlowMM"),
}
"""Family to the module and the class that implement it."""


def family(name: str) -> type[Generator]:
    """Returns the class of a family.

    Raises:
        UserError: there is no such family.
    """
    if name not in FAMILIES:
        raise UserError(f"unknown model {name!r}; there are {', '.join(FAMILIES)}")
    module, kind = FAMILIES[name]
    return getattr(import_module(module), kind)
