"""`generate` and `predict` from the command line, with an untrained model in a file."""

from __future__ import annotations

import signal
from pathlib import Path

import numpy as np
import pytest
import torch

from nucleate.cli import main
from nucleate.crystals import Crystals
from nucleate.errors import UserError
from nucleate.files import read, write
from nucleate.generation.sampling import find_conditions
from nucleate.models.checkpoint import load_weights, save_weights
from nucleate.models.crystal_llm import CrystalLLM, CrystalLLMConfig
from nucleate.models.flowmm import FlowMM, FlowMMConfig, SamplingConfig
from nucleate.models.networks.pairformer import PairformerConfig
from tests.contract.suite import some_crystals


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    paths = {}
    for task in ("csp", "dng"):
        torch.manual_seed(0)
        network = PairformerConfig(width=16, pair_width=8, layers=1, heads=2)
        sampling = SamplingConfig(steps=3, draws=2)
        model = FlowMM(FlowMMConfig(task=task, backbone="pairformer", pairformer=network, sampling=sampling))
        model.fit(some_crystals(200).to(dtype=torch.float32).padded())
        paths[task] = folder / f"{task}.safetensors"
        save_weights(model, paths[task])
    return paths


def test_structures_for_formulas(models, tmp_path):
    out = tmp_path / "some.extxyz"
    arguments = ["--formulas", "Na2Cl2,LiCl", "--per-formula", "3", "--out", str(out), "--seed", "4"]
    assert main(["generate", str(models["csp"]), *arguments]) == 0
    crystals = read(out)
    assert crystals.formulas == ["Na2Cl2"] * 3 + ["LiCl"] * 3
    assert crystals.info["reference_index"].tolist() == [0, 0, 0, 1, 1, 1]
    assert crystals.info["rank"].tolist() == [0, 1, 2, 0, 1, 2]


def test_the_first_n_of_a_file(models, tmp_path):
    listed = tmp_path / "wanted.txt"
    listed.write_text("NaCl\nLiCl\nTiO2\n")
    out = tmp_path / "some.parquet"
    assert main(["generate", str(models["csp"]), "-n", "2", "--formulas", str(listed), "--out", str(out)]) == 0
    assert read(out).formulas == ["NaCl", "LiCl"]


def test_fewer_compositions_than_asked_for_are_said(models, tmp_path, capsys):
    out = tmp_path / "some.parquet"
    assert main(["generate", str(models["csp"]), "-n", "20", "--formulas", "NaCl", "--out", str(out)]) == 0
    assert capsys.readouterr().err == "-n 20: compositions in NaCl: 1; --per-formula makes more of each\n"


def test_new_crystals(models, tmp_path):
    out = tmp_path / "new.csv"
    assert main(["generate", str(models["dng"]), "-n", "7", "--out", str(out), "--steps", "2"]) == 0
    assert len(read(out)) == 7


def test_a_prediction_is_a_folder(models, tmp_path):
    out = tmp_path / "NaCl"
    assert main(["predict", "NaCl", "-n", "6", "--model", str(models["csp"]), "--out", str(out)]) == 0
    assert {path.name for path in out.iterdir()} == {"cifs", "structures.extxyz", "structures.png", "index.html"}
    together = read(out / "structures.extxyz")
    apart = read(out / "cifs")
    assert together.formulas == apart.formulas
    np.testing.assert_allclose(together.lattice.norm(dim=-1), apart.lattice.norm(dim=-1), rtol=1e-5)
    assert together.info["times_found"].tolist() == sorted(together.info["times_found"].tolist(), reverse=True)
    assert int(together.info["times_found"].sum()) <= 6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["generate", "CSP", "--out", "x.extxyz", "-n", "0", "--formulas", "NaCl"], "at least 1"),
        (["generate", "CSP", "--out", "x.extxyz"], "--formulas"),
        (["generate", "DNG", "--out", "x.extxyz", "--formulas", "NaCl"], "makes its own"),
        (["generate", "CSP", "--out", "x.extxyz", "--formulas", "NaXx"], "not an element"),
        (["generate", "CSP", "--out", "x.extxyz", "--formulas", "Na(Cl"], "not closed"),
        (["generate", "CSP", "--out", "x.extxyz", "--formulas", ""], "empty formula"),
        (["generate", "CSP", "--out", "x.extxyz", "--formulas", "Na40Cl40"], "up to 6"),
        (["generate", "CSP", "--out", "x.extxyz", "--formulas", "NaCl", "--steps", "0"], "at least 1"),
        (
            ["generate", "CSP", "--out", "x.extxyz", "--formulas", "NaCl", "--sampler", "langevin"],
            "no sampler",
        ),
        (["generate", "CSP", "--out", "x.docx", "--formulas", "NaCl"], "not known"),
        (["generate", "nothing", "--out", "x.extxyz"], "unknown model 'nothing'"),
        (["generate", "CSP", "--out", "x.extxyz", "--formulas", "NaCl,Ar2,BkO"], "Ar and Bk: the model was trained on"),
        (["predict", "ArO", "--model", "CSP", "--out", "x"], "Ar: the model was trained on crystals without it"),
        (["predict", "Na", "--model", "DNG", "--out", "x"], "trained for dng, not csp"),
        (["predict", "", "--model", "CSP", "--out", "x"], "empty formula"),
        (["predict", "NaCl", "--model", "CSP", "-n", "0", "--out", "x"], "at least 1"),
        (["predict", "NaCl4Li3", "--model", "CSP", "--out", "x"], "up to 6"),
    ],
)
def test_bad_input_is_one_line_and_code_2(arguments, message, models, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    named = {"CSP": str(models["csp"]), "DNG": str(models["dng"])}
    assert main([named.get(argument, argument) for argument in arguments]) == 2
    errors = capsys.readouterr().err.strip().splitlines()
    assert len(errors) == 1
    assert message in errors[0]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("x")]


def test_a_row_of_a_file_that_the_model_cannot_make_is_a_failure(models, tmp_path, capsys):
    cells = 5 * np.stack([np.eye(3)] * 3)
    asked = Crystals.build(
        [[8] * 7, [11, 17], [18]], [np.linspace(0, 0.9, 3 * n).reshape(n, 3) for n in (7, 2, 1)], cells
    )
    write(asked, tmp_path / "asked.parquet")
    out = tmp_path / "some.parquet"
    assert main(["generate", str(models["csp"]), "--formulas", str(tmp_path / "asked.parquet"), "--out", str(out)]) == 0
    assert read(out).failures.tolist() == ["too_many_atoms", "", "unseen_element"]
    assert read(out).info["reference_index"].tolist() == [0, 1, 2]
    said = capsys.readouterr().out
    assert "3 crystals, of which unusable: 1 too_many_atoms, 1 unseen_element; seed 0, and another --seed" in said


def test_weights_that_do_not_say_their_elements_are_said(models, tmp_path, capsys):
    model = load_weights(models["csp"])
    model.element_counts.zero_()
    save_weights(model, tmp_path / "old.safetensors")
    for verb in (["generate", "MODEL", "--formulas", "Ar"], ["predict", "Ar", "--model", "MODEL", "-n", "2"]):
        arguments = [str(tmp_path / "old.safetensors") if word == "MODEL" else word for word in verb]
        suffix = ".extxyz" if verb[0] == "generate" else ""
        assert main([*arguments, "--out", str(tmp_path / f"{verb[0]}{suffix}")]) == 0
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("these flowmm weights do not say which elements they were trained on")


def test_samples_of_a_prediction_that_could_not_be_built_are_said(models, tmp_path, monkeypatch, capsys):
    def some_flat(self, request, rng):
        sampled = sample(self, request, rng)
        return sampled._replace(lattice=torch.cat([0 * sampled.lattice[:1], sampled.lattice[1:]]))

    sample = FlowMM.sample
    monkeypatch.setattr(FlowMM, "sample", some_flat)
    out = tmp_path / "NaCl"
    assert main(["predict", "NaCl", "-n", "6", "--model", str(models["csp"]), "--out", str(out)]) == 0
    assert capsys.readouterr().err == "not built, of 6 samples: 1 zero_volume\n"
    assert "Not built: 1 zero_volume." in (out / "index.html").read_text(encoding="utf-8")
    assert int(read(out / "structures.extxyz").info["times_found"].sum()) == 5


@pytest.fixture
def heard():
    """SIGINT as in a terminal: what is started in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_is_finished_is_written_when_interrupted(models, tmp_path, monkeypatch, capsys, number):
    def second_time(self, request, rng):
        calls.append(len(request.numbers))
        if len(calls) == 2:
            signal.raise_signal(number)
        return sample(self, request, rng)

    calls, sample, before = [], FlowMM.sample, signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(FlowMM, "sample", second_time)
    monkeypatch.setattr(FlowMM, "pairs_at_once", 100)
    out = tmp_path / "some.parquet"
    assert main(["generate", str(models["dng"]), "-n", "30", "--out", str(out)]) == 130
    assert not out.exists()
    assert len(read(tmp_path / "interrupted-some.parquet")) == calls[0] < 30
    said = capsys.readouterr()
    assert f"interrupted-some.parquet: {calls[0]} crystals, those that were finished" in said.out
    assert said.err == "nucleate: interrupted\n"
    assert signal.getsignal(signal.SIGTERM) == before


def test_damaged_and_foreign_weights(models, tmp_path, capsys):
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(models["csp"].read_bytes()[:5000])
    foreign = tmp_path / "foreign.safetensors"
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(2)}, foreign)
    for path, message in ((cut, "truncated"), (foreign, "not written by Nucleate")):
        assert main(["generate", str(path), "--out", str(tmp_path / "x.extxyz"), "--formulas", "NaCl"]) == 2
        assert message in capsys.readouterr().err


def test_an_output_is_not_replaced_unasked(models, tmp_path, capsys):
    out = tmp_path / "x.extxyz"
    out.write_text("mine")
    arguments = ["generate", str(models["csp"]), "--formulas", "NaCl", "--out", str(out)]
    assert main(arguments) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert out.read_text() == "mine"
    assert main([*arguments, "--overwrite"]) == 0
    assert read(out).formulas == ["NaCl"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("space_group=231", "a whole number from 1 to 230 is needed"),
        ("space_group=2.5", "a whole number from 1 to 230 is needed"),
        ("band_gap=wide", "a number from 0 to 100 is needed"),
        ("colour=1", "crystal-llm has no condition 'colour'; it has space_group, e_above_hull, band_gap"),
    ],
)
def test_conditions_are_checked(asked, said):
    with pytest.raises(UserError, match=said):
        find_conditions(CrystalLLM(CrystalLLMConfig(task="dng")), [asked])


def test_a_condition_is_given_once():
    with pytest.raises(UserError, match="--condition space_group is given twice"):
        find_conditions(CrystalLLM(CrystalLLMConfig(task="dng")), ["space_group=225", "band_gap=1", "space_group=1"])


def test_a_family_without_temperature_says_so():
    with pytest.raises(UserError, match="flowmm draws at no temperature"):
        find_conditions(FlowMM(FlowMMConfig(task="csp")), [], 0.5)


def test_conditions_become_options():
    model = CrystalLLM(CrystalLLMConfig(task="dng"))
    found = find_conditions(model, ["space_group=225", "band_gap=1.5"], 0.7)
    assert found == {"space_group": 225, "band_gap": 1.5, "temperature": 0.7}
