"""Tables of oxidation states, electronegativities and metals, frozen: releases of smact change them.

`smact_2_2_1` is the one behind the published composition validity, its electronegativity of 0.33 for zirconium (in
truth 1.33) included. `smact14` and `icsd24` are the two sets that users of smact 4 choose from.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from nucleate.elements import NUMBERS, SYMBOLS
from nucleate.errors import UserError

DEFAULT = "smact_2_2_1"
NAMES = (DEFAULT, "smact14", "icsd24")
"""The tables that `load` knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OxidationStates:
    """What the composition validity knows of the elements; tuples by atomic number, of which 0 is no element.

    Attributes:
        name: one of `NAMES`.
        source: program, version, and the paper.
        states: oxidation states in increasing order; none if the element is unknown or noble.
        electronegativity: on Pauling's scale; None where there is none.
        metal: whether smact counts the element among the metals.
    """

    name: str
    source: str
    states: tuple[tuple[int, ...], ...]
    electronegativity: tuple[float | None, ...]
    metal: tuple[bool, ...]


@cache
def load(name: str = DEFAULT) -> OxidationStates:
    """Reads a table.

    Raises:
        UserError: there is no table of that name.
    """
    if name not in NAMES:
        raise UserError(f"unknown oxidation states {name!r}; there are {', '.join(NAMES)}")
    text = files("nucleate.evaluation").joinpath("data", f"{name}.json").read_text(encoding="utf-8")
    table = json.loads(text)
    states: list[tuple[int, ...]] = [()] * len(SYMBOLS)
    electronegativity: list[float | None] = [None] * len(SYMBOLS)
    for symbol, entry in table["elements"].items():
        states[NUMBERS[symbol]] = tuple(entry["states"])
        electronegativity[NUMBERS[symbol]] = entry["electronegativity"]
    return OxidationStates(
        name=name,
        source=table["source"],
        states=tuple(states),
        electronegativity=tuple(electronegativity),
        metal=tuple(symbol in table["metals"] for symbol in SYMBOLS),
    )
