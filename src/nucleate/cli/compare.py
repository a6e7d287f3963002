"""`nucleate compare`: metrics of several models side by side."""

from __future__ import annotations

import typer

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)
