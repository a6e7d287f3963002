"""The pages tell the truth: their Python blocks run, and so do the commands of the tutorial."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import NamedTuple

import pytest

from nucleate.cli import main

DOCS = Path(__file__).parents[1] / "docs"
TUTORIAL = DOCS / "tutorial.md"


class Block(NamedTuple):
    language: str
    content: str


def blocks(page: Path) -> list[Block]:
    """Fenced blocks of a page; blank lines in front keep each in its place in the file, for tracebacks."""
    text = page.read_text()
    return [
        Block(found[1], "\n" * text[: found.start(2)].count("\n") + found[2])
        for found in re.finditer(r"^```(\w+)\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    ]


def run_command(line: str) -> None:
    program, *arguments = shlex.split(line)
    assert program == "nucleate", line
    assert main(arguments) == 0, line


@pytest.mark.parametrize(
    "page",
    [page for page in sorted(DOCS.glob("*.md")) if any(block.language == "python" for block in blocks(page))],
    ids=lambda page: page.name,
)
def test_blocks_of_a_page_run_one_after_the_other(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NUCLEATE_CACHE", str(tmp_path / "cache"))
    names: dict = {}
    for language, content in blocks(page):
        if language == "python":
            exec(compile(content, page, "exec"), names)  # noqa: S102
        elif language == "bash" and page == TUTORIAL:
            for line in filter(None, content.splitlines()):
                run_command(line)
