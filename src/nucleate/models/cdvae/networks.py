"""The encoder and the decoder on the equivariant transformer."""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from nucleate.geometry import lattice as cells
from nucleate.models.networks.vectorformer import Vectorformer, VectorformerConfig, mean_over_atoms


class Encoder(nn.Module):
    """A crystal to mean and logarithm of the variance of z; independent of axes, origin, cell and order."""

    def __init__(self, config: VectorformerConfig, type_inputs: int, latent: int) -> None:
        super().__init__()
        self.trunk = Vectorformer(config, type_inputs, 2)
        last = nn.Linear(config.width, 2 * latent)
        self.head = nn.Sequential(nn.Linear(2 * config.width, config.width), nn.SiLU(), last)
        nn.init.zeros_(last.bias)

    def forward(
        self,
        types: Float[Tensor, "b n c"],
        frac: Float[Tensor, "b n 3"],
        lattice: Float[Tensor, "b 3 3"],
        mask: Bool[Tensor, "b n"],
    ) -> tuple[Float[Tensor, "b l"], Float[Tensor, "b l"]]:
        """Returns the mean and the logarithm of the variance."""
        atoms = self.trunk(types, frac, lattice, mask, _size(lattice, mask))
        pooled = torch.cat([mean_over_atoms(atoms.states, mask.unsqueeze(-1).float()), atoms.crystal], -1)
        mean, log_variance = self.head(pooled).float().chunk(2, -1)
        return mean, (log_variance - 3).clamp(-12, 4)


class Decoder(nn.Module):
    """Noisy coordinates and z to the way back, which turns with the crystal."""

    def __init__(self, config: VectorformerConfig, type_inputs: int, latent: int) -> None:
        super().__init__()
        self.trunk = Vectorformer(config, type_inputs, 2 + latent + _LEVEL_FEATURES)
        self.gate = nn.Linear(2 * config.width, config.vectors)
        self.pull = nn.Linear(config.vectors, 1, bias=False)

    def forward(
        self,
        types: Float[Tensor, "b n c"],
        frac: Float[Tensor, "b n 3"],
        lattice: Float[Tensor, "b 3 3"],
        mask: Bool[Tensor, "b n"],
        latent: Float[Tensor, "b l"],
        sigma: Float[Tensor, " b"],
    ) -> Float[Tensor, "b n 3"]:
        """Returns displacements in units of the noise."""
        crystal = torch.cat([_size(lattice, mask), latent, _level_features(sigma)], -1)
        atoms = self.trunk(types, frac, lattice, mask, crystal)
        with torch.autocast(frac.device.type, enabled=False):
            whole = atoms.crystal[:, None].expand_as(atoms.states)
            gate = self.gate(torch.cat([atoms.states, whole], -1))
            return self.pull(atoms.vectors * gate.unsqueeze(2))[..., 0] * mask.unsqueeze(-1)


def _size(lattice: Float[Tensor, "b 3 3"], mask: Bool[Tensor, "b n"]) -> Float[Tensor, "b 2"]:
    """Number of atoms and volume per atom, each of order 1."""
    count = mask.sum(1).clamp(min=1)
    volume = cells.volume(lattice).clamp(min=1e-3)
    return torch.stack([count / 10 - 1, (volume / count / 20).log()], -1)


_LEVEL_FEATURES = 32


def _level_features(sigma: Float[Tensor, " b"]) -> Float[Tensor, "b f"]:
    rates = torch.linspace(0, math.log(20), _LEVEL_FEATURES // 2, device=sigma.device).exp()
    angles = sigma.clamp(min=1e-6).log()[:, None] * 0.25 * rates
    return torch.cat([angles.sin(), angles.cos()], -1)
