"""The command line: `nucleate VERB …`, one module a verb, errors in one line.

Exit codes: 0 done, 2 bad input, 130 interrupted, 1 anything else. An unexpected exception is a bug and keeps its
traceback.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from nucleate import __version__
from nucleate.cli.verbs import Verbs
from nucleate.errors import UserError

app = typer.Typer(
    cls=Verbs,
    add_completion=False,
    rich_markup_mode=None,
    subcommand_metavar="VERB ...",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)


def _show_version(wanted: bool) -> bool:
    if wanted:
        typer.echo(f"nucleate {__version__}")
        raise typer.Exit
    return wanted


@app.callback()
def nucleate(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Train, run, judge and show generative models of inorganic crystals."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one verb.

    Args:
        arguments: what follows `nucleate` on the command line; that of this process by default.

    Returns:
        The exit code. With 2 and 130 exactly one line has been written to stderr.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    group = typer.main.get_command(app)
    try:
        with group.make_context("nucleate", arguments or ["--help"]) as context:
            group.invoke(context)
        sys.stdout.flush()
    except typer.Exit as request:
        return request.exit_code
    except typer.TyperException as error:
        return _complain(error.format_message() + _where_to_look(error), error.exit_code)
    except UserError as error:
        return _complain(str(error), 2)
    except (KeyboardInterrupt, typer.Abort):
        return _complain("interrupted", 130)
    except BrokenPipeError:
        # Whoever read the output has seen enough; what is still buffered goes nowhere instead of failing at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def _where_to_look(error: typer.TyperException) -> str:
    """Names the help page of the verb that was called wrongly."""
    context = getattr(error, "ctx", None)
    return f" (see {context.command_path} --help)" if context else ""


def _complain(message: str, code: int) -> int:
    """Writes one line to stderr and returns the exit code."""
    typer.echo(f"nucleate: {' '.join(message.split())}", err=True)
    return code
