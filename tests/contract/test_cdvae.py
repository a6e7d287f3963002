from __future__ import annotations

from dataclasses import asdict

import pytest
import torch

from nucleate.crystals import Padded
from nucleate.models.cdvae import CDVAE, CDVAEConfig
from nucleate.models.cdvae.config import NoiseConfig, PriorConfig, SamplingConfig, WeightsConfig
from nucleate.models.generator import Example, Task
from nucleate.models.networks.dimenet import DimeNetConfig
from nucleate.models.networks.gemnet import GemNetConfig
from nucleate.models.networks.vectorformer import VectorformerConfig
from nucleate.models.parts.lattice import LatticeConfig
from tests.contract.suite import GeneratorContract

TINY = VectorformerConfig(width=32, pair_width=16, vectors=4, layers=2, heads=4, radial_bins=12, radius=5.0)
SMALL = {
    "backbone": "vectorformer",
    "latent": 8,
    "width": 32,
    "encoder": TINY,
    "decoder": TINY,
    "composition": "spelled",
    "types": "given",
    "lattice": LatticeConfig(volume_scaled=True, standardised=True),
    "noise": NoiseConfig(centre=0.5, spread=1.0, couple=True, strain=0.02),
    "prior": PriorConfig(kind="flow", width=32, layers=2, steps=3, fit_steps=3),
    "weights": WeightsConfig(frac=2.0, lattice=4.0),
    "without_latent": 0.3,
    "sampling": SamplingConfig(method="flow", order="composition"),
}
PAPER = {
    "latent": 8,
    "width": 32,
    "dimenet": DimeNetConfig(
        width=16, triplet_width=8, basis_width=4, output_width=16, blocks=2, degrees=3, radial=4, radius=5.0
    ),
    "gemnet": GemNetConfig(width=16, triplet_width=8, basis_width=4, blocks=2, degrees=3, radial=16, radius=5.0),
    "lattice": LatticeConfig(angles="linear", volume_scaled=True, volumes="equal", standardised=True),
    "sampling": SamplingConfig(search_steps=5),
}

SKEW = torch.tensor([[1.0, 1.0, 0.0], [0.0, 1.0, -1.0], [0.0, 0.0, 1.0]])
"""Another basis of the same lattice."""


class CDVAEContract(GeneratorContract):
    settings: dict
    atomwise = frozenset({"moves", "types"})

    def build(self) -> CDVAE:
        return CDVAE(CDVAEConfig(task=self.task.value, **self.settings))

    def translated(self, example: Example, shift: torch.Tensor) -> Example:
        return Example(example.crystals._replace(frac=example.crystals.frac + shift), example.noise)

    def rotated(self, example: Example, rotation: torch.Tensor) -> Example:
        moved = example.crystals._replace(lattice=example.crystals.lattice @ rotation)
        noise = dict(example.noise)
        noise["moves"] = noise["moves"] @ rotation
        noise["strain"] = rotation.T @ noise["strain"] @ rotation
        return Example(moved, noise)

    # --- the choice of cell, which the paper's networks do not see either ------------------------------------------

    def in_another_cell(self, crystals: Padded) -> Padded:
        frac = crystals.frac @ torch.linalg.inv(SKEW)
        return crystals._replace(frac=frac, lattice=SKEW @ crystals.lattice)

    def test_the_encoder_ignores_the_choice_of_cell(self):
        generator = self.awake()
        for got, want in zip(
            generator.encode(self.in_another_cell(self.data())), generator.encode(self.data()), strict=True
        ):
            torch.testing.assert_close(got, want, rtol=1e-3, atol=1e-4)

    def test_the_coordinates_loss_ignores_the_choice_of_cell(self):
        generator = self.awake()
        example = self.example(generator)
        moved = Example(self.in_another_cell(example.crystals), example.noise)
        torch.testing.assert_close(generator.loss(moved)["frac"], generator.loss(example)["frac"], rtol=1e-3, atol=1e-5)

    def test_the_decoder_turns_with_the_crystal(self):
        """Rotation, inversion, origin, order of atoms and cell, all at once."""
        generator = self.awake()
        numbers, frac, lattice, mask = self.data()[:4]
        rng = torch.Generator().manual_seed(4)
        turn, _ = torch.linalg.qr(torch.randn(3, 3, generator=rng))
        order = torch.where(mask, torch.rand(mask.shape, generator=rng), 2.0).argsort(1)
        z = torch.randn(len(mask), 8, generator=rng)
        sigma = torch.full((len(mask),), 0.3)
        way_back, types = generator.way_back(Padded(numbers, frac, lattice, mask), z, sigma)
        moved = self.in_another_cell(Padded(numbers, frac + torch.tensor([0.2, 0.5, -0.3]), lattice @ -turn, mask))
        shuffled = moved._replace(
            numbers=moved.numbers.gather(1, order),
            frac=moved.frac.gather(1, order.unsqueeze(-1).expand(-1, -1, 3)),
        )
        expected = (way_back @ -turn).gather(1, order.unsqueeze(-1).expand(-1, -1, 3))
        assert float(expected.abs().max()) > 0.01
        got = generator.way_back(shuffled, z, sigma)
        torch.testing.assert_close(got.moves, expected, rtol=1e-3, atol=1e-4)
        same = types.gather(1, order.unsqueeze(-1).expand(-1, -1, types.shape[2]))
        torch.testing.assert_close(got.types[mask], same[mask], rtol=1e-3, atol=1e-4)


class TestSmallCsp(CDVAEContract):
    task, settings = Task.CSP, SMALL


class TestSmallDng(CDVAEContract):
    task, settings = Task.DNG, SMALL


class TestPaperCsp(CDVAEContract):
    task, settings = Task.CSP, PAPER


class TestPaperDng(CDVAEContract):
    task, settings = Task.DNG, PAPER


@pytest.mark.parametrize("settings", [SMALL, PAPER])
def test_the_configuration_survives_json(settings):
    config = CDVAEConfig(task="dng", **settings)
    assert CDVAE.from_config(asdict(config)).config == config


def test_types_are_denoised_only_with_a_composition_per_atom():
    with pytest.raises(ValueError, match="per_atom"):
        CDVAEConfig(task="dng", composition="spelled")
