"""Which element belongs where one was hidden: every candidate is tried, and the model says how well it fits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int

from nucleate.crystals import Crystals
from nucleate.elements import SYMBOLS
from nucleate.errors import UserError
from nucleate.evaluation.failures import tally
from nucleate.generation.limits import check_all_fit, check_fits, check_some_fit
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


@dataclass(frozen=True)
class Infilled:
    """Crystals with an element hidden and filled in.

    Attributes:
        crystals: `best` blocks of all crystals that were filled in, the most probable element first, with the columns
            `reference_index` (row among the crystals that were given), `rank`, `hidden`, `filled` (symbols) and
            `log_probability`.
        places: by crystal, how many elements were held more probable than the hidden one.
        left_out: by crystal that was given, why nothing was hidden in it; "" where something was.
    """

    crystals: Crystals
    places: Int[np.ndarray, " c"]
    left_out: np.ndarray


def infill(
    model: CrystalLLM,
    crystals: Crystals,
    element: int | None = None,
    *,
    best: int = 1,
    seed: int = 0,
    on_progress: Callable[[float], None] | None = None,
) -> Infilled:
    """Hides an element of each crystal, and fills in the most probable ones.

    Args:
        model: a language model.
        crystals: what to hide something in. Those that were not built, that the model cannot know (`too_many_atoms`,
            `unseen_element`) or that have not the element (`no_O`) are left out.
        element: atomic number of the element to hide; one of each crystal at random if None.
        best: crystals to make of each, the most probable element first.
        seed: fixes which elements are hidden at random.
        on_progress: called with the share done.

    Raises:
        UserError: nothing can be hidden in any crystal, or there are fewer than `best` candidates for one.
    """
    if element is not None:
        check_fits([np.array([element])], 1, model.known_elements)
    left_out = _left_out(model, crystals, element)
    rows = np.flatnonzero(left_out == "")
    if not len(rows):
        raise UserError(f"there is no crystal to hide an element in: {tally(left_out) or 'none is given'}")
    given = crystals[rows]
    hidden = _hidden(given, element, seed)
    fewest = min(map(len, _possible(model, given, hidden)))
    if not 1 <= best <= fewest:
        raise UserError(f"best {best}: there are {fewest} elements to fill in, so ask for 1 to {fewest}")
    scores = rank_elements(model, given, hidden.tolist(), on_progress=on_progress)
    order = np.argsort(-scores, axis=1, kind="stable")
    parts = [
        filled(given, hidden.tolist(), order[:, rank].tolist()).with_info(
            reference_index=rows,
            rank=np.full(len(given), rank),
            hidden=[SYMBOLS[z] for z in hidden],
            filled=[SYMBOLS[z] for z in order[:, rank]],
            log_probability=scores[np.arange(len(given)), order[:, rank]],
        )
        for rank in range(best)
    ]
    return Infilled(Crystals.concat(parts), (order == hidden[:, None]).argmax(1), left_out)


def _left_out(model: CrystalLLM, crystals: Crystals, element: int | None) -> np.ndarray:
    """Why nothing can be hidden in each crystal; "" where something can.

    Raises:
        UserError: the model knows no cell of such a size, or with such elements.
    """
    each = crystals.numbers_of_each()
    reasons = np.where(crystals.built, check_some_fit(model, each), crystals.failures).astype(object)
    if element is not None:
        without = np.array([element not in numbers for numbers in each], dtype=bool)
        reasons[without & (reasons == "")] = f"no_{SYMBOLS[element]}"
    return reasons


def _hidden(crystals: Crystals, element: int | None, seed: int) -> Int[np.ndarray, " c"]:
    """Atomic number of the element that is hidden in each crystal."""
    if element is not None:
        return np.full(len(crystals), element)
    rng = np.random.default_rng(seed)
    return np.array([rng.choice(np.unique(numbers)) for numbers in crystals.numbers_of_each()], dtype=np.int64)


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
        UserError: a crystal does not have the element that is to be hidden, has more atoms than any that the model was
            trained on, or elements that none of these had.
    """
    check_all_fit(model, crystals.numbers_of_each())
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
    possible = _possible(model, crystals, masked)
    rows = np.repeat(np.arange(len(crystals)), [len(elements) for elements in possible])
    return rows, np.concatenate(possible) if possible else np.zeros(0, dtype=np.int64)


def _possible(model: CrystalLLM, crystals: Crystals, masked: Sequence[int] | np.ndarray) -> list[np.ndarray]:
    """Elements to try in each crystal: all that the model knows but those that the crystal has elsewhere.

    Raises:
        UserError: a crystal does not have the element that is to be hidden.
    """
    known = np.array(sorted(model.known_elements), dtype=np.int64)
    found = []
    for row, (numbers, hidden) in enumerate(zip(crystals.numbers_of_each(), masked, strict=True)):
        if hidden not in numbers:
            raise UserError(f"crystal {row}, {crystals.formulas[row]}, has no {SYMBOLS[hidden]} that could be hidden")
        found.append(np.setdiff1d(known, numbers[numbers != hidden]))
    return found


def filled(crystals: Crystals, masked: Sequence[int], elements: Sequence[int]) -> Crystals:
    """The crystals with other elements in the places of the hidden ones; nothing else changes."""
    hidden = torch.repeat_interleave(torch.tensor(list(masked)), crystals.counts)
    chosen = torch.repeat_interleave(torch.tensor(list(elements)), crystals.counts)
    numbers = torch.where(crystals.numbers == hidden, chosen, crystals.numbers.long())
    return replace(crystals, numbers=numbers.to(crystals.numbers.dtype))
