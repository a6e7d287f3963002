"""`nucleate explore`: a map of crystals as one page."""

from __future__ import annotations

import typer

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)
