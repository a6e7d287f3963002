"""The whole way with a tiny LLaMA: adapters learn a few crystals, are saved and loaded, and write them again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from nucleate.crystals import Crystals, Padded
from nucleate.models.crystal_llm.config import SamplingConfig
from nucleate.models.crystal_llm.decoding import write_answers
from nucleate.models.crystal_llm.language import Documents, Wish
from nucleate.models.crystal_llm.prompts import TasksConfig
from nucleate.models.crystal_llm.text import write
from nucleate.models.crystal_llm.text_language import TextConfig, TextLanguage, load_tokenizer
from nucleate.models.generator import Example, Generator, Request
from nucleate.models.networks.pretrained import PretrainedConfig, PretrainedNetwork
from nucleate.training.config import TrainingConfig
from nucleate.training.loop import Trainer
from nucleate.training.run_folder import RunFolder
from tests.models.crystal_llm.tiny import byte_tokenizer, save_tiny_llama, two_crystals

LAYERS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
TEXT = TextConfig(
    translate=False,
    shuffle=False,
    tasks=TasksConfig(infill=0.3, unconditional=0.0, formula=1.0, space_group=0.0, e_above_hull=0.0, band_gap=0.0),
)
GREEDY = SamplingConfig(temperature=0.0, constrained=False)


class TextGenerator(Generator):
    """As little as the loop asks for."""

    family: ClassVar[str] = "text"

    def __init__(self, config: PretrainedConfig) -> None:
        super().__init__()
        self.config = config
        self.language = TextLanguage(load_tokenizer(config.model), TEXT)
        self.network = PretrainedNetwork(config, self.language.vocabulary)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> TextGenerator:
        raise NotImplementedError

    max_atoms = 6

    def fit(self, data: Padded) -> None: ...

    def describe(self, crystals: Crystals, **_: Any) -> torch.Tensor:
        return self.language.describe(crystals)

    def draw(self, batch: Padded, rng: torch.Generator) -> Example:
        return Example(batch, self.language.documents(batch, rng)._asdict())

    def loss(self, example: Example) -> dict[str, torch.Tensor]:
        tokens, mask, answer = Documents(**example.noise)
        logits = self.network(tokens, mask)[:, :-1].float()
        nats = torch.nn.functional.cross_entropy(logits.mT, tokens[:, 1:], reduction="none")
        return {"loss": ((nats * answer[:, 1:]).sum(1) / answer.sum(1)).mean()}

    def sample(self, request: Request, rng: torch.Generator) -> Crystals:
        raise NotImplementedError

    def draw_sizes(self, count: int, rng: torch.Generator) -> torch.Tensor:
        raise NotImplementedError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny LLaMA whose embedding and head tell tokens apart, as those of a pretrained model do."""
    return save_tiny_llama(tmp_path_factory.mktemp("llama"), byte_tokenizer(), spread=1.0)


def generator(folder, **changes) -> TextGenerator:
    torch.manual_seed(0)
    plain = PretrainedConfig(model=str(folder), rank=16, alpha=32.0, targets=LAYERS, bits=32, dropout=0.0)
    return TextGenerator(replace(plain, **changes))


def trainer(model: TextGenerator, folder, **changes) -> Trainer:
    config = TrainingConfig(batch=4, warmup=5, learning_rate=1e-2, precision="fp32", ema=0.0, compile="off")
    folder.mkdir(exist_ok=True)
    data = Crystals.concat([SALTS] * 2)
    return Trainer(model, data, SALTS, replace(config, **changes), RunFolder(folder))


ROCK_SALT = two_crystals()[0]
SALTS = Crystals.concat([ROCK_SALT, replace(ROCK_SALT, numbers=torch.tensor([9, 3], dtype=torch.uint8))])
WISHES = [Wish(numbers=tuple(numbers.tolist())) for numbers in SALTS.numbers_of_each()]


def taught(folder, run, steps: int, infill: float, **changes) -> Trainer:
    """Trained on one of the two tasks."""
    model = generator(folder, **changes)
    model.language.config = replace(TEXT, tasks=replace(TEXT.tasks, infill=infill))
    whole = trainer(model, run, learning_rate=1e-2 if model.config.rank else 5e-3)
    for step in range(steps):
        whole.train_step(step / steps)
    return whole


@pytest.mark.slow
def test_adapters_learn_crystals_and_write_them_again_after_loading(folder, tmp_path):
    taught(folder, tmp_path, 150, infill=0.0).save()
    again = trainer(generator(folder), tmp_path)
    again.resume()
    model = again.generator.eval()
    answers = write_answers(model.network, model.language, WISHES, GREEDY, torch.Generator())
    written = model.language.read(answers, WISHES)
    assert written.failures.tolist() == ["", ""]
    assert write(written) == write(SALTS)


@pytest.mark.slow
def test_a_model_learns_which_element_is_hidden(folder, tmp_path):
    model = taught(folder, tmp_path, 400, infill=1.0, rank=0).generator.eval()
    elements = torch.tensor([3, 9, 11, 17])
    for row, hidden in ((0, 11), (0, 17), (1, 9), (1, 3)):
        block = SALTS[np.full(4, row)].padded()
        documents = model.language.fillings(block, torch.full((4,), hidden), elements)
        with torch.no_grad():
            logp = model.network(documents.tokens, documents.mask)[:, :-1].log_softmax(-1)
        own = logp.gather(-1, documents.tokens[:, 1:, None])[..., 0] * documents.answer[:, 1:]
        assert int(elements[own.sum(1).argmax()]) == hidden


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_training_with_dropout_goes_on_bitwise(folder, tmp_path, ema):
    def begun(name: str) -> Trainer:
        return trainer(generator(folder, dropout=0.2), tmp_path / name, ema=ema, batch=2)

    whole = begun("whole")
    for _ in range(4):
        expected = whole.train_step(0.5)
    cut = begun("cut")
    for _ in range(2):
        cut.train_step(0.5)
    cut.validate()
    cut.save()
    torch.rand(7)
    resumed = begun("cut")
    resumed.resume()
    for _ in range(2):
        terms = resumed.train_step(0.5)
    assert float(terms["loss"]) == float(expected["loss"])
    for name, value in whole.ema.model.state_dict().items():
        assert torch.equal(value, resumed.ema.model.state_dict()[name]), name


def test_checkpoints_hold_no_frozen_weights(folder, tmp_path):
    begun = trainer(generator(folder), tmp_path)
    begun.train_step(0.0)
    begun.save()
    state = torch.load(begun.folder.checkpoint, weights_only=True)
    trained = {name for name, weight in begun.generator.named_parameters() if weight.requires_grad}
    assert set(state["model"]) == set(state["ema"]) == trained
    assert len(state["optimizers"][0]["state"]) == len(trained)


def test_validation_is_without_dropout(folder, tmp_path):
    for ema in (0.0, 0.9):
        begun = trainer(generator(folder, dropout=0.9), tmp_path / str(ema), ema=ema)
        begun.train_step(0.5)
        begun.train_step(0.5)
        plain = trainer(generator(folder, dropout=0.0), tmp_path / f"{ema}-plain", ema=ema)
        plain.ema.model.load_state_dict(begun.ema.model.state_dict())
        assert begun.validate() == plain.validate()
        assert begun.generator.training


def test_packing_leaves_the_loss(folder):
    example = None
    losses = []
    for packed in (0, 400):
        model = generator(folder, packed=packed)
        block = SALTS.padded()._replace(labels=model.describe(SALTS))
        example = example or model.draw(block, torch.Generator().manual_seed(0))
        losses.append(model.loss(example)["loss"])
    torch.testing.assert_close(losses[0], losses[1], rtol=1e-5, atol=1e-6)
