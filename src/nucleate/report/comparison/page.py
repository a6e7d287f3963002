"""The page of a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from nucleate.report.comparison.columns import SHEETS
from nucleate.report.comparison.entry import TASKS, Entry
from nucleate.report.comparison.part import HEADINGS, Part
from nucleate.report.comparison.style import Style, styles
from nucleate.report.comparison.table import Comparison, compare
from nucleate.report.page import write_page


@dataclass(frozen=True)
class _Legend:
    """The bar that stays in sight: rows, which a click brings out, and ways to the parts."""

    styles: Sequence[Style]
    tasks: Sequence[str]

    def html(self) -> str:
        chips = "".join(
            f'<button type="button" aria-pressed="false" value="{style.place}">{style.label()}</button>'
            for style in self.styles
        )
        links = "".join(f'<a href="#{task}">{HEADINGS[task]}</a>' for task in self.tasks) if len(self.tasks) > 1 else ""
        return (
            f'<nav class="rows" aria-label="Rows"><div role="group" aria-label="Bring out rows">{chips}</div>'
            f'<span class="links">{links}</span></nav>'
        )


def fill(entries: Sequence[Entry]) -> list[Comparison]:
    """All tables that some row belongs into, in the order of the page."""
    return [comparison for sheet in SHEETS if (comparison := compare(sheet, entries))]


def write_comparison(path: Path, entries: Sequence[Entry], *, title: str = "") -> None:
    """Writes the page.

    Args:
        path: where to write.
        entries: the rows, at least one; their names differ within a task.
        title: of the page; by default one that counts.

    Raises:
        UserError: the page cannot be written.
    """
    drawn = styles(entry.name for entry in entries)
    comparisons = fill(entries)
    tasks = [task for task in TASKS if any(entry.task == task for entry in entries)]
    parts = [
        Part(
            task,
            [entry for entry in entries if entry.task == task],
            [comparison for comparison in comparisons if comparison.sheet.task == task],
            drawn,
        )
        for task in tasks
    ]
    write_page(
        path,
        title=title or _title(list(drawn)),
        summary=_summary(parts),
        sections=[_Legend(list(drawn.values()), tasks), *parts],
        facts={"Rows": len(entries)},
        style=_asset("compare.css"),
        script=_asset("compare.js"),
    )


def _title(names: Sequence[str]) -> str:
    if len(names) == 1:
        return names[0]
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) < 4 else f"{len(names)} models, side by side"


def _summary(parts: Sequence[Part]) -> str:
    sentences = []
    for part in parts:
        references = list(dict.fromkeys(str(entry.definition.get("reference")) for entry in part.entries))
        count = len(part.entries)
        what = {"dng": "of new crystals", "csp": "of predicted structures"}[part.task]
        sets = f"{count} sets {what} are" if count > 1 else f"One set {what} is"
        sentences.append(f"{sets} judged against {' and '.join(references)}.")
    return " ".join(sentences)


def _asset(name: str) -> str:
    return files("nucleate.report.comparison").joinpath(name).read_text(encoding="utf-8")
