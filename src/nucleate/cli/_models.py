"""What is said of a model before it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from nucleate.models.generator import Generator


def warn_of_unknown_elements(generator: Generator) -> None:
    """Says so in one line if nobody knows which elements the model was trained on."""
    if not generator.known_elements:
        typer.echo(
            f"these {generator.family} weights do not say which elements they were trained on, and what they make of "
            "others is a guess",
            err=True,
        )
