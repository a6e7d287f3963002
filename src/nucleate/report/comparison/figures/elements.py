"""The periodic table as a heat map: how often elements are, and how that differs from the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log2, sqrt

from nucleate.elements import MAX_NUMBER, NUMBERS, SYMBOLS, group, period
from nucleate.report.comparison.figures.bars import Shares
from nucleate.report.comparison.figures.svg import box, figure, frame, text
from nucleate.report.comparison.figures.switch import Choice, switch

_CELL, _GAP = 44, 2
_F_BLOCK = (range(57, 72), range(89, MAX_NUMBER + 1))
_MOST = 2.0  # powers of two at which the colour is full: a quarter, or four times
_FULL = 0.92
_RARE = 5e-5  # of all atoms: below that on both sides a ratio says nothing


def element_figure(rows: Sequence[Shares], caption: str) -> str:
    """Draws the shares of elements of each row, and of the reference, and the ratio of each row to the reference."""
    rows = [row for row in rows if row.samples]
    if not rows:
        return ""
    most = max(max((*row.samples.values(), *row.reference.values())) for row in rows)
    drawings: dict[tuple[str, ...], str] = {}
    for row in rows:
        drawings[row.style.name, "ratio"] = _ratios(row)
        drawings[row.style.name, "share"] = _shares(row.samples, most, row.style.name)
    names = {row.style.name: row.style.name for row in rows}
    if all(row.reference == rows[0].reference for row in rows) and "reference" not in names:
        drawings["reference", "share"] = _shares(rows[0].reference, most, "the reference")
        names["reference"] = "the reference"
    what = {"ratio": "difference to the reference", "share": "share of atoms"}
    choices = [Choice("Of", names), Choice("Show", what)]
    return figure("Elements", switch(choices, drawings), caption, kind="wide table-figure")


def _ratios(row: Shares) -> str:
    said = {z: _ratio(row.samples.get(SYMBOLS[z], 0.0), row.reference.get(SYMBOLS[z], 0.0)) for z in _elements()}
    body = ""
    for z, (level, words) in said.items():
        ours, theirs = (100 * side.get(SYMBOLS[z], 0.0) for side in (row.samples, row.reference))
        tip = f"{SYMBOLS[z]}: {row.style.name} {ours:.2f} % of atoms, reference {theirs:.2f} %"
        body += _tile(z, "more" if level > 0 else "less", min(abs(level) / _MOST, 1.0), words, tip)
    known = {z: level for z, (level, words) in said.items() if words}
    far = sorted(known, key=lambda z: -abs(known[z]))[:8]
    listed = ", ".join(f"{SYMBOLS[z]} {said[z][1]}" for z in far)
    body += _key([("less", 1.0), ("less", 0.5), ("", 0.0), ("more", 0.5), ("more", 1.0)], ["¼", "½", "1", "2", "4 ×"])
    return _table(body, f"Elements of {row.style.name} over those of the reference", f"Furthest from it: {listed}")


def _ratio(ours: float, theirs: float) -> tuple[float, str]:
    """Power of two, and text, of the ratio of two shares."""
    if max(ours, theirs) < _RARE:
        return 0.0, ""
    if not theirs:
        return _MOST, "new"
    if not ours:
        return -_MOST, "none"
    ratio = ours / theirs
    return log2(ratio), f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}"


def _shares(shares: Mapping[str, float], most: float, name: str) -> str:
    body = ""
    for z in _elements():
        share = shares.get(SYMBOLS[z], 0.0)
        words = f"{100 * share:.2f}" if share else ""
        body += _tile(z, "heat", sqrt(share / most), words, f"{SYMBOLS[z]}: {name} {100 * share:.2f} % of atoms")
    frequent = sorted((s for s in shares if s in NUMBERS), key=lambda symbol: -shares[symbol])[:8]
    steps = [0.0, 0.25, 0.5, 0.75, 1.0]
    body += _key(
        [("heat", step) for step in steps],
        [f"{100 * most * step**2:.1f}" for step in steps[:-1]] + [f"{100 * most:.1f} %"],
    )
    listed = ", ".join(f"{symbol} {100 * shares[symbol]:.1f} %" for symbol in frequent)
    return _table(body, f"Elements of {name}", f"Most frequent: {listed}")


def _elements() -> range:
    return range(1, MAX_NUMBER + 1)


def _table(body: str, title: str, description: str) -> str:
    width, height = 18 * _CELL, 9.35 * _CELL
    drawing = frame(width, height, body, title=title, description=description, kind="elements")
    return f'<div class="scroll" tabindex="0" role="region" aria-label="Periodic table">{drawing}</div>'


def _seat(z: int) -> tuple[float, float]:
    """Left and upper edge of an element's square, in squares."""
    for elements, row in zip(_F_BLOCK, (7.3, 8.3), strict=True):
        if z in elements:
            return 2.0 + elements.index(z), row
    return group(z) - 1.0, period(z) - 1.0


def _tile(z: int, kind: str, level: float, words: str, tip: str) -> str:
    x, y = (_CELL * edge for edge in _seat(z))
    side, ink = _CELL - _GAP, "on" if level * _FULL > 0.55 else "off"
    body = box(x, y, side, side, "tile", tip, ' rx="5"')
    if level > 0:
        body += box(x, y, side, side, kind, extra=f' rx="5" fill-opacity="{_FULL * level:.3f}"')
    present = "" if words else " absent"
    body += text(x + side / 2, y + 19, SYMBOLS[z], f"symbol {ink}{present}")
    return body + (text(x + side / 2, y + 33, words, f"small {ink}") if words else "")


def _key(steps: Sequence[tuple[str, float]], words: Sequence[str]) -> str:
    """The colours with what they stand for, in the gap over the transition metals."""
    left, top, width = 3.2 * _CELL, 0.75 * _CELL, 1.35 * _CELL
    body = ""
    for place, ((kind, level), word) in enumerate(zip(steps, words, strict=True)):
        x = left + place * width
        body += box(x, top, width, 12, "tile") + (
            box(x, top, width, 12, kind, extra=f' fill-opacity="{_FULL * level:.3f}"') if level else ""
        )
        body += text(x + width / 2, top + 29, word)
    return body
