"""The page around the payload."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from importlib.resources import files
from typing import Any

from nucleate.drawing.html import json_for_html

# The browser itself keeps the promise that nothing is loaded.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:"
_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cg fill='%230072b2'%3E"
    "%3Ccircle cx='5' cy='10' r='3.4'/%3E%3Ccircle cx='11.5' cy='5' r='2.6' fill='%23e69f00'/%3E%3C/g%3E%3C/svg%3E"
)


def page_html(header: Mapping[str, Any], data: str = "") -> str:
    """Renders the page.

    Args:
        header: of the payload.
        data: all sections in base64; empty for a page that asks the server it came from.
    """
    policy = _POLICY if data else f"{_POLICY}; connect-src 'self'"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="light dark">
<title>{escape(str(header["title"]))}</title>
<link rel="icon" href="{_ICON}">
<style>
{_asset("page.css")}</style>
</head>
<body>
<div id="app"><p class="opening" role="status">Opening {int(header["rows"]):,} crystals …</p></div>
<noscript><p class="opening">The map is drawn with JavaScript, which is off in this browser.</p></noscript>
<script type="application/json" id="header">{json_for_html(header)}</script>
<script type="text/plain" id="data">{data}</script>
<script type="module">
{_asset("bundle.js")}</script>
</body>
</html>
"""


def _asset(name: str) -> str:
    return files("nucleate.explorer.page").joinpath(name).read_text(encoding="utf-8")
