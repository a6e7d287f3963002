from __future__ import annotations

from functools import cache

import pytest
import torch

from nucleate.crystals import Padded
from nucleate.generation.sampling import generate
from nucleate.models.crystal_llm import CrystalLLM
from nucleate.models.crystal_llm.config import CrystalLLMConfig
from nucleate.models.crystal_llm.tokens import CrystalTokens
from nucleate.models.generator import Example, Task
from nucleate.models.networks.llama import LlamaConfig
from tests.contract.suite import GeneratorContract, some_crystals


@cache
def _described() -> torch.Tensor:
    return CrystalTokens().describe(some_crystals())


class CrystalLLMContract(GeneratorContract):
    """The language sees crystals as their symmetry does, before training: there, cells and origins are tested."""

    atomwise = frozenset()

    def build(self) -> CrystalLLM:
        llama = LlamaConfig(width=32, layers=2, heads=4, inner=64)
        return CrystalLLM(CrystalLLMConfig(task=self.task.value, llama=llama, smoothing=0.1))

    def data(self) -> Padded:
        return super().data()._replace(labels=_described().clone())

    def translated(self, example: Example, shift: torch.Tensor) -> Example:
        return example._replace(crystals=example.crystals._replace(frac=example.crystals.frac + shift))

    def test_every_parameter_gets_a_gradient(self):
        generator = self.awake()
        generator.loss(self.example(generator))["loss"].backward()
        silent = [n for n, p in generator.named_parameters() if p.grad is None or not bool(p.grad.abs().sum() > 0)]
        assert silent == []

    def test_padding_of_documents_changes_nothing(self):
        generator = self.awake()
        example = self.example(generator)
        wider = {
            "tokens": torch.nn.functional.pad(example.noise["tokens"], (0, 5), value=generator.language.pad),
            "mask": torch.nn.functional.pad(example.noise["mask"], (0, 5)),
            "answer": torch.nn.functional.pad(example.noise["answer"], (0, 5)),
        }
        torch.testing.assert_close(
            generator.loss(Example(example.crystals, wider))["loss"], generator.loss(example)["loss"]
        )

    def test_smoothing_is_a_mean_over_three_places(self):
        generator = self.awake()
        example = self.example(generator)
        sharp = CrystalLLM(CrystalLLMConfig(task=self.task.value, llama=generator.config.llama))
        sharp.load_state_dict(generator.state_dict())
        assert float(sharp.loss(example)["loss"]) != float(generator.loss(example)["loss"])
        assert float(sharp.loss(example)["structure"]) == pytest.approx(float(generator.loss(example)["structure"]))

    def test_all_answers_can_be_read_under_the_grammar_and_hardly_any_without(self):
        generator = self.awake()
        asked = some_crystals(20, seed=7).numbers_of_each() if self.task is Task.CSP else None
        constrained = generate(generator, 20, compositions=asked, draws=1)
        free = generate(generator, 20, compositions=asked, draws=1, options={"constrained": False})
        assert constrained.built.all()
        assert len(free) == 20
        assert free.built.sum() < 10
        assert all(free.failures[~free.built])

    def test_conditions_reach_the_prompt(self):
        asked = some_crystals(4, seed=7).numbers_of_each() if self.task is Task.CSP else None
        made = generate(self.awake(), 4, compositions=asked, draws=1, options={"space_group": 1})
        assert made.built.all()
        assert set(made.info["written_space_group"]) == {1}


class TestCsp(CrystalLLMContract):
    task = Task.CSP


class TestDng(CrystalLLMContract):
    task = Task.DNG
