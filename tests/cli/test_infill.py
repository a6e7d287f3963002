"""`infill` from the command line, with an untrained language model in a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from nucleate.cli import main
from nucleate.crystals import Crystals
from nucleate.files import read, write
from nucleate.models.checkpoint import save_weights
from nucleate.models.crystal_llm import CrystalLLM
from nucleate.models.crystal_llm.config import CrystalLLMConfig
from nucleate.models.networks.llama import LlamaConfig
from tests.contract.suite import some_crystals


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    torch.manual_seed(0)
    model = CrystalLLM(CrystalLLMConfig(task="dng", llama=LlamaConfig(width=32, layers=1, heads=2, inner=32)))
    model.fit(some_crystals(200).to(dtype=torch.float32).padded())
    path = tmp_path_factory.mktemp("model") / "llm.safetensors"
    save_weights(model, path)
    return str(path)


def salt(*numbers: int) -> Crystals:
    frac = np.linspace(0, 1, len(numbers), endpoint=False)[:, None] * np.ones(3)
    return Crystals.build([list(numbers)], [frac], 5 * np.eye(3)[None])


@pytest.fixture
def mixed(tmp_path) -> Path:
    """Na Cl, Li Cl, argon, one that is too large, one that could not be read, and Na O."""
    parts = [salt(11, 17), salt(3, 17), salt(18), salt(*[8] * 7), Crystals.failed(["unparseable"]), salt(11, 8)]
    path = tmp_path / "mixed.parquet"
    write(Crystals.concat(parts), path)
    return path


def test_what_is_left_out_is_counted_and_rows_point_to_the_input(model, mixed, tmp_path, capsys):
    out = tmp_path / "filled.parquet"
    assert main(["infill", str(mixed), "--model", model, "--element", "Na", "--best", "2", "--out", str(out)]) == 0
    filled = read(out)
    assert filled.info["reference_index"].tolist() == [0, 5, 0, 5]
    assert filled.info["rank"].tolist() == [0, 0, 1, 1]
    assert set(filled.info["hidden"]) == {"Na"}
    said = capsys.readouterr()
    assert "filled.parquet: 2 crystals; the hidden element is" in said.out
    (line,) = said.err.splitlines()
    assert line.startswith("left out, of 6 crystals: ")
    counts = set(line.partition(": ")[2].split(", "))
    assert counts == {"1 no_Na", "1 unseen_element", "1 too_many_atoms", "1 unparseable"}


def test_the_first_n_are_rows_of_the_input(model, mixed, tmp_path, capsys):
    out = tmp_path / "filled.parquet"
    assert main(["infill", str(mixed), "--model", model, "-n", "2", "--out", str(out)]) == 0
    assert read(out).info["reference_index"].tolist() == [0, 1]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--best", "0"], "--best 0: at least 1"),
        (["--best", "200"], "best 200: there are 4 elements to fill in, so ask for 1 to 4"),
        (["-n", "0"], "-n 0: at least 1"),
        (["--element", "Ar"], "Ar: the model was trained on crystals without it"),
        (["--element", "Ti"], "no crystal to hide an element in: 3 no_Ti"),
        (["--element", "Xx"], "there is no such element"),
    ],
)
def test_bad_input_is_one_line(model, mixed, tmp_path, capsys, arguments, says):
    out = tmp_path / "filled.parquet"
    assert main(["infill", str(mixed), "--model", model, "--out", str(out), *arguments]) == 2
    _, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert says in err
    assert not out.exists()


def test_a_crystal_of_500_atoms_is_refused_at_once_in_the_words_of_latent(model, tmp_path, capsys):
    large = tmp_path / "large.cif"
    rng = np.random.default_rng(0)
    write(Crystals.build([[11] * 500], [rng.random((500, 3))], 21 * np.eye(3)[None]), large)
    assert main(["infill", str(large), "--model", model, "--out", str(tmp_path / "x.parquet")]) == 2
    assert "Na500 has 500 atoms; the model was trained on cells of up to 6" in capsys.readouterr().err
