"""What a model can be asked for: cells no larger than those that it was trained on, of elements that these had."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set

import numpy as np

from nucleate.elements import MAX_NUMBER, SYMBOLS, formula_from_numbers
from nucleate.errors import UserError
from nucleate.models.generator import Generator

TOO_MANY_ATOMS = "too_many_atoms"
"""Reason of a cell with more atoms than any training crystal of the model."""

UNSEEN_ELEMENT = "unseen_element"
"""Reason of a cell with an element that no training crystal of the model has."""


def check_fits(compositions: Sequence[np.ndarray], max_atoms: int, elements: Set[int] = frozenset()) -> None:
    """Refuses what a model cannot make.

    Args:
        compositions: atomic numbers of each cell.
        max_atoms: of the largest cell that the model was trained on.
        elements: atomic numbers of the elements that the model was trained on; empty where that is not known.

    Raises:
        UserError: a cell is larger, or holds an element that the model has not seen; the line names all of these.
    """
    for numbers in compositions:
        if len(numbers) > max_atoms:
            formula = formula_from_numbers(numbers)
            raise UserError(f"{formula} has {len(numbers)} atoms; the model was trained on cells of up to {max_atoms}")
    asked = sorted({int(z) for numbers in compositions for z in numbers})
    unseen = [z for z in asked if z not in elements] if elements else []
    if unseen:
        raise UserError(
            f"{named(unseen)}: the model was trained on crystals without {'it' if len(unseen) == 1 else 'them'}"
        )
    if asked and asked[-1] > MAX_NUMBER:
        raise UserError(f"{SYMBOLS[asked[-1]]} is beyond the elements that models know")


def check_all_fit(generator: Generator, compositions: Sequence[np.ndarray]) -> None:
    """Refuses compositions that the model cannot make, as `check_fits` does.

    Raises:
        UserError: a cell is larger than those that the model was trained on, or holds an element that these had not.
    """
    check_fits(compositions, generator.max_atoms, generator.known_elements)


def check_some_fit(generator: Generator, compositions: Sequence[np.ndarray]) -> np.ndarray:
    """Reasons as of `unfit_reasons`, where at least one composition is free of one.

    Raises:
        UserError: the model can make none of the compositions; the line is about the first, or names the elements.
    """
    reasons = unfit_reasons(generator, compositions)
    if len(reasons) and (reasons != "").all():
        check_all_fit(generator, compositions)
    return reasons


def unfit_reasons(generator: Generator, compositions: Sequence[np.ndarray]) -> np.ndarray:
    """Why the model cannot make each composition, the empty string if it can, shape (C,), dtype object."""
    limits = generator.max_atoms, generator.known_elements or frozenset(range(1, MAX_NUMBER + 1))
    reasons = np.full(len(compositions), "", dtype=object)
    for row, numbers in enumerate(compositions):
        if len(numbers) > limits[0]:
            reasons[row] = TOO_MANY_ATOMS
        elif not limits[1].issuperset(numbers.tolist()):
            reasons[row] = UNSEEN_ELEMENT
    return reasons


def named(elements: Iterable[int]) -> str:
    """Symbols of elements as in a sentence, such as `Ar, Po and At`."""
    symbols = [SYMBOLS[z] for z in elements]
    return " and ".join(filter(None, (", ".join(symbols[:-1]), symbols[-1])))
