"""Some crystals of each row, drawn twice: the unit cell, and its periodic tiling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from nucleate import files
from nucleate.crystals import Crystals
from nucleate.drawing.scene import why_not_drawn
from nucleate.elements import reduced_formula
from nucleate.errors import UserError
from nucleate.evaluation.space_groups import space_groups
from nucleate.report.comparison.entry import Entry
from nucleate.report.comparison.style import Style
from nucleate.report.gallery import Gallery, json_for_html

SHOWN = 4
"""Crystals of each row."""

_LARGEST = 60  # atoms: eight cells of more are a crowd, and slow to turn
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def cells_html(entries: Sequence[Entry], styles: Mapping[str, Style], *, seed: int = 0) -> str:
    """Draws crystals of each row, taken at random from those that have a picture; says so where samples are gone."""
    parts, rows = [], ""
    for entry in entries:
        crystals, reason = _drawn(entry, seed)
        label = f"<h4>{styles[entry.name].label()}</h4>"
        if reason:
            rows += f'<div class="strip">{label}<p class="note">{escape(reason)}</p></div>'
            continue
        start = sum(len(part) for part in parts)
        parts.append(crystals)
        pairs = "".join(_pair(start + i, crystal) for i, crystal in enumerate(crystals))
        rows += f'<div class="strip">{label}<div class="pairs">{pairs}</div></div>'
    data = json_for_html(Gallery(Crystals.concat(parts)).data()) if parts else "null"
    return (
        '<div class="block"><h3>Some of the crystals</h3><p class="note">Drawn at random, not chosen: left the '
        "unit cell, right eight of them. Drag, or use the arrow keys, to turn both; plus and minus zoom, 0 resets.</p>"
        f'<div class="tilings">{rows}<script type="application/json" class="cells">{data}</script></div></div>'
    )


def _drawn(entry: Entry, seed: int) -> tuple[Crystals, str]:
    """Some crystals of a row, or why there are none."""
    if entry.samples is None:
        return Crystals.empty(), "No cells: the metrics file does not say where its samples are."
    if not entry.samples.exists():
        return Crystals.empty(), f"No cells: the samples are not at {entry.samples} any more."
    try:
        crystals = files.read(entry.samples, jobs=1)
    except UserError as error:
        return Crystals.empty(), f"No cells: {error}"
    if len(crystals) != entry.counts.get("requested") and entry.task == "dng":
        return Crystals.empty(), f"No cells: {entry.samples} has other samples than were judged."
    chosen = []
    for row in np.random.default_rng(seed).permutation(len(crystals)):
        crystal = crystals[[int(row)]]
        if not why_not_drawn(crystal) and int(crystal.counts[0]) <= _LARGEST:
            chosen.append(crystal)
        if len(chosen) == SHOWN:
            break
    if not chosen:
        return Crystals.empty(), "No cells: none of the samples has one that can be drawn."
    drawn = Crystals.concat(Crystals(c.numbers, c.frac.double(), c.lattice.double(), c.counts) for c in chosen)
    return drawn.with_info(space_group=space_groups(drawn)), ""


def _pair(index: int, crystal: Crystals) -> str:
    numbers = crystal.numbers.tolist()
    formula = reduced_formula(numbers)
    group = int(crystal.info["space_group"][0])
    size = f"{len(numbers)} atom{'s' if len(numbers) != 1 else ''}"
    facts = f"{size} · " + (f"SG {group}" if group else "no space group")
    stages = "".join(
        f'<div class="stage"><canvas tabindex="0" role="img" data-index="{index}" data-repeats="{repeats}" '
        f'aria-label="{words} of {escape(formula)}"></canvas></div>'
        for repeats, words in ((1, "Unit cell"), (2, "Tiling of 2 by 2 by 2 cells"))
    )
    return (
        f'<figure class="pair"><div class="stages">{stages}</div><figcaption><b>{formula.translate(_SUBSCRIPTS)}</b> '
        f"<span>{facts}</span></figcaption></figure>"
    )
