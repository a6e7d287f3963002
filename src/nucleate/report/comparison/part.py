"""One part of the page: new crystals, or structure prediction, from findings to failures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from nucleate.evaluation.space_groups import SYSTEMS
from nucleate.report.comparison.cells import cells_html
from nucleate.report.comparison.entry import Entry
from nucleate.report.comparison.failures import failure_html
from nucleate.report.comparison.figures.bars import Shares, bar_figure
from nucleate.report.comparison.figures.elements import element_figure
from nucleate.report.comparison.figures.histograms import Histogram, histogram_figure
from nucleate.report.comparison.figures.intervals import interval_figure
from nucleate.report.comparison.figures.sizes import Sizes, size_figure
from nucleate.report.comparison.figures.space_groups import space_group_figure
from nucleate.report.comparison.figures.tradeoff import tradeoff_figure
from nucleate.report.comparison.findings import findings_html
from nucleate.report.comparison.style import Style
from nucleate.report.comparison.table import Block, Comparison, light_differences
from nucleate.report.comparison.table_html import table_html

HEADINGS = {"dng": "New crystals", "csp": "Structure prediction"}

_MANY = 7  # elements

_BESIDE = "The silhouette is the reference."


@dataclass(frozen=True)
class Part:
    """All about one task; a section of the page.

    Attributes:
        task: `dng` or `csp`.
        entries: its rows.
        comparisons: its tables.
        styles: of all rows of the page, by name.
    """

    task: str
    entries: Sequence[Entry]
    comparisons: Sequence[Comparison]
    styles: Mapping[str, Style]

    def html(self) -> str:
        """Renders findings, tables, figures, cells and failures."""
        figures = self._new_crystals() if self.task == "dng" else self._predictions()
        light = light_differences(self.entries)
        differing = self._other_versions()
        tables = "".join(table_html(comparison, self.styles, differing) for comparison in self.comparisons)
        return (
            f'<section class="part" id="{self.task}"><h2>{HEADINGS[self.task]}</h2>'
            f"{findings_html(list(self.comparisons), self.styles)}{tables}{_how_to_read(light)}"
            f'<div class="block">{"".join(figures)}</div>{cells_html(self.entries, self.styles)}'
            f"{failure_html(self.entries, self.styles)}</section>"
        )

    def _other_versions(self) -> list[str]:
        """Rows whose libraries are not those of the first row."""
        first = self.entries[0].definition.get("versions")
        return [entry.name for entry in self.entries if entry.definition.get("versions") != first]

    @staticmethod
    def _by_block(comparison: Comparison, draw: Callable[[Block, str], str]) -> str:
        """Draws each block of a table by itself; the function takes it and what ends its heading."""
        several = len(comparison.blocks) > 1
        return "".join(draw(block, f": {block.names}" if several else "") for block in comparison.blocks)

    def _intervals(self, comparison: Comparison) -> str:
        return self._by_block(
            comparison,
            lambda block, end: interval_figure(
                block, comparison.columns, self.styles, f"{comparison.sheet.title}: intervals{end}"
            ),
        )

    def _new_crystals(self) -> list[str]:
        main, more = self.comparisons
        tradeoffs = self._by_block(
            more, lambda block, end: tradeoff_figure(block.entries, self.styles, f"Quality against diversity{end}")
        )
        return [
            f'<div class="duo">{tradeoffs}{self._by_block(main, self._validity_by_size)}</div>',
            self._intervals(main),
            self._intervals(more),
            self._histogram("density", "Density", "g/cm³"),
            self._histogram("volume_per_atom", "Volume per atom", "Å³"),
            self._bars("num_elements", "Number of elements"),
            self._bars("crystal_system", "Crystal systems"),
            space_group_figure(
                self._shares("space_group"),
                "Samples stand up, the reference hangs down. Heights are square roots of shares, so that rare groups "
                "are seen; the most frequent have their numbers.",
            ),
            element_figure(
                self._shares("elements"),
                "Shares among all atoms. Against the reference blue is more of an element, orange less, and the "
                "number is the ratio; shares themselves are coloured by their square root.",
            ),
        ]

    def _histogram(self, key: str, heading: str, unit: str) -> str:
        rows = []
        for entry in self.entries:
            found = entry.distribution(key)
            histogram = found.get("histogram") or {}
            distance = found.get("wasserstein")
            aside = "" if distance is None else f"W₁ {distance:.3f} {unit}"
            samples, reference = histogram.get("samples", ()), histogram.get("reference", ())
            rows.append(Histogram(self.styles[entry.name], histogram.get("width", 1.0), samples, reference, aside))
        caption = f"{_BESIDE} W₁ is the Wasserstein distance to it over all samples that were built."
        return histogram_figure(rows, heading, unit, caption)

    def _shares(self, key: str) -> list[Shares]:
        rows = []
        for entry in self.entries:
            found = entry.distribution(key)
            distance = found.get("jensen_shannon")
            aside = "" if distance is None else f"JS {distance:.3f}"
            rows.append(Shares(self.styles[entry.name], found.get("samples", {}), found.get("reference", {}), aside))
        return rows

    def _bars(self, key: str, heading: str) -> str:
        rows, kinds = self._shares(key), [*SYSTEMS[1:], SYSTEMS[0]]
        if key == "num_elements":
            rows = [row._replace(samples=_few(row.samples), reference=_few(row.reference)) for row in rows]
            kinds = list(_few({}))
        caption = "Thin bars are samples, in per cent; wide ones behind them the reference. JS is the Jensen-Shannon "
        return bar_figure(rows, heading, f"{caption}distance.", kinds)

    def _validity_by_size(self, block: Block, end: str) -> str:
        rows = [self._size_of(entry, "samples", self.styles[entry.name]) for entry in block.entries]
        rows.append(self._size_of(block.entries[0], "reference", None))
        return size_figure(
            rows,
            f"Validity by number of atoms{end}",
            "valid",
            "Valid in structure and composition, of what was built; the grey line is the reference itself. Whiskers "
            "are intervals of 95 % (Wilson).",
        )

    @staticmethod
    def _size_of(entry: Entry, side: str, style: Style | None) -> Sizes:
        found = entry.metrics.get("validity_by_size", {}).get(side, {})
        return Sizes(style, found.get("num_atoms", ()), found.get("crystals", ()), found.get("valid", ()))

    def _predictions(self) -> list[str]:
        figures = [self._intervals(comparison) for comparison in self.comparisons]
        figures.append(self._distances())
        figures.append(f'<div class="duo">{self._by_block(self.comparisons[0], self._found_by_size)}</div>')
        return figures

    def _distances(self) -> str:
        rows = []
        for entry in self.entries:
            found = entry.metrics.get("rms_histogram", {})
            number = entry.number("k1.rmse")
            aside = "" if number is None else f"mean {number.value:.4f}"
            rows.append(Histogram(self.styles[entry.name], found.get("width", 1.0), found.get("first", ()), (), aside))
        caption = "First predictions that match: root mean square of the distances, in units of (V/N)^(1/3)."
        return histogram_figure(rows, "Distances of matches", "", caption)

    def _found_by_size(self, block: Block, end: str) -> str:
        rows = []
        for entry in block.entries:
            found = entry.metrics.get("found_by_size", {})
            counts = (found.get(name, ()) for name in ("num_atoms", "crystals", "first"))
            rows.append(Sizes(self.styles[entry.name], *counts))
        caption = "Reference crystals whose first prediction matches. Whiskers are intervals of 95 % (Wilson)."
        return size_figure(rows, f"Match rate by number of atoms{end}", "matched", caption)


def _few(shares: Mapping[str, float]) -> dict[str, float]:
    """Shares of numbers of elements, of which many are taken together."""
    found = {str(number): shares.get(str(number), 0.0) for number in range(1, _MANY)}
    return found | {f"{_MANY} or more": sum(share for kind, share in shares.items() if int(kind) >= _MANY)}


def _how_to_read(light: Sequence[str]) -> str:
    """What the marks mean, and what differs without much harm."""
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in light)
    minor = f"<p>Also different, which rarely matters:</p><ul>{items}</ul>" if items else ""
    return (
        '<div class="note reading"><p><span class="key best">bold</span> is the best of a column; '
        '<span class="key tie">≈</span> does not differ from it: the 95 % interval of their difference contains zero. '
        "Small numbers are intervals of 95 % by the bootstrap over samples (over reference crystals for COV-R and for "
        f"structure prediction). They cover the draw of those crystals, not another training.</p>{minor}</div>"
    )
