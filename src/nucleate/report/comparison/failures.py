"""How many samples came how far, and why the others did not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from nucleate.report.comparison.entry import Entry
from nucleate.report.comparison.style import Style


def failure_html(entries: Sequence[Entry], styles: Mapping[str, Style]) -> str:
    """A table with one row a row of the comparison, one column a reason, the most frequent first."""
    counts: dict[str, int] = {}
    for entry in entries:
        for reason, count in entry.counts.get("failures", {}).items():
            counts[reason] = counts.get(reason, 0) + count
    reasons = sorted(counts, key=lambda reason: -counts[reason])
    stages = {"requested": "requested", "built": "built", "fingerprinted": "with a fingerprint", "valid": "valid"}
    heads = "".join(f'<th scope="col" class="number">{words}</th>' for words in stages.values())
    heads += "".join(f'<th scope="col" class="number">{escape(reason.replace("_", " "))}</th>' for reason in reasons)
    rows = ""
    for entry in entries:
        style, failed = styles[entry.name], entry.counts.get("failures", {})
        cells = "".join(f'<td class="number">{entry.counts.get(stage, 0):,}</td>' for stage in stages)
        cells += "".join(f'<td class="number">{failed.get(reason, 0) or "·"}</td>' for reason in reasons)
        rows += f'<tr class="{style.css}"><th scope="row">{style.label()}</th>{cells}</tr>'
    note = "" if reasons else '<p class="note">No sample failed.</p>'
    return (
        '<div class="block"><h3>Failures by reason</h3><div class="scroll" tabindex="0" role="region" '
        'aria-label="Failures by reason"><table class="compare plain"><thead><tr><td></td>'
        f"{heads}</tr></thead><tbody>{rows}</tbody></table></div>{note}</div>"
    )
