"""What the map shows: crystals of several sources, where each stands, what is known of each, its nearest reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int, Shaped

from nucleate.crystals import Crystals
from nucleate.errors import UserError


@dataclass(frozen=True, eq=False)
class Property:
    """Something that points are coloured and filtered by.

    Attributes:
        key: a short name, for addresses and exported columns.
        label: what people read.
        values: one a crystal. Numbers (NaN where unknown), booleans (None where unknown, with dtype object), or texts
            (empty where unknown), which are kinds if they repeat.
        unit: of numbers, such as "g/cm³"; empty if there is none.
        of_file: whether it is a column of the sources' files, and not computed here.
    """

    key: str
    label: str
    values: Shaped[np.ndarray, " n"]
    unit: str = ""
    of_file: bool = False


@dataclass(frozen=True, eq=False)
class Atlas:
    """N crystals on a map.

    Attributes:
        crystals: all that are shown; each can be built.
        sources: names of where they come from, in the order of the legend.
        source: index into `sources`, one a crystal.
        positions: on the map, of any scale.
        properties: in the order of the menus. Their keys differ.
        references: crystals that others are nearest to; None if there is no reference.
        nearest: row of the nearest one in `references`, one a crystal; -1 if there is none.
        distance: to it, in the space of `distance_name`; NaN if there is none.
        distance_name: what `distance` measures.
        title: of the page.
        facts: what to know about how the map was made, by label.

    Raises:
        UserError: there is no crystal to show, or the parts do not fit together.
    """

    crystals: Crystals
    sources: tuple[str, ...]
    source: Int[np.ndarray, " n"]
    positions: Float[np.ndarray, "n 2"]
    properties: tuple[Property, ...] = ()
    references: Crystals | None = None
    nearest: Int[np.ndarray, " n"] | None = None
    distance: Float[np.ndarray, " n"] | None = None
    distance_name: str = ""
    title: str = "A map of crystals"
    facts: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        count = len(self.crystals)
        if not count:
            raise UserError("there is no crystal to show")
        parts = {"source": self.source, "positions": self.positions, "nearest": self.nearest, "distance": self.distance}
        parts |= {p.key: p.values for p in self.properties}
        for name, values in parts.items():
            if values is not None and len(values) != count:
                raise UserError(f"{len(values)} values of {name} for {count} crystals")
