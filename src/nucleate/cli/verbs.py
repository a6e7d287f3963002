"""The verbs, one module each; a verb's module is imported when the verb is called, so that `--help` answers at once."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from nucleate.errors import UserError

VERBS: dict[str, str] = {
    "data": "Find, download and look into data sets.",
    "train": "Train a model; stop it at any moment, and go on.",
    "generate": "Generate crystals: new ones, or structures for given compositions.",
    "predict": "Predict structures for a composition.",
    "infill": "Say which element belongs where one was hidden, with a language model.",
    "latent": "Reconstruct, interpolate and optimise crystals in a model's latent space.",
    "evaluate": "Judge samples by the definitions of the published numbers.",
    "compare": "Set metrics side by side: one page, and tables for Markdown, CSV and LaTeX.",
    "explore": "Draw a map of crystals: one page to open, search and select from.",
    "demo": "See the shipped models at work: crystals, numbers, and a page to open.",
}
"""One line of help by name, in the order of the help page. `nucleate.cli.NAME` offers its `typer.Typer` as `app`."""


class Verbs(TyperGroup):
    """The group behind `nucleate`: it lists its verbs from `VERBS` and imports only the one that is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names of the verbs."""
        return list(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Imports a verb.

        Raises:
            UserError: there is no such verb.
        """
        if cmd_name not in VERBS:
            raise UserError(f"no verb {cmd_name!r}; there are {', '.join(VERBS)}")
        app: typer.Typer = import_module(f"nucleate.cli.{cmd_name}").app
        app.rich_markup_mode = None  # plain, as the list of verbs is
        command = typer.main.get_command(app)
        command.no_args_is_help = False  # a missing word is answered in one line, like every wrong call
        command.help = command.help or VERBS[cmd_name]
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Writes the list of verbs without importing any."""
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))
