"""What the README tells people to type exists, and so do the files that it and the docs point to."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest
import typer

from nucleate.cli import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands(text: str) -> list[list[str]]:
    """Words of each command in the bash blocks of a page."""
    blocks = re.findall(r"```bash\n(.*?)```", text, flags=re.DOTALL)
    lines = [line for block in blocks for line in re.split(r"\n|&&", block.replace("\\\n", " "))]
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def of(program: str, text: str) -> list[list[str]]:
    return [words for words in commands(text) if words[0] == program]


def test_the_two_commands_install_extras_that_exist():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [extra for words in of("pip", README) for word in words for extra in re.findall(r"^\.\[(\w+)\]$", word)]
    assert asked == ["all", "dev"]
    assert set(asked) <= project["optional-dependencies"].keys()


def test_the_two_commands_take_the_pinned_torch():
    pinned = re.search(r"^torch==\S+", (ROOT / "constraints.txt").read_text(), flags=re.MULTILINE)
    assert pinned
    assert [words[2] for words in of("pip", README) if words[2].startswith("torch")] == [pinned[0]] * 2
    assert all((ROOT / words[words.index("-c") + 1]).is_file() for words in of("pip", README))


def test_the_two_commands_end_in_the_demo_and_the_tests():
    installs = [block for block in re.findall(r"```bash\n(.*?)```", README, flags=re.DOTALL) if "pip install" in block]
    assert [block.split("&&")[-1].strip() for block in installs] == ["nucleate demo", "pytest"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_name_verbs_and_flags_that_exist(page):
    for words in of("nucleate", page.read_text()):
        command = typer.main.get_command(app)
        context = command.context_class(command, info_name="nucleate")
        rest = words[1:]
        while hasattr(command, "get_command"):
            command = command.get_command(context, rest.pop(0))
            assert command is not None, words
        known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
        flags = {word.split("=")[0] for word in rest if word.startswith("-")}
        assert flags <= known, words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    targets = re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text())
    assert not [target for target in targets if not (page.parent / target).exists()]
