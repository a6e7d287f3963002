"""`latent` from the command line, with an untrained model in a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from nucleate.cli import main
from nucleate.crystals import Crystals
from nucleate.files import read, write
from nucleate.models.cdvae import CDVAE, CDVAEConfig
from nucleate.models.checkpoint import save_weights
from nucleate.models.flowmm import FlowMM, FlowMMConfig
from nucleate.models.networks.pairformer import PairformerConfig
from tests.contract.suite import some_crystals
from tests.contract.test_cdvae import SMALL


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    torch.manual_seed(0)
    model = CDVAE(CDVAEConfig(task="dng", **SMALL))
    model.fit(some_crystals(200).to(dtype=torch.float32).padded())
    path = tmp_path_factory.mktemp("model") / "cdvae.safetensors"
    save_weights(model, path)
    return str(path)


@pytest.fixture
def crystals(tmp_path) -> Path:
    path = tmp_path / "crystals.extxyz"
    write(some_crystals(6, seed=2), path)
    return path


def test_reconstruct(model, crystals, tmp_path):
    out = tmp_path / "again.parquet"
    arguments = ["--model", model, "--out", str(out), "--steps", "2", "-n", "4", "--keep-composition"]
    assert main(["latent", "reconstruct", str(crystals), *arguments]) == 0
    drawn = read(out)
    assert drawn.info["reference_index"].tolist() == [0, 1, 2, 3]
    assert [sorted(z) for z in drawn.numbers_of_each()] == [sorted(z) for z in read(crystals)[:4].numbers_of_each()]


def test_interpolate(model, tmp_path):
    ends = [tmp_path / "first.cif", tmp_path / "last.cif"]
    for i, end in enumerate(ends):
        write(some_crystals(2)[i], end)
    out = tmp_path / "way.parquet"
    assert main(["latent", "interpolate", *map(str, ends), "--model", model, "--out", str(out), "--steps", "2"]) == 0
    np.testing.assert_allclose(read(out).info["position"], np.linspace(0, 1, 9), rtol=1e-6)


def test_optimise(model, crystals, tmp_path, capsys):
    train = tmp_path / "data" / "train.parquet"
    train.parent.mkdir()
    made = some_crystals(60, seed=8)
    write(made.with_info(hardness=[np.nan, *np.arange(59.0)]), train)
    write(made[:5], train.with_name("val.parquet"))
    out = tmp_path / "found.parquet"
    arguments = ["--property", "hardness", "--data", str(train.parent), "--keep", "2", "--moves", "4", "--steps", "2"]
    call = ["latent", "optimise", str(crystals), "--model", model, "--out", str(out), "-n", "3", *arguments]
    assert main([*call, "--maximise"]) == 0
    found = read(out)
    assert found.info["start"].tolist() == [0, 0, 1, 1, 2, 2]
    assert found.info["move"].tolist() == [2, 4] * 3
    assert np.isfinite(found.info["predicted"]).all()
    assert np.array_equal(np.isfinite(found.info["predicted_again"]), found.built)
    assert not np.isfinite(found.info["judged"][~found.built]).any()
    said, remarks = capsys.readouterr()
    assert "hardness is unknown for 1 of 60 crystals" in remarks
    assert "SR10" in said
    assert "of the judge" in said


def test_what_the_model_cannot_know_is_counted(model, tmp_path, capsys):
    """Among starts and in the data set that the property is learnt from."""
    argon = Crystals.build([[18]], [np.zeros((1, 3))], 4 * np.eye(3)[None])
    large = Crystals.build([[8] * 7], [np.linspace(0, 0.9, 21).reshape(7, 3)], 6 * np.eye(3)[None])
    starts = tmp_path / "starts.parquet"
    write(Crystals.concat([argon, some_crystals(2, seed=2)]), starts)
    train = tmp_path / "data" / "train.parquet"
    train.parent.mkdir()
    made = Crystals.concat([some_crystals(60, seed=8), large, large, argon])
    write(made.with_info(hardness=np.arange(63.0)), train)
    out = tmp_path / "found.parquet"
    arguments = ["--property", "hardness", "--data", str(train.parent), "--keep", "2", "--moves", "2", "--steps", "2"]
    assert main(["latent", "optimise", str(starts), "--model", model, "--out", str(out), *arguments]) == 0
    assert read(out).failures[:2].tolist() == ["unseen_element"] * 2
    said = capsys.readouterr()
    assert "2 unseen_element" in said.out
    assert f"not learnt from, of 63 crystals of {train.parent}: 2 too_many_atoms, 1 unseen_element" in said.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["reconstruct", "nothing.cif"], "nothing.cif"),
        (["reconstruct", "prototypes:val", "-n", "0"], "at least 1"),
        (["optimise", "prototypes:val", "--keep", "5", "--moves", "3"], "no more than there are moves"),
        (
            ["optimise", "prototypes:val", "-n", "1", "--data", "prototypes", "--property", "taste"],
            "no property 'taste'",
        ),
        (["interpolate", "prototypes:val", "prototypes:val"], "not one crystal"),
    ],
)
def test_bad_input_is_one_line(model, tmp_path, capsys, arguments, words):
    out = tmp_path / "out.parquet"
    assert main(["latent", *arguments, "--model", model, "--out", str(out)]) == 2
    _, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert words in err
    assert not out.exists()


def test_a_model_without_a_latent_is_refused(tmp_path, capsys):
    network = PairformerConfig(width=16, pair_width=8, layers=1, heads=2)
    flow = FlowMM(FlowMMConfig(task="csp", backbone="pairformer", pairformer=network))
    flow.fit(some_crystals().to(dtype=torch.float32).padded())
    path = tmp_path / "flow.safetensors"
    save_weights(flow, path)
    out = str(tmp_path / "out.parquet")
    assert main(["latent", "reconstruct", "prototypes:val", "--model", str(path), "--out", out]) == 2
    assert "flowmm has no latent" in capsys.readouterr().err
