from __future__ import annotations

from dataclasses import asdict

import torch

from nucleate.crystals import Padded
from nucleate.models.cdvae import CDVAE, CDVAEConfig
from nucleate.models.cdvae.config import NoiseConfig, PriorConfig
from nucleate.models.flowmm.lattice import LatticeConfig
from nucleate.models.generator import Example, Task
from nucleate.models.networks.vectorformer import VectorformerConfig
from tests.contract.suite import GeneratorContract

TINY = VectorformerConfig(width=32, pair_width=16, vectors=4, layers=2, heads=4, radial_bins=12, radius=5.0)
SMALL = {
    "latent": 8,
    "width": 32,
    "encoder": TINY,
    "decoder": TINY,
    "lattice": LatticeConfig(volume_scaled=True, standardised=True),
    "noise": NoiseConfig(centre=0.5, spread=1.0, couple=True, strain=0.02),
    "prior": PriorConfig(width=32, layers=2, steps=3),
}

SKEW = torch.tensor([[1.0, 1.0, 0.0], [0.0, 1.0, -1.0], [0.0, 0.0, 1.0]])
"""Another basis of the same lattice."""


class CDVAEContract(GeneratorContract):
    settings: dict
    atomwise = frozenset({"moves"})

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
        numbers, frac, lattice, mask = self.data()
        rng = torch.Generator().manual_seed(4)
        turn, _ = torch.linalg.qr(torch.randn(3, 3, generator=rng))
        order = torch.where(mask, torch.rand(mask.shape, generator=rng), 2.0).argsort(1)
        z = torch.randn(len(mask), 8, generator=rng)
        sigma = torch.full((len(mask),), 0.3)
        way_back = generator.displacements(Padded(numbers, frac, lattice, mask), z, sigma)
        moved = self.in_another_cell(Padded(numbers, frac + torch.tensor([0.2, 0.5, -0.3]), lattice @ -turn, mask))
        shuffled = moved._replace(
            numbers=moved.numbers.gather(1, order),
            frac=moved.frac.gather(1, order.unsqueeze(-1).expand(-1, -1, 3)),
        )
        expected = (way_back @ -turn).gather(1, order.unsqueeze(-1).expand(-1, -1, 3))
        assert float(expected.abs().max()) > 0.01
        torch.testing.assert_close(generator.displacements(shuffled, z, sigma), expected, rtol=1e-3, atol=1e-4)


class TestSmallCsp(CDVAEContract):
    task, settings = Task.CSP, SMALL


class TestSmallDng(CDVAEContract):
    task, settings = Task.DNG, SMALL


def test_the_configuration_survives_json():
    config = CDVAEConfig(task="dng", **SMALL)
    assert CDVAE.from_config(asdict(config)).config == config
