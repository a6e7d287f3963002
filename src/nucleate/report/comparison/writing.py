"""Tables of a comparison as Markdown, CSV and LaTeX."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

from nucleate.files.atomic import replacing
from nucleate.report.comparison.columns import HIGH, LOW, Column
from nucleate.report.comparison.ranking import Mark
from nucleate.report.comparison.table import Block, Cell, Comparison

LEGEND = "Bold is the best of a column; ≈ does not differ from it (the 95 % interval of the difference contains 0)."

_TEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
_TEX |= {sign: f"\\{sign}" for sign in "&%$#_{}"} | {"³": "$^3$", "Å": r"\AA{}", "≈": r"$\approx$", "–": "--"}
_ARROWS = {HIGH: "↑", LOW: "↓"}


def write_tables(folder: Path, comparisons: Sequence[Comparison]) -> list[Path]:
    """Writes each table as `SLUG.md`, `SLUG.csv` and `SLUG.tex`.

    Raises:
        UserError: a file cannot be written.
    """
    written = []
    for comparison in comparisons:
        for suffix, text in _FORMATS.items():
            path = folder / f"{comparison.sheet.slug}{suffix}"
            with replacing(path) as temporary:
                temporary.write_text(text(comparison), encoding="utf-8")
            written.append(path)
    return written


def paths(folder: Path, slugs: Sequence[str]) -> list[Path]:
    """What `write_tables` would write."""
    return [folder / f"{slug}{suffix}" for slug in slugs for suffix in _FORMATS]


def markdown(comparison: Comparison) -> str:
    """One table a block, each below a line with what it holds for."""
    lines = [f"# {comparison.sheet.title}", ""]
    for block in comparison.blocks:
        heads = [f"{column.heading} {_ARROWS.get(column.better, '')}".strip() for column in comparison.columns]
        lines += [f"*{_pipes(_protocol(block))}*", ""]
        lines += [f"| | {' | '.join(heads)} |", f"|---|{'---:|' * len(heads)}"]
        for entry, cells in zip(block.entries, block.cells, strict=True):
            texts = [_markdown_cell(cell, column) for cell, column in zip(cells, comparison.columns, strict=True)]
            lines.append(f"| {_pipes(entry.name)} | {' | '.join(texts)} |")
        lines.append("")
    lines += [f"- {_pipes(sentence)}" for sentence in comparison.differences]
    return "\n".join([*lines, *([""] if comparison.differences else []), LEGEND, ""])


def as_csv(comparison: Comparison) -> str:
    """All rows, with the number of their block; numbers in full and without separators, rates as fractions."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    keys = [column.key for column in comparison.columns]
    labels = [condition.label for condition in comparison.sheet.conditions]
    heads = [name for key in keys for name in (key, f"{key}.low", f"{key}.high", f"{key}.mark")]
    writer.writerow(["name", "block", *heads, *labels])
    for number, block in enumerate(comparison.blocks, 1):
        for entry, cells in zip(block.entries, block.cells, strict=True):
            values = [value for cell in cells for value in (*(cell.number or (None, None, None)), str(cell.mark))]
            protocol = [condition.value(entry) for condition in comparison.sheet.conditions]
            writer.writerow([entry.name, number, *values, *protocol])
    return text.getvalue()


def latex(comparison: Comparison) -> str:
    """A `tabular` for the package booktabs, the blocks apart, their protocols as comments."""
    columns = comparison.columns
    lines = [f"% {comparison.sheet.title}. {LEGEND}", rf"\begin{{tabular}}{{l{'r' * len(columns)}}}", r"\toprule"]
    arrows = {HIGH: r" $\uparrow$", LOW: r" $\downarrow$"}
    heads = " & ".join(_tex(column.heading) + arrows.get(column.better, "") for column in columns)
    lines.append(rf" & {heads} \\")
    for block in comparison.blocks:
        lines += [r"\midrule", f"% {_protocol(block)}"]
        for entry, cells in zip(block.entries, block.cells, strict=True):
            texts = [_latex_cell(cell, column) for cell, column in zip(cells, columns, strict=True)]
            lines.append(rf"{_tex(entry.name)} & {' & '.join(texts)} \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def _protocol(block: Block) -> str:
    return "; ".join(f"{label}: {text}" for label, text in block.protocol.items()).replace("\n", " ")


def _ends(cell: Cell, column: Column) -> str:
    if cell.number is None or cell.number.low is None or cell.number.high is None:
        return ""
    return f"{column.text(cell.number.low)}–{column.text(cell.number.high)}"


def _markdown_cell(cell: Cell, column: Column) -> str:
    if cell.number is None:
        return "–"
    value, ends = column.text(cell.number.value), _ends(cell, column)
    value = {Mark.BEST: f"**{value}**", Mark.TIE: f"{value} ≈"}.get(cell.mark, value)
    return f"{value} ({ends})" if ends else value


def _latex_cell(cell: Cell, column: Column) -> str:
    if cell.number is None:
        return "--"
    value, ends = column.text(cell.number.value), _ends(cell, column)
    value = {Mark.BEST: rf"\textbf{{{value}}}", Mark.TIE: rf"{value}$^{{\approx}}$"}.get(cell.mark, value)
    return rf"{value} {{\scriptsize ({_tex(ends)})}}" if ends else value


def _pipes(text: str) -> str:
    return re.sub(r"([|*_`<])", r"\\\1", text.replace("\n", " "))


def _tex(text: str) -> str:
    return "".join(_TEX.get(letter, letter) for letter in text)


_FORMATS = {".md": markdown, ".csv": as_csv, ".tex": latex}
