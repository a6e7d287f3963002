"""What the page is given: a header of texts and small tables, and sections of plain little-endian numbers.

A section is one array, such as the colour of each point. A page for a file holds all of them; a server sends those of
each point at once or when a colour or a filter needs one, and structures row by row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int

from nucleate import __version__
from nucleate.crystals import Crystals
from nucleate.drawing.colours import ball_radius, colour, covalent_radius
from nucleate.drawing.raster import view_matrix
from nucleate.drawing.scene import BOUNDARY
from nucleate.elements import ELECTRONEGATIVITY_RANK, MAX_NUMBER, PAULING, SYMBOLS
from nucleate.explorer.atlas import Atlas, Property
from nucleate.explorer.columns import crystal_names
from nucleate.explorer.page.formulas import formula_table
from nucleate.geometry.space_group_symbols import SYMBOLS as SPACE_GROUPS

GRID = 64_800
"""Steps along a cell that coordinates are rounded to, to within 0.00001 of a cell. Halves, thirds, quarters, fifths,
sixths, eighths, ninths and their halves stay exactly where symmetry put them."""

MISSING_KIND = 65_535
"""Stands for an unknown kind or flag."""

FEW = 50
"""Texts of so many different values are kinds, whether or not they repeat."""

MOST_KINDS, MOST_LETTERS = 2000, 50_000
"""Texts of more kinds, or with longer names in all, are not listed one by one: they are searched and shown."""

_SINGLE_WHOLE = 2**24  # up to here every whole number is one of single precision


@dataclass(frozen=True)
class Structures:
    """Cells and atoms in the numbers that the page draws and exports; any rows of them can be sent on their own.

    Attributes:
        counts: atoms per crystal.
        starts: first atom of each.
        lattice: row vectors in Å, nine numbers a crystal.
        numbers: atomic numbers.
        frac: coordinates in steps of 1 / `GRID`, three an atom.
    """

    counts: np.ndarray
    starts: np.ndarray
    lattice: np.ndarray
    numbers: np.ndarray
    frac: np.ndarray

    @classmethod
    def of(cls, crystals: Crystals) -> Structures:
        """Rounds the crystals."""
        frac = np.rint(crystals.frac.double().cpu().numpy() * GRID).astype(np.int64) % GRID
        counts = crystals.counts.cpu().numpy().astype("<u4")
        return cls(
            counts,
            np.cumsum(counts, dtype=np.int64) - counts,
            crystals.lattice.cpu().numpy().reshape(-1, 9).astype("<f4"),
            crystals.numbers.cpu().numpy().astype("<u1"),
            frac.astype("<u2"),
        )

    def rows(self, rows: Int[np.ndarray, " k"]) -> list[np.ndarray]:
        """Counts, lattices, atomic numbers and coordinates of some crystals, in that order."""
        counts = self.counts[rows]
        within = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts, dtype=np.int64) - counts, counts)
        atoms = np.repeat(self.starts[rows], counts) + within
        return [counts, self.lattice[rows], self.numbers[atoms], self.frac[atoms]]

    def sections(self, prefix: str) -> Iterator[tuple[str, np.ndarray]]:
        """All crystals as named sections."""
        for name in ("counts", "lattice", "numbers", "frac"):
            yield f"{prefix}{name}", getattr(self, name)


@dataclass(frozen=True)
class Payload:
    """An atlas in the numbers of the page.

    Attributes:
        header: for JSON.
        columns: what is known of each point, by the name of the section.
        crystals: structures of the points.
        references: those that are nearest to some point; `columns["nearest"]` counts in them.
    """

    header: Mapping[str, Any]
    columns: Mapping[str, np.ndarray]
    crystals: Structures
    references: Structures | None

    @classmethod
    def of(cls, atlas: Atlas) -> Payload:
        """Translates an atlas. Only references that are nearest to some crystal are kept."""
        near, references = _nearest(atlas)
        parts = [atlas.crystals] if references is None else [atlas.crystals, references]
        formulas, codes = formula_table(parts)
        columns = {
            "positions": _unit_square(atlas.positions).astype("<f4"),
            "source": atlas.source.astype("<u1"),
            "atoms": atlas.crystals.counts.cpu().numpy().astype("<u2"),
            "formula": codes[0].astype("<u4"),
            "formulas": _text(formulas),
            **near,
        }
        if (names := crystal_names(atlas.crystals)) is not None:
            columns["names"] = _text(names)
        if references is not None:
            columns["reference_formula"] = codes[1].astype("<u4")
            if (names := crystal_names(references)) is not None:
                columns["reference_names"] = _text(names)
        described = []
        for index, prop in enumerate(atlas.properties):
            about, columns[f"property{index}"] = _column(prop)
            described.append({"key": prop.key, "label": prop.label, "unit": prop.unit, "file": prop.of_file, **about})
        drawn = None if references is None else Structures.of(references)
        return cls(_header(atlas, described), columns, Structures.of(atlas.crystals), drawn)

    def sections(self) -> Iterator[tuple[str, np.ndarray]]:
        """Everything, for a page that has no server behind it."""
        yield from self.columns.items()
        yield from self.crystals.sections("crystal_")
        if self.references is not None:
            yield from self.references.sections("reference_")


def _header(atlas: Atlas, properties: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "title": atlas.title,
        "facts": {**atlas.facts, "Nucleate": __version__},
        "rows": len(atlas.crystals),
        "sources": list(atlas.sources),
        "properties": properties,
        "distance": atlas.distance_name,
        "grid": GRID,
        "missing": MISSING_KIND,
        "space_groups": list(SPACE_GROUPS[1:]),
        "boundary": BOUNDARY,
        "view": np.round(view_matrix(), 5).tolist(),
        "elements": [_element(z) for z in range(len(SYMBOLS))],
    }


def _element(z: int) -> list[Any]:
    """Symbol, colour, radius of the ball and of the atom in Å, electronegativity, and place in formulas."""
    known = z <= MAX_NUMBER
    order = ELECTRONEGATIVITY_RANK[z] if known else z
    return [
        SYMBOLS[z],
        colour(z),
        round(ball_radius(z), 4) if z else 0.4,
        covalent_radius(z) if z else 1.0,
        PAULING[z] if known else 0.0,
        order,
    ]


def _unit_square(positions: np.ndarray) -> np.ndarray:
    """Moves the map to the middle and scales its longer side to 2, so that the page knows no units."""
    low, high = positions.min(0), positions.max(0)
    return (positions - (low + high) / 2) / max(float((high - low).max()), 1e-9) * 2


def _nearest(atlas: Atlas) -> tuple[dict[str, np.ndarray], Crystals | None]:
    if atlas.references is None or atlas.nearest is None:
        return {}, None
    used, place = np.unique(atlas.nearest, return_inverse=True)
    unknown = int((used < 0).sum())  # 0 or 1: the row -1 comes first
    columns = {"nearest": (place - unknown).astype("<i4")}
    if atlas.distance is not None:
        columns["distance"] = atlas.distance.astype("<f4")
    kept = used[unknown:]
    return (columns, atlas.references[kept]) if len(kept) else ({}, None)


def _column(prop: Property) -> tuple[dict[str, Any], np.ndarray]:
    """How a property is to be read, how many crystals lack it, and its numbers or texts."""
    values = prop.values
    if values.dtype.kind == "b" or (values.dtype == object and _are_flags(values)):
        codes = np.array([MISSING_KIND if value is None else int(value) for value in values], dtype="<u2")
        return _kinds(["no", "yes"], codes, flag=True)
    if values.dtype.kind in "iuf":
        return _numbers(values)
    texts = np.array(["" if value is None else " ".join(str(value).split()) for value in values])
    kinds, codes, sizes = np.unique(texts, return_inverse=True, return_counts=True)
    common = sorted(np.flatnonzero(kinds != ""), key=lambda i: (-sizes[i], kinds[i]))
    if not _are_kinds([str(kinds[i]) for i in common], int(sizes[common].sum())):
        return {"type": "text", "kinds": len(common), "unknown": int((texts == "").sum())}, _text(texts)
    place = np.full(len(kinds), MISSING_KIND)
    place[common] = np.arange(len(common))
    return _kinds([str(kinds[i]) for i in common], place[codes].astype("<u2"), flag=False)


def _are_flags(values: np.ndarray) -> bool:
    return all(value is None or isinstance(value, (bool, np.bool_)) for value in values)


def _are_kinds(names: list[str], known: int) -> bool:
    """Whether texts are to be listed, with so many known values in all."""
    if sum(map(len, names)) > MOST_LETTERS:
        return False
    return len(names) <= FEW or (len(names) <= MOST_KINDS and 2 * len(names) <= known)


def _kinds(names: list[str], codes: np.ndarray, *, flag: bool) -> tuple[dict[str, Any], np.ndarray]:
    return {"type": "kind", "flag": flag, "kinds": names, "unknown": int((codes == MISSING_KIND).sum())}, codes


def _numbers(values: np.ndarray) -> tuple[dict[str, Any], np.ndarray]:
    """Numbers in single precision, or in double where single has no such whole number, or none so large or so small."""
    numbers = np.where(np.isfinite(values), values, np.nan).astype("<f8")
    known = numbers[np.isfinite(numbers)]
    whole = bool(np.all(known % 1 == 0))
    size = np.abs(known[known != 0])
    limits = np.finfo(np.float32)
    most = _SINGLE_WHOLE if whole else float(limits.max)
    if len(size) == 0 or (size.max() <= most and size.min() >= limits.tiny):
        numbers = numbers.astype("<f4")
    return {"type": "number", "whole": whole, "unknown": len(numbers) - len(known)}, numbers


def _text(lines: Iterable[str]) -> np.ndarray:
    return np.frombuffer("\n".join(lines).encode(), dtype="<u1")
