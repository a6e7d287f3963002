"""Every reader under attack: what it reads is right, the rest is refused by name, and nothing else ever happens."""

from __future__ import annotations

import random
import re
from collections import Counter
from math import gcd
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nucleate.elements import SYMBOLS
from nucleate.errors import UserError
from nucleate.files import read
from nucleate.files.failures import Failure
from tests.files.fuzzing import SYMMETRIC, WORDS, WRITTEN, mutated, stated_elements, within_seconds
from tests.files.samples import MIXED, NACL

INTERNALS = re.compile(
    r"\b(IndexError|KeyError|AttributeError|TypeError|ValueError|ZeroDivisionError|RuntimeError|NoneType)\b"
)

FEW, MANY = 60, 2_000

REASONS = {"", *map(str, Failure)}

CSV = 'id,cif\na,"' + WRITTEN["cif"](NACL[0]).replace('"', '""') + '"\nb,"' + SYMMETRIC + '"\n'

SEEDS = {
    **{f"{suffix} of one": (suffix, write(NACL[0])) for suffix, write in WRITTEN.items()},
    **{f"{suffix} of several": (suffix, write(MIXED)) for suffix, write in WRITTEN.items() if suffix != "vasp"},
    "cif with symmetry": ("cif", SYMMETRIC),
    "csv": ("csv", CSV),
}


def attack(suffix: str, text: str, path: Path) -> None:
    """Reads a file; a crystal has to be one, and a refusal has to have a reason and words."""
    path.write_bytes(text.encode("utf-8", errors="surrogateescape"))
    with within_seconds():
        try:
            found = read(path, jobs=1)
        except UserError as error:
            assert "\n" not in str(error)  # noqa: PT017
            assert INTERNALS.search(str(error)) is None, str(error)  # noqa: PT017
            return
    details = found.info.get("detail", [""] * len(found))
    for reason, detail, numbers in zip(found.failures, details, found.numbers_of_each(), strict=True):
        assert bool(reason) == (not len(numbers))
        assert not reason or detail or reason not in REASONS
        assert INTERNALS.search(detail) is None, detail
    built = found[found.built]
    assert np.isfinite(built.frac.numpy()).all()
    assert np.isfinite(built.lattice.numpy()).all()
    if suffix == "cif" and len(found) == 1 and found.built[0]:
        assert_composition(Counter(SYMBOLS[z] for z in built.numbers_of_each()[0].tolist()), text)


def assert_composition(found: Counter[str], text: str) -> None:
    """A formula that the file states is a fraction of what was found."""
    stated = stated_elements(text)
    if stated is not None and text.lower().count("data_") == 1:
        assert reduced(found) == reduced(stated), text


def reduced(counts: Counter[str]) -> dict[str, int]:
    divisor = gcd(*counts.values())
    return {("H" if symbol in "DT" else symbol): count // divisor for symbol, count in counts.items() if count}


@pytest.mark.parametrize("case", SEEDS)
def test_a_few_accidents(case, tmp_path):
    suffix, text = SEEDS[case]
    rng = random.Random(case)  # noqa: S311
    attack(suffix, text, tmp_path / f"whole.{suffix}")
    for _ in range(FEW):
        attack(suffix, mutated(text, rng), tmp_path / f"attacked.{suffix}")


tokens = st.sampled_from(
    [*WORDS, "data_a", "loop_", "_cell_length_a", "_atom_site_fract_x", " ", "\n", "\n;", "1", "Na", "{"]
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([*WRITTEN, "csv", "jsonl", "tsv"]), st.one_of(st.text(), st.lists(tokens).map(" ".join)))
def test_any_text(tmp_path, suffix, text):
    attack(suffix, text, tmp_path / f"any.{suffix}")


@pytest.mark.slow
@pytest.mark.parametrize("case", SEEDS)
def test_many_accidents(case, tmp_path):
    suffix, text = SEEDS[case]
    rng = random.Random(f"many {case}")  # noqa: S311
    for _ in range(MANY if "symmetry" in case else MANY // 2):
        attack(suffix, mutated(text, rng), tmp_path / f"attacked.{suffix}")


@pytest.mark.slow
def test_real_files_with_accidents(shared, tmp_path):
    rng = random.Random(0)  # noqa: S311
    files = sorted(
        path for path in (shared / "faults").iterdir() if path.suffix in (".cif", ".mcif", ".vasp", ".extxyz", ".csv")
    )
    for path in files:
        text = path.read_text()
        for _ in range(MANY // len(files)):
            attack(path.suffix[1:], mutated(text, rng), tmp_path / f"attacked{path.suffix}")
