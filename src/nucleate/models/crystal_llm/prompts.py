"""What a language model is asked, in words, and the examples that it learns from.

There are two tasks, those of Gruver et al. (2024, section 4). Generation: a crystal is to be written, about which
anything from nothing to its formula, space group, energy and band gap is said. Infilling: all atoms of one element of a
crystal are hidden, and the answer is the element. The wording is our own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from nucleate.crystals import Crystals
from nucleate.elements import SYMBOLS, formula_from_numbers
from nucleate.geometry.space_group_symbols import SYMBOLS as GROUPS
from nucleate.models.crystal_llm.language import Wish
from nucleate.models.crystal_llm.text import MASK, TextFormat, write


@dataclass(frozen=True, kw_only=True)
class TasksConfig:
    """How the examples of training are drawn.

    Attributes:
        infill: share of infilling.
        unconditional: share of the other examples about which nothing is said.
        formula: in what is left, how often the formula is said; the next four likewise, each where it is known.
        num_atoms: number of atoms, which goes without saying where the formula is said.
        space_group: symbol and number.
        e_above_hull: energy above the convex hull.
        band_gap: band gap.
    """

    infill: float = 1 / 3
    unconditional: float = 0.3
    formula: float = 0.5
    num_atoms: float = 0.5
    space_group: float = 0.4
    e_above_hull: float = 0.4
    band_gap: float = 0.4


class Example(NamedTuple):
    """A question and its answer."""

    prompt: str
    answer: str


_TASK = (
    "Write the unit cell of a crystal: its edges a b c in angstrom, its angles alpha beta gamma in degrees, then for "
    "every atom one line with the element and one with the fractional coordinates.\n"
)
_INFILL = f"One element of this crystal was replaced by {MASK} wherever it stands. Which element is it?\n"


def generation_prompt(wish: Wish) -> str:
    """Asks for a crystal, and says of it what the wish says. The answer is the text of the crystal.

    Args:
        wish: anything may be open, and everything is where nothing is asked for.

    Raises:
        ValueError: the space group is none, or a number is not finite.
    """
    lines = []
    if wish.numbers is not None:
        lines.append(f"Formula of the unit cell: {formula_from_numbers(wish.numbers)}")
    elif wish.num_atoms is not None:
        lines.append(f"Number of atoms: {wish.num_atoms}")
    if wish.space_group is not None:
        if not 0 < wish.space_group < len(GROUPS):
            raise ValueError(f"there is no space group {wish.space_group}")
        lines.append(f"Space group: {GROUPS[wish.space_group]} (number {wish.space_group})")
    if wish.e_above_hull is not None:
        lines.append(f"Energy above the hull: {_decimal(wish.e_above_hull, 3)} eV per atom")
    if wish.band_gap is not None:
        lines.append(f"Band gap: {_decimal(wish.band_gap, 2)} eV")
    return _TASK + "".join(f"{line}\n" for line in lines) + "Crystal:\n"


def infill_prompt(text: str) -> str:
    """Asks for the element that `MASK` stands for in the text of a crystal. The answer is its symbol."""
    return f"{_INFILL}{text}\nElement:\n"


def infill_prompts(crystals: Crystals, hidden: Sequence[int], form: TextFormat | None = None) -> list[str]:
    """Asks, for each crystal, for the element that is hidden.

    Args:
        crystals: that were built.
        hidden: the atomic number, one a crystal.
        form: decimals.

    Raises:
        ValueError: a crystal does not have the element.
    """
    for row, (numbers, number) in enumerate(zip(crystals.numbers_of_each(), hidden, strict=True)):
        if number not in numbers:
            raise ValueError(f"crystal {row} has no {SYMBOLS[number]} to be hidden")
    return [infill_prompt(text) for text in write(crystals, form, hidden=hidden)]


def draw_examples(
    crystals: Crystals,
    labels: Float[Tensor, "c p"] | None,
    tasks: TasksConfig,
    form: TextFormat,
    rng: torch.Generator,
) -> list[Example]:
    """Draws a task for each crystal, and what is said of it.

    Args:
        crystals: that were built.
        labels: what is known beside them, as `nucleate.models.crystal_llm.language.LABELS` says, NaN where it is not.
        tasks: shares.
        form: decimals.
        rng: random state.
    """
    known = torch.full((len(crystals), 3), torch.nan) if labels is None else labels
    chances = torch.rand(len(crystals), 8, generator=rng, device=rng.device, dtype=torch.float64).tolist()
    elements = [np.unique(numbers).tolist() for numbers in crystals.numbers_of_each()]
    hidden = [
        present[int(u[1] * len(present))] if u[0] < tasks.infill else 0
        for present, u in zip(elements, chances, strict=True)
    ]
    texts = write(crystals, form, hidden=hidden)
    examples = []
    rows = zip(texts, hidden, crystals.numbers_of_each(), known.tolist(), chances, strict=True)
    for text, number, numbers, row, chance in rows:
        if number:
            examples.append(Example(infill_prompt(text), SYMBOLS[number]))
        else:
            wish = _drawn(tuple(numbers.tolist()), row, tasks, chance[2:])
            examples.append(Example(generation_prompt(wish), text))
    return examples


def _drawn(numbers: tuple[int, ...], labels: list[float], tasks: TasksConfig, chance: list[float]) -> Wish:
    """What is said of a crystal."""
    if chance[0] < tasks.unconditional:
        return Wish()
    group, hull, gap = (None if math.isnan(value) else value for value in labels)
    return Wish(
        numbers=numbers if chance[1] < tasks.formula else None,
        num_atoms=len(numbers) if chance[2] < tasks.num_atoms else None,
        space_group=int(group) if group is not None and chance[3] < tasks.space_group else None,
        e_above_hull=hull if chance[4] < tasks.e_above_hull else None,
        band_gap=gap if chance[5] < tasks.band_gap else None,
    )


def _decimal(value: float, decimals: int) -> str:
    """A number without the sign of a zero.

    Raises:
        ValueError: it is not finite.
    """
    if not math.isfinite(value):
        raise ValueError(f"{value} cannot be asked for")
    return f"{round(value, decimals) + 0.0:.{decimals}f}"
