"""Which element belongs where one was hidden: every candidate is tried, and the model says how well it fits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float, Int

from nucleate.crystals import Crystals
from nucleate.errors import UserError
from nucleate.models.crystal_llm.model import CrystalLLM
from nucleate.models.generator import Generator
from nucleate.models.precision import autocast

DOCUMENTS_PER_BATCH = 1024
"""Documents that are read at once."""


def with_language(generator: Generator) -> CrystalLLM:
    """Returns the model if it is a language model.

    Raises:
        UserError: it is not.
    """
    if not isinstance(generator, CrystalLLM):
        raise UserError(f"{generator.family} does not fill in elements; crystal-llm does")
    return generator


@torch.no_grad()
def rank_elements(
    model: CrystalLLM,
    crystals: Crystals,
    masked: Sequence[int],
    *,
    on_progress: Callable[[float], None] | None = None,
) -> Float[np.ndarray, "c z"]:
    """Logarithm of the probability of each element in the place of the hidden one.

    Args:
        model: a language model.
        crystals: that were built. The hidden element is not looked at: neither its name nor what it is in the order of.
        masked: atomic number of the element that is hidden, for each crystal.
        on_progress: called with the share done.

    Returns:
        By crystal and atomic number, as the language weighs it, normalised over the candidates; −∞ for elements that
        the model does not know and for those that the crystal has elsewhere.

    Raises:
        UserError: a crystal does not have the element that is to be hidden.
    """
    rows, candidates = _candidates(model, crystals, masked)
    device = next(model.parameters()).device
    block = crystals.to(dtype=torch.float32).padded()._replace(labels=model.describe(crystals)).to(device)
    hidden = torch.tensor(list(masked), device=device)
    found = torch.full((len(crystals), len(model.elements)), -torch.inf)
    for start in range(0, len(rows), DOCUMENTS_PER_BATCH):
        part = slice(start, start + DOCUMENTS_PER_BATCH)
        row, element = torch.from_numpy(rows[part]).to(device), torch.from_numpy(candidates[part]).to(device)
        documents = model.language.fillings(block.take(row), hidden[row], element)
        with autocast(device):
            found[rows[part], candidates[part]] = model.log_probability(documents).cpu()
        if on_progress is not None:
            on_progress(min(1.0, part.stop / len(rows)))
    return found.log_softmax(1).numpy()


def _candidates(
    model: CrystalLLM, crystals: Crystals, masked: Sequence[int]
) -> tuple[Int[np.ndarray, " k"], Int[np.ndarray, " k"]]:
    """Rows and elements to try there."""
    known = model.elements.cpu().numpy()
    rows, elements = [], []
    for row, (numbers, hidden) in enumerate(zip(crystals.numbers_of_each(), masked, strict=True)):
        if hidden not in numbers:
            raise UserError(f"crystal {row} has no element {hidden} that could be hidden")
        others = set(numbers.tolist()) - {int(hidden)}
        possible = [z for z in np.flatnonzero(known).tolist() if z not in others]
        rows += [row] * len(possible)
        elements += possible
    return np.array(rows, dtype=np.int64), np.array(elements, dtype=np.int64)


def filled(crystals: Crystals, masked: Sequence[int], elements: Sequence[int]) -> Crystals:
    """The crystals with other elements in the places of the hidden ones; nothing else changes."""
    hidden = torch.repeat_interleave(torch.tensor(list(masked)), crystals.counts)
    chosen = torch.repeat_interleave(torch.tensor(list(elements)), crystals.counts)
    numbers = torch.where(crystals.numbers == hidden, chosen, crystals.numbers.long())
    return replace(crystals, numbers=numbers.to(crystals.numbers.dtype))
