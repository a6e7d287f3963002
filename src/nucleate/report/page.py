"""One self-contained HTML page: a title, a summary, sections, and a footnote. It loads nothing from anywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path

from nucleate import __version__
from nucleate.files.atomic import replacing
from nucleate.report.sections import Section, Value, format_value

# The browser itself keeps the promise that nothing is loaded.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"


def write_page(
    path: str | Path,
    *,
    title: str,
    sections: Sequence[Section],
    summary: str = "",
    facts: Mapping[str, Value] | None = None,
    style: str = "",
    script: str = "",
) -> None:
    """Writes a page that any browser opens without a network.

    Args:
        path: where to write.
        title: of the page.
        sections: in their order, such as `KeyNumbers`, `Gallery`, `Table` and `Picture`.
        summary: one paragraph that says what this is.
        facts: how it was made, for the footnote: the model, the seed, the steps. The version is added.
        style: CSS of sections that bring their own.
        script: likewise JavaScript, which runs after the viewer's and the gallery's, in their module.

    Raises:
        UserError: a section is malformed, or the page cannot be written.
    """
    body = "\n".join(section.html() for section in sections)
    notes = {**(facts or {}), "Nucleate": __version__}
    footnote = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(format_value(value))}</dd></div>" for name, value in notes.items()
    )
    page = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(title)}</title>
<link rel="icon" href="data:,">
<style>
{_asset("page.css")}{style}</style>
</head>
<body>
<header><p class="brand">Nucleate</p><h1>{escape(title)}</h1><p class="summary">{escape(summary)}</p></header>
<main>
{body}
</main>
<footer class="bottom"><dl>{footnote}</dl></footer>
<noscript><p class="note">The cells are drawn with JavaScript, which is off in this browser.</p></noscript>
<script type="module">
{_asset("viewer.js", "nucleate.drawing")}
{_asset("gallery.js")}{script}</script>
</body>
</html>
"""
    with replacing(Path(path)) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _asset(name: str, room: str = "nucleate.report") -> str:
    return files(room).joinpath(name).read_text(encoding="utf-8")
