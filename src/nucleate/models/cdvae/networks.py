"""Encoders and decoders: the published pair, and one on the equivariant transformer."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from nucleate.geometry import lattice as cells
from nucleate.models.networks.dimenet import DimeNet, DimeNetConfig
from nucleate.models.networks.gemnet import GemNet, GemNetConfig
from nucleate.models.networks.interface import Described
from nucleate.models.networks.vectorformer import Vectorformer, VectorformerConfig, mean_over_atoms


class Decoded(NamedTuple):
    """What a decoder says of noisy atoms."""

    moves: Float[Tensor, "b n 3"]
    """The way back along x, y and z, in units of the noise."""
    types: Float[Tensor, "b n c"]
    """Logits over the elements; `c` is 0 where types are given."""


class Encoder(nn.Module):
    """A crystal to mean and logarithm of the variance of z; independent of axes, origin, cell and order.

    Args:
        config: sizes.
        type_inputs: length of the description of an atom's type.
        crystal_inputs: length of what is known of the crystal as a whole.
        latent: length of z.
    """

    def __init__(self, config: VectorformerConfig, type_inputs: int, crystal_inputs: int, latent: int) -> None:
        super().__init__()
        self.trunk = Vectorformer(config, type_inputs, 2 + crystal_inputs)
        last = nn.Linear(config.width, 2 * latent)
        self.head = nn.Sequential(nn.Linear(2 * config.width, config.width), nn.SiLU(), last)
        nn.init.zeros_(last.bias)

    def forward(
        self, crystals: Described, crystal: Float[Tensor, "b k"]
    ) -> tuple[Float[Tensor, "b l"], Float[Tensor, "b l"]]:
        """Returns the mean and the logarithm of the variance."""
        atoms = self.trunk(crystals, torch.cat([_size(crystals), crystal], -1))
        pooled = torch.cat([mean_over_atoms(atoms.states, crystals.mask.unsqueeze(-1).float()), atoms.crystal], -1)
        mean, log_variance = self.head(pooled).float().chunk(2, -1)
        return mean, (log_variance - 3).clamp(-12, 4)


class Decoder(nn.Module):
    """Noisy coordinates and z to the way back, which turns with the crystal.

    Args:
        config: sizes.
        type_inputs: length of the description of an atom's type.
        type_outputs: length of what is predicted for types; 0 for none.
        latent: length of z.
    """

    def __init__(self, config: VectorformerConfig, type_inputs: int, type_outputs: int, latent: int) -> None:
        super().__init__()
        self.trunk = Vectorformer(config, type_inputs, 2 + latent + _LEVEL_FEATURES)
        self.gate = nn.Linear(2 * config.width, config.vectors)
        self.pull = nn.Linear(config.vectors, 1, bias=False)
        self.types = _type_head(config.width, type_outputs)

    def forward(self, crystals: Described, latent: Float[Tensor, "b l"], sigma: Float[Tensor, " b"]) -> Decoded:
        """Returns displacements in units of the noise, and logits of the types."""
        crystal = torch.cat([_size(crystals), latent, _level_features(sigma)], -1)
        atoms = self.trunk(crystals, crystal)
        with torch.autocast(latent.device.type, enabled=False):
            whole = atoms.crystal[:, None].expand_as(atoms.states)
            gate = self.gate(torch.cat([atoms.states, whole], -1))
            moves = self.pull(atoms.vectors * gate.unsqueeze(2))[..., 0] * crystals.mask.unsqueeze(-1)
        return Decoded(moves, _logits(self.types, atoms.states))


class PublishedEncoder(nn.Module):
    """DimeNet++, and mean and variance of z from what it says of the crystal (Xie et al. 2022, appendix B)."""

    def __init__(self, config: DimeNetConfig, type_inputs: int, latent: int) -> None:
        super().__init__()
        self.trunk = DimeNet(config, type_inputs, latent)
        self.mean = nn.Linear(latent, latent)
        self.log_variance = nn.Linear(latent, latent)

    def forward(
        self, crystals: Described, crystal: Float[Tensor, "b k"]
    ) -> tuple[Float[Tensor, "b l"], Float[Tensor, "b l"]]:
        """Returns the mean and the logarithm of the variance; `crystal` is not looked at."""
        hidden = self.trunk(crystals)
        return self.mean(hidden).float(), self.log_variance(hidden).float()


class PublishedDecoder(nn.Module):
    """GemNet-T on noisy atoms, which know z but not how noisy they are."""

    def __init__(self, config: GemNetConfig, type_inputs: int, type_outputs: int, latent: int) -> None:
        super().__init__()
        self.trunk = GemNet(config, type_inputs, latent)
        self.types = _type_head(config.width, type_outputs)

    def forward(self, crystals: Described, latent: Float[Tensor, "b l"], sigma: Float[Tensor, " b"]) -> Decoded:
        """Returns displacements in units of the noise, and logits of the types."""
        atoms = self.trunk(crystals, latent)
        return Decoded(atoms.vectors, _logits(self.types, atoms.states))


def _type_head(width: int, outputs: int) -> nn.Linear | None:
    return nn.Linear(width, outputs) if outputs else None


def _logits(head: nn.Linear | None, states: Float[Tensor, "b n d"]) -> Float[Tensor, "b n c"]:
    """Logits of the types, as many as there is a head for."""
    return states[..., :0] if head is None else head(states).float()


def _size(crystals: Described) -> Float[Tensor, "b 2"]:
    """Number of atoms and volume per atom, each of order 1."""
    count = crystals.mask.sum(1).clamp(min=1)
    volume = cells.volume(crystals.lattice).clamp(min=1e-3)
    return torch.stack([count / 10 - 1, (volume / count / 20).log()], -1)


_LEVEL_FEATURES = 32


def _level_features(sigma: Float[Tensor, " b"]) -> Float[Tensor, "b f"]:
    rates = torch.linspace(0, math.log(20), _LEVEL_FEATURES // 2, device=sigma.device).exp()
    angles = sigma.clamp(min=1e-6).log()[:, None] * 0.25 * rates
    return torch.cat([angles.sin(), angles.cos()], -1)
