"""The command line: its verbs and flags are a contract, and every error is one line."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import pytest
import typer

from nucleate import __version__
from nucleate.cli import app, main
from nucleate.cli.verbs import VERBS, Verbs
from nucleate.errors import UserError

EVALUATE = ("--reference", "--out", "--per-crystal", "--oxidation-states", "--jobs", "--overwrite")
LATENT = ("--model", "--out", "--steps", "--seed", "--overwrite")

# What scripts may rely on. A new verb or flag is added here on purpose; a removed one breaks somebody's script.
CONTRACT = {
    "data list": {},
    "data fetch": {"NAME"},
    "data describe": {"NAME", "--split", "--out"},
    "train": {
        *("MODEL", "--task", "--data", "--out", "--recipe", "--budget", "--epochs", "--init", "--base", "--resume"),
        *("--overwrite", "--seed"),
    },
    "generate": {
        *("MODEL", "-n", "--count", "--out", "--formulas", "--per-formula", "--draws", "--steps", "--seed"),
        *("--sampler", "--condition", "--temperature", "--overwrite"),
    },
    "predict": {"FORMULA", "-n", "--count", "--model", "--out", "--steps", "--seed", "--overwrite"},
    "infill": {"CRYSTALS", "--out", "--element", "--model", "-n", "--count", "--best", "--seed", "--overwrite"},
    "latent reconstruct": {"CRYSTALS", *LATENT, "-n", "--count", "--keep-composition"},
    "latent interpolate": {"FIRST", "LAST", *LATENT, "-n", "--count"},
    "latent optimise": {
        *("CRYSTALS", *LATENT, "-n", "--count", "--property", "--data", "--maximise", "--target", "--keep", "--moves"),
        "--leash",
    },
    "evaluate csp": {"SAMPLES", *EVALUATE, "--pair"},
    "evaluate dng": {"SAMPLES", *EVALUATE, "--training", "--cutoffs", "--seed"},
    "explore": {
        *("SAMPLES", "--reference", "--no-reference-points", "--out", "--overwrite", "--serve", "--port", "--title"),
        *("--embedding", "--jmp-code", "--jmp-checkpoint", "--projection", "-n", "--per-source", "--seed", "--jobs"),
    },
    "compare": {"INPUTS", "--out", "--tables", "--reference", "--task", "--title", "--jobs", "--overwrite"},
    "demo": {"--out", "--formulas", "--seed", "--overwrite"},
}
ALL_HAVE = frozenset({"--help", "-h"})


def interface(command, context) -> dict[str, frozenset[str]]:
    """Flags and arguments (in capitals) by verb, verbs of groups joined by a blank."""
    if hasattr(command, "commands"):
        found = {}
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            found |= interface(inner, inner.context_class(inner, info_name=name, parent=context))
        return found
    words = [
        word
        for parameter in command.params
        for word in (parameter.opts if parameter.param_type_name == "option" else [parameter.name.upper()])
    ]
    return {context.command_path.removeprefix("nucleate "): frozenset(words) - ALL_HAVE}


@pytest.fixture
def fake_verb(monkeypatch):
    """Adds a verb `fake` that raises what it is given."""

    def add(error: BaseException | None) -> None:
        module = ModuleType("nucleate.cli.fake")
        module.app = typer.Typer(add_completion=False)  # pyright: ignore[reportAttributeAccessIssue]

        @module.app.command()
        def fake(count: int = 0) -> None:
            """Does nothing."""
            if error is not None:
                raise error
            typer.echo(f"counted {count}")

        monkeypatch.setitem(sys.modules, "nucleate.cli.fake", module)
        monkeypatch.setitem(VERBS, "fake", "Does nothing.")

    return add


def test_the_verbs_and_their_flags_are_the_contract():
    group = typer.main.get_command(app)
    found = interface(group, group.context_class(group, info_name="nucleate"))
    assert found == {verb: frozenset(words) for verb, words in CONTRACT.items()}


def test_every_verb_is_listed_with_one_line(capsys):
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    for name, line in VERBS.items():
        assert f"  {name} " in out
        assert line.endswith(".")
        assert "\n" not in line


def test_no_arguments_shows_the_help(capsys):
    assert main([]) == 0
    assert "Usage: nucleate" in capsys.readouterr().out


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"nucleate {__version__}\n"


def test_a_verb_runs(fake_verb, capsys):
    fake_verb(None)
    assert main(["fake", "--count", "3"]) == 0
    assert capsys.readouterr().out == "counted 3\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["melt"], "no verb 'melt'; there are"),
        (["-z"], "No such option: -z (see nucleate --help)"),
        (["fake", "-z"], "No such option: -z (see nucleate fake --help)"),
        (["fake", "--count", "three"], "'--count'"),
        (["fake", "extra"], "unexpected extra argument"),
        (["data"], "Missing command. (see nucleate data --help)"),
        (["data", "melt"], "No such command 'melt'"),
        (["data", "describe"], "Missing argument 'name'. (see nucleate data describe --help)"),
    ],
)
def test_a_wrong_call_is_one_line_and_exit_code_2(fake_verb, capsys, arguments, words):
    fake_verb(None)
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("nucleate: ")
    assert err.count("\n") == 1
    assert words in err


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (UserError("formula 'Xx2': 'Xx' is not an element"), 2, "nucleate: formula 'Xx2': 'Xx' is not an element\n"),
        (UserError("two\n  lines"), 2, "nucleate: two lines\n"),
        (KeyboardInterrupt(), 130, "nucleate: interrupted\n"),
        (typer.Exit(3), 3, ""),
    ],
)
def test_what_a_verb_raises_becomes_one_line_and_an_exit_code(fake_verb, capsys, error, code, line):
    fake_verb(error)
    assert main(["fake"]) == code
    assert capsys.readouterr().err == line


def test_an_unexpected_exception_keeps_its_traceback(fake_verb):
    fake_verb(ZeroDivisionError("a bug"))
    with pytest.raises(ZeroDivisionError, match="a bug"):
        main(["fake"])


def test_a_reader_that_leaves_early_sees_no_traceback():
    # The verb waits for its output to be closed, then writes more of it than a pipe holds.
    script = (
        "import sys, types, typer\n"
        "from nucleate.cli import main\n"
        "from nucleate.cli.verbs import VERBS\n"
        "module = sys.modules['nucleate.cli.fake'] = types.ModuleType('fake')\n"
        "module.app, VERBS['fake'] = typer.Typer(), ''\n"
        "@module.app.command()\n"
        "def fake():\n"
        "    sys.stdin.read()\n"
        "    sys.stdout.write('x' * 1_000_000)\n"
        "sys.exit(main(['fake']))\n"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        process.stdin.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_help_imports_no_verb(monkeypatch, capsys):
    monkeypatch.setitem(VERBS, "broken", "A verb whose module does not exist.")
    assert main(["--help"]) == 0
    assert "broken" in capsys.readouterr().out
    assert "broken" in Verbs().list_commands(None)


def test_the_module_runs_as_the_command():
    run = subprocess.run([sys.executable, "-m", "nucleate", "--version"], capture_output=True, text=True, check=True)
    assert run.stdout == f"nucleate {__version__}\n"
