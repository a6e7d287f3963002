from __future__ import annotations

from functools import cache

import pytest
import torch

from nucleate.crystals import Padded
from nucleate.generation.sampling import generate
from nucleate.models.crystal_llm import CrystalLLM
from nucleate.models.crystal_llm.config import CrystalLLMConfig
from nucleate.models.flowllm import FlowLLM
from nucleate.models.flowllm.config import FlowLLMConfig
from nucleate.models.flowmm import FlowMM, FlowMMConfig
from nucleate.models.generator import Task
from nucleate.models.networks.llama import LlamaConfig
from nucleate.models.networks.pairformer import PairformerConfig
from nucleate.models.parts.lattice import LatticeConfig
from tests.contract.suite import GeneratorContract, some_crystals

LANGUAGE = CrystalLLMConfig(task="csp", llama=LlamaConfig(width=32, layers=2, heads=4, inner=64))
FLOW = FlowMMConfig(
    task="csp",
    base="given",
    backbone="pairformer",
    pairformer=PairformerConfig(width=32, pair_width=16, layers=2, heads=4),
    lattice=LatticeConfig(volume_scaled=True, standardised=True),
    frac_weight=12.0,
)


@cache
def _proposed() -> torch.Tensor:
    """Proposals of an untrained language model, which are as good as others here."""
    torch.manual_seed(4)
    return FlowLLM(FlowLLMConfig(task="csp", language=LANGUAGE, flow=FLOW)).describe(some_crystals())


class FlowLLMContract(GeneratorContract):
    def build(self) -> FlowLLM:
        return FlowLLM(FlowLLMConfig(task=self.task.value, language=LANGUAGE, flow=FLOW))

    def awake(self) -> FlowLLM:
        generator = super().awake()
        generator.language.elements[:] = True
        return generator

    def data(self) -> Padded:
        return super().data()._replace(labels=self.labels())

    def labels(self) -> torch.Tensor:
        return _proposed().clone()

    def test_every_parameter_gets_a_gradient(self):
        """Every one of the flow; the language model stays as it is."""
        generator = self.awake()
        generator.loss(self.example(generator))["loss"].backward()
        silent = {n for n, p in generator.named_parameters() if p.grad is None or not bool(p.grad.abs().sum() > 0)}
        assert silent == {n for n, _ in generator.named_parameters() if n.startswith("language.")}

    def test_paths_begin_near_the_proposals(self):
        generator = self.awake()
        data = self.data()
        example = generator.draw(data, torch.Generator().manual_seed(1))
        places = data.labels[:, 9:].view(len(data.numbers), -1, 3)[:, : data.numbers.shape[1]]
        apart = example.noise["frac"] - places
        apart = (apart - apart.round()) @ data.labels[:, :9].view(-1, 3, 3)
        off = apart[data.mask].norm(dim=-1)
        assert float(off.median()) < 3 * FLOW.base_frac

    def test_a_crystal_without_a_proposal_begins_with_noise(self):
        generator = self.awake()
        data = self.data()
        data.labels[0] = torch.nan
        example = generator.draw(data, torch.Generator().manual_seed(1))
        assert all(bool(value.isfinite().all()) for value in example.noise.values())
        assert bool(generator.loss(example)["loss"].isfinite())

    def test_parents_give_their_weights(self):
        torch.manual_seed(5)
        language, flow = CrystalLLM(LANGUAGE), FlowMM(FlowMMConfig(**{**FLOW.__dict__, "base": "noise"}))
        language.fit(super().data())
        child = self.build()
        assert child.adopt(language) == 1
        assert child.adopt(flow) == 1
        assert torch.equal(child.language.network.head.weight, language.network.head.weight)
        assert torch.equal(next(child.flow.parameters()), next(flow.parameters()))

    def test_a_proposal_that_cannot_be_read_stays_a_failure(self):
        asked = some_crystals(6, seed=7).numbers_of_each() if self.task is Task.CSP else None
        made = generate(self.awake(), 6, compositions=asked, draws=1, steps=2, options={"constrained": False})
        assert len(made) == 6
        assert not made.built.all()
        assert all(reason for reason in made.failures[~made.built])


class TestCsp(FlowLLMContract):
    task = Task.CSP


class TestDng(FlowLLMContract):
    task = Task.DNG


def test_a_flow_from_noise_is_refused():
    with pytest.raises(ValueError, match="given"):
        FlowLLMConfig(task="csp", flow=FlowMMConfig(task="csp"))
