"""The gallery of a page: one card a crystal with a cell that can be turned, its numbers, and its CIF."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import quote

import numpy as np

from nucleate.crystals import Crystals
from nucleate.drawing.colours import ball_radius, colour
from nucleate.drawing.html import json_for_html
from nucleate.drawing.raster import view_matrix
from nucleate.drawing.scene import BOUNDARY, bond_limits, upright, why_not_drawn
from nucleate.elements import SYMBOLS
from nucleate.errors import UserError
from nucleate.files.cif import texts
from nucleate.report.card import Card

DETAILS = {"score": "Score", "space_group": "Space group"}
"""Columns of `info` that a card shows if they are there, with their labels."""

_DIGITS = 5  # of coordinates and lattices: 0.00001 of a cell is far below a pixel


@dataclass(frozen=True)
class Gallery:
    """Cards of crystals that can be filtered by formula and element, and ordered by their numbers.

    Attributes:
        crystals: in the order of the cards. A crystal that failed gets a card with its reason.
        heading: of the section.
        details: labels of the `info` columns that the cards show, by column; absent columns are left out.
        links: for each crystal the relative path of its CIF, or an empty text; by default the CIFs are in the page.
    """

    crystals: Crystals
    heading: str = "Crystals"
    details: Mapping[str, str] = field(default_factory=lambda: dict(DETAILS))
    links: Sequence[str] | None = None

    def html(self) -> str:
        """Renders the controls, the cards, and the data that the viewer draws.

        Raises:
            UserError: there are not as many links as crystals.
        """
        if self.links is not None and len(self.links) != len(self.crystals):
            raise UserError(f"{len(self.links)} links for {len(self.crystals)} crystals")
        cards = [Card.of(i, crystal, self.details) for i, crystal in enumerate(self.crystals)]
        # A colon is quoted too, so that a path can never be read as another scheme, such as `javascript:`.
        links = self._data_uris(cards) if self.links is None else [quote(link) for link in self.links]
        return (
            f'<section class="gallery"><h2>{escape(self.heading)}</h2>{_controls(cards)}{self._legend()}'
            f'<div class="grid">{"".join(card.html(link) for card, link in zip(cards, links, strict=True))}</div>'
            f'<script type="application/json" class="data">{json_for_html(self.data())}</script></section>'
        )

    def data(self) -> dict[str, Any]:
        """What the viewer needs: how elements are drawn, and each crystal's cell, or None if it has no picture."""
        return {
            "elements": {
                z: {"symbol": SYMBOLS[z], "colour": colour(z), "radius": round(ball_radius(z), _DIGITS)}
                for z in self._elements()
            },
            "boundary": BOUNDARY,
            "view": np.round(view_matrix(), _DIGITS).tolist(),
            "crystals": [_record(crystal) for crystal in self.crystals],
        }

    def _elements(self) -> list[int]:
        return sorted({int(z) for z in self.crystals.numbers.tolist()})

    def _legend(self) -> str:
        chips = "".join(
            f'<button type="button" value="{SYMBOLS[z]}" aria-pressed="false" title="Only crystals with {SYMBOLS[z]}">'
            f'<i style="background:{colour(z)}"></i>{SYMBOLS[z]}</button>'
            for z in self._elements()
        )
        return f'<div class="legend" role="group" aria-label="Elements">{chips}</div>'

    def _data_uris(self, cards: Sequence[Card]) -> list[str]:
        """The CIFs as links that need no files; empty where there is no crystal."""
        return [
            "" if card.reason else f"data:chemical/x-cif;base64,{b64encode(text.encode()).decode()}"
            for card, text in zip(cards, texts(self.crystals), strict=True)
        ]


def _controls(cards: Sequence[Card]) -> str:
    """The box to filter with, the choice of orders, and the number of cards in sight."""
    kinds = {key: type(value) for card in cards for key, value in card.sort.items()}
    orders = [("", "As listed")]
    for key, kind in kinds.items():
        orders += [(key, key)] if kind is str else [(f"-{key}", f"{key}, high to low"), (key, f"{key}, low to high")]
    options = "".join(f'<option value="{escape(value)}">{escape(label)}</option>' for value, label in orders)
    return (
        '<div class="controls"><label>Filter <input class="search" type="search" placeholder="Formula or elements" '
        'autocomplete="off" spellcheck="false"></label>'
        f'<label>Order <select class="order" autocomplete="off">{options}</select></label>'
        f'<output class="count" aria-live="polite">{len(cards)} shown</output></div>'
    )


def _record(crystal: Crystals) -> dict[str, Any] | None:
    """One crystal for the viewer, turned as pictures are; `bonds` are pairs of elements and their longest bond in Å."""
    if why_not_drawn(crystal):
        return None
    numbers = crystal.numbers.cpu().numpy().astype(np.int64)
    return {
        "numbers": numbers.tolist(),
        "frac": np.round(crystal.frac.double().cpu().numpy(), _DIGITS).tolist(),
        "lattice": np.round(upright(crystal.lattice[0].double().cpu().numpy()), _DIGITS).tolist(),
        "bonds": [[i, j, round(limit, _DIGITS)] for (i, j), limit in bond_limits(numbers).items()],
    }
