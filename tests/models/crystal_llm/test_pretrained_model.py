"""The published way, end to end: a LLaMA and a tokenizer that the test makes, fine-tuned, saved, loaded and sampled."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from nucleate.datasets import load
from nucleate.errors import UserError
from nucleate.generation.infilling import rank_elements
from nucleate.generation.sampling import generate
from nucleate.models.checkpoint import load_weights
from nucleate.models.crystal_llm import CrystalLLM
from nucleate.models.networks.pretrained import PretrainedConfig
from nucleate.recipes import find_recipe, with_base
from nucleate.training.loop import Trainer
from nucleate.training.run_folder import RunFolder

pytest.importorskip("transformers")
pytest.importorskip("peft")


@pytest.fixture(scope="module")
def crystals():
    found = load("prototypes", "train")
    return found[found.counts.numpy() <= 4][:24]


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> str:
    """A folder with a tiny LLaMA and a tokenizer trained on crystals."""
    from tests.models.crystal_llm.tiny import byte_tokenizer, save_tiny_llama

    return str(save_tiny_llama(tmp_path_factory.mktemp("base"), byte_tokenizer()))


def _recipe(base: str):
    recipe = with_base(find_recipe("crystal-llm", "dng", "llama"), base)
    settings = PretrainedConfig(model=base, rank=8, targets=("q_proj", "v_proj", "up_proj", "down_proj", "lm_head"))
    return replace(recipe, model=replace(recipe.model, pretrained=settings))


def test_fine_tuned_saved_loaded_and_sampled(base, crystals, tmp_path):
    recipe = _recipe(base)
    model = CrystalLLM(recipe.model)
    model.fit(crystals.to(dtype=torch.float32).padded())
    training = replace(recipe.training, batch=8, chunk=4, epochs=8, learning_rate=1e-2, warmup=2, precision="fp32")
    (tmp_path / "run").mkdir()
    trainer = Trainer(model, crystals, crystals[:8], training, RunFolder(tmp_path / "run"))
    first = float(trainer.train_step(0.0)["loss"])
    assert trainer.run()
    assert float(trainer.validate()["loss"]) < 0.8 * first
    path = tmp_path / "run" / "last.safetensors"
    assert path.stat().st_size < 1_000_000  # adapters, not the model
    loaded = load_weights(path)
    made = [generate(one, 6, seed=1) for one in (model.eval(), loaded)]
    assert len(made[0]) == 6
    assert made[0].failures.tolist() == made[1].failures.tolist()
    assert torch.equal(made[0].numbers, made[1].numbers)
    assert all(reason for reason in made[0].failures[~made[0].built])
    scores = rank_elements(loaded, crystals[:2], [int(z[0]) for z in crystals[:2].numbers_of_each()])
    assert scores.shape == (2, 101)


def test_resuming_is_bitwise(base, crystals, tmp_path):
    def trainer(folder) -> Trainer:
        torch.manual_seed(0)
        recipe = _recipe(base)
        model = CrystalLLM(recipe.model)
        model.fit(crystals.to(dtype=torch.float32).padded())
        training = replace(recipe.training, batch=8, epochs=4, precision="fp32")
        return Trainer(model, crystals, crystals[:0], training, RunFolder(folder))

    whole = trainer(tmp_path / "whole")
    for _ in range(4):
        expected = whole.train_step(0.5)
    first = trainer(tmp_path / "cut")
    for _ in range(2):
        first.train_step(0.5)
    first.save()
    second = trainer(tmp_path / "cut")
    second.resume()
    for _ in range(2):
        terms = second.train_step(0.5)
    assert {n: float(v) for n, v in terms.items()} == {n: float(v) for n, v in expected.items()}


def test_a_base_is_for_text_alone(base):
    with pytest.raises(UserError, match="only crystal-llm with --recipe llama"):
        with_base(find_recipe("flowmm", "dng", "small"), base)
    nowhere = with_base(find_recipe("crystal-llm", "dng", "llama"), "/nowhere/at/all").model
    with pytest.raises(UserError, match="no tokenizer could be loaded"):
        CrystalLLM(nowhere)
