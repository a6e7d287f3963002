"""One card of a gallery: a stage for the cell, and what is known about the crystal."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from nucleate.crystals import Crystals
from nucleate.drawing.colours import colour
from nucleate.drawing.scene import why_not_drawn
from nucleate.elements import MASSES, MAX_NUMBER, SYMBOLS, formula_from_numbers, reduced_formula
from nucleate.geometry import lattice as lattices
from nucleate.report.sections import MISSING, format_value

_U_PER_CUBIC_ANGSTROM = 1.66053907  # in g/cm³
_SUPERCELL = (
    '<button type="button" class="supercell" aria-pressed="false" title="Show two cells along each axis">2×2×2</button>'
)


@dataclass(frozen=True)
class Card:
    """What a card says about a crystal.

    Attributes:
        index: row of the crystal in the gallery.
        numbers: atomic numbers.
        reason: why there is no picture; empty if there is one.
        rows: text by label.
        sort: what the cards can be ordered by: text or finite numbers, by label.
    """

    index: int
    numbers: list[int]
    reason: str
    rows: Mapping[str, str]
    sort: Mapping[str, float | str]

    @classmethod
    def of(cls, index: int, crystal: Crystals, details: Mapping[str, str]) -> Card:
        """Describes one crystal; `details` labels the `info` columns to be shown."""
        numbers, reason = crystal.numbers.tolist(), why_not_drawn(crystal)
        extra = {label: crystal.info[name][0] for name, label in details.items() if name in crystal.info}
        measured = {} if reason else _measures(crystal)
        rows = {} if reason else _cell_rows(crystal)
        rows |= {label: f"{value:.2f} {unit}" for (label, unit), value in measured.items()}
        rows |= {label: format_value(value) for label, value in extra.items()}
        if reason:
            rows = {label: text for label, text in rows.items() if text != MISSING}
        sort: dict[str, float | str] = {"Formula": reduced_formula(numbers)} if numbers else {}
        sort |= {label: value for (label, _), value in measured.items()}
        sort |= {label: float(value) for label, value in extra.items() if _is_finite(value)}
        return cls(index, numbers, reason, rows, sort)

    def html(self, link: str) -> str:
        """Renders the card; `link` leads to the CIF, or is empty."""
        formula, full = reduced_formula(self.numbers), formula_from_numbers(self.numbers)
        elements = sorted(set(self.numbers))
        text = " ".join([formula, full, *self.rows.values(), self.reason])
        name = f"{formula or 'crystal'}-{self.index + 1}.cif"
        download = f'<a href="{escape(link)}" download="{escape(name)}">CIF</a>' if link else ""
        return (
            f'<article class="card" data-index="{self.index}" data-text="{escape(text)}" '
            f'data-elements="{" ".join(SYMBOLS[z] for z in elements)}" data-sort="{escape(json.dumps(self.sort))}">'
            f"{self._stage(formula)}"
            f'<header><h3>{_subscripted(formula) or "No crystal"}</h3><span class="rank">{self.index + 1}</span>'
            f"</header>{self._subtitle(full)}{self._details()}"
            f"<footer>{''.join(swatch(z) for z in elements)}"
            f"<span>{'' if self.reason else _SUPERCELL}{download}</span></footer></article>"
        )

    def _stage(self, formula: str) -> str:
        if self.reason:
            return f'<div class="stage failed"><p><b>No picture</b>{escape(self.reason)}</p></div>'
        return (
            f'<div class="stage"><canvas tabindex="0" role="img" aria-label="Unit cell of {escape(formula)}, number '
            f'{self.index + 1}. Drag or use the arrow keys to turn it, plus and minus to zoom, 0 to reset."></canvas>'
            '<span class="tip" hidden></span></div>'
        )

    def _subtitle(self, full_formula: str) -> str:
        count = len(self.numbers)
        atoms = f"{count} atom{'s' if count != 1 else ''}"
        return f'<p class="sub">{_subscripted(full_formula)} · {atoms}</p>' if count else ""

    def _details(self) -> str:
        rows = (f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>" for name, text in self.rows.items())
        return f"<dl>{''.join(rows)}</dl>" if self.rows else ""


def swatch(z: int) -> str:
    """The symbol of an element beside a dot in its colour."""
    return f'<span class="element"><i style="background:{colour(z)}"></i>{SYMBOLS[z]}</span>'


def _cell_rows(crystal: Crystals) -> dict[str, str]:
    lengths, angles = lattices.parameters(crystal.lattice.double())
    return {
        "a, b, c": "  ".join(f"{value:.3f}" for value in lengths[0].tolist()) + " Å",
        "α, β, γ": "  ".join(f"{value:.1f}°" for value in angles[0].tolist()),
    }


def _measures(crystal: Crystals) -> dict[tuple[str, str], float]:
    """Numbers of a crystal by label and unit. Elements beyond fermium have no density."""
    volume = float(lattices.volume(crystal.lattice.double())[0])
    numbers = crystal.numbers.tolist()
    measured = {("Volume per atom", "Å³"): volume / len(numbers)}
    if max(numbers) <= MAX_NUMBER:
        measured["Density", "g/cm³"] = sum(MASSES[z] for z in numbers) * _U_PER_CUBIC_ANGSTROM / volume
    return measured


def _is_finite(value: Any) -> bool:
    return isinstance(value, (int, float, np.number)) and bool(np.isfinite(value))


def _subscripted(formula: str) -> str:
    return re.sub(r"(\d+)", r"<sub>\1</sub>", escape(formula))
