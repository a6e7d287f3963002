"""Crystals as plain text (Gruver et al. 2024, arXiv:2402.04379, figure 2), and what is done to them before.

    5.6 5.6 5.6
    90 90 90
    Na
    0.00 0.00 0.00
    Cl
    0.50 0.50 0.50

The first line holds the lengths a, b, c in Å, the second the angles α, β, γ in degrees; then each atom has a line with
its element and one with its fractional coordinates. `nucleate.models.crystal_llm.text_parsing` reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from nucleate.crystals import Crystals
from nucleate.elements import SYMBOLS
from nucleate.geometry import lattice as cells
from nucleate.geometry import torus

MASK = "[MASK]"
"""Stands for an element that is hidden. It is spelled as any other text, with whatever tokens there are."""


@dataclass(frozen=True, kw_only=True)
class TextFormat:
    """How finely numbers are written; the defaults are those of Gruver et al. (2024).

    Attributes:
        lengths: decimals of lengths in Å.
        angles: decimals of angles in degrees.
        coordinates: decimals of fractional coordinates.
    """

    lengths: int = 1
    angles: int = 0
    coordinates: int = 2


def write(crystals: Crystals, form: TextFormat | None = None, *, hidden: Sequence[int] | None = None) -> list[str]:
    """Writes crystals as text, atoms in their order.

    Lengths and angles do not say how a cell is oriented or handed: what is read back is the same crystal or its mirror
    image, but for rounding.

    Args:
        crystals: that were built.
        form: decimals; those of Gruver et al. by default.
        hidden: for each crystal the atomic number that is written as `MASK`, 0 for none.

    Raises:
        ValueError: a crystal has no atoms, or its cell is flat or not finite.
    """
    form = form or TextFormat()
    lengths, angles = cells.parameters(crystals.lattice.to(torch.float64))
    solid = cells.matrix(lengths, angles).isfinite().flatten(1).all(1) & (crystals.counts > 0)
    if not bool(solid.all()):
        raise ValueError(f"crystal {int((~solid).nonzero()[0])} cannot be written: it has no atoms or no solid cell")
    masks = [0] * len(crystals) if hidden is None else hidden
    rows = zip(
        lengths.tolist(), angles.tolist(), crystals.numbers_of_each(), crystals.frac_of_each(), masks, strict=True
    )
    return [_text(edges, corners, numbers, frac, mask, form) for edges, corners, numbers, frac, mask in rows]


def _text(
    lengths: list[float],
    angles: list[float],
    numbers: np.ndarray,
    frac: np.ndarray,
    mask: int,
    form: TextFormat,
) -> str:
    shortest = 10.0**-form.lengths
    lines = [
        " ".join(f"{max(length, shortest):.{form.lengths}f}" for length in lengths),
        " ".join(f"{angle:.{form.angles}f}" for angle in angles),
    ]
    units = 10**form.coordinates
    for number, place in zip(numbers.tolist(), frac.tolist(), strict=True):
        lines.append(MASK if mask and number == mask else SYMBOLS[number])
        # What would be rounded up to 1 is the same place as 0.
        lines.append(" ".join(f"{round(x * units) % units / units:.{form.coordinates}f}" for x in place))
    return "\n".join(lines)


def translated(crystals: Crystals, rng: torch.Generator) -> Crystals:
    """Moves the atoms of each crystal together by a random vector, which leaves it the same crystal."""
    shift = torch.rand(len(crystals), 3, generator=rng, device=rng.device, dtype=torch.float64)
    moved = crystals.frac + shift.to(crystals.frac)[crystals.owner]
    return replace(crystals, frac=torus.wrap(moved))


def shuffled(crystals: Crystals, rng: torch.Generator) -> Crystals:
    """Puts the atoms of each crystal in a random order."""
    keys = torch.rand(len(crystals.numbers), generator=rng, device=rng.device, dtype=torch.float64)
    order = keys.to(crystals.numbers.device).argsort()
    order = order[crystals.owner[order].argsort(stable=True)]
    return replace(crystals, numbers=crystals.numbers[order], frac=crystals.frac[order])
