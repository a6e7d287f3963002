from __future__ import annotations

import pytest

from nucleate.models.flowmm import FlowMM, FlowMMConfig
from nucleate.models.generator import Task
from nucleate.models.networks.cspnet import CSPNetConfig
from nucleate.models.networks.pairformer import PairformerConfig
from nucleate.models.parts.lattice import LatticeConfig
from tests.contract.suite import GeneratorContract

PAPER = {"backbone": "cspnet", "cspnet": CSPNetConfig(width=32, layers=2, frequencies=8, time_width=16)}
SMALL = {
    "backbone": "pairformer",
    "pairformer": PairformerConfig(width=32, pair_width=16, layers=2, heads=4),
    "lattice": LatticeConfig(volume_scaled=True, standardised=True),
    "types": "posterior",
    "frac_weight": 12.0,
    "lattice_weight": 0.1,
    "types_weight": 0.5,
}


class FlowMMContract(GeneratorContract):
    settings: dict
    atomwise = frozenset({"frac", "bits"})

    def build(self) -> FlowMM:
        return FlowMM(FlowMMConfig(task=self.task.value, **self.settings))


class TestPaperCsp(FlowMMContract):
    task, settings = Task.CSP, PAPER


class TestPaperDng(FlowMMContract):
    task, settings = Task.DNG, PAPER


class TestSmallCsp(FlowMMContract):
    task, settings = Task.CSP, SMALL


class TestSmallDng(FlowMMContract):
    task, settings = Task.DNG, SMALL


def test_the_configuration_survives_json():
    config = FlowMMConfig(task="dng", **SMALL)
    from dataclasses import asdict

    assert FlowMM.from_config(asdict(config)).config == config


def test_unknown_settings_are_refused():
    with pytest.raises(ValueError, match="has no sloope"):
        FlowMM.from_config({"task": "csp", "sloope": 1})
