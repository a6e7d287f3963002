"""A prior over the latent that is fitted to where the encoder puts crystals: a small flow from N(0, I).

The published model draws z from N(0, I), from which its encoder departs as far as the weight of the Kullback-Leibler
term lets it. Here a multilayer perceptron learns the velocity of the straight flow from N(0, I) to the encoder's z
(Lipman et al. 2023). It may be told the number of atoms and the composition; what it is not told is left out at
random during training, so that one network is p(z), p(z | N) and p(z | composition).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from nucleate.models.cdvae.composition import CLASSES, MAX_COUNT


class Contents(nn.Module):
    """An embedding of a composition: a function of the shares of the elements and the number of atoms."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.element = nn.Linear(CLASSES, width)
        self.kind = nn.Linear(2 * width, width)
        self.size = nn.Embedding(MAX_COUNT + 1, width)
        self.elements = nn.Embedding(CLASSES, width)
        self.out = nn.Linear(width, width)

    def forward(self, counts: Float[Tensor, "b z"]) -> Float[Tensor, "b d"]:
        """Embeds compositions, given as atoms of each element."""
        atoms = counts.sum(1)
        shares = counts / atoms[:, None].clamp(min=1)
        # Each kind of atom by itself first, knowing its share; then their mean.
        crystal, kind = counts.nonzero(as_tuple=True)
        share = shares[crystal, kind]
        total = self.element(shares) + self.size(atoms.long().clamp(max=MAX_COUNT))
        detail = self.kind(torch.cat([self.elements(kind), total[crystal]], -1))
        mixed = torch.zeros_like(total).index_add(0, crystal, (F.silu(detail) * share[:, None]).to(total.dtype))
        return self.out(F.silu(total + mixed))


class NoContents(nn.Module):
    """Stands where compositions are not embedded: a description of length 0."""

    width = 0

    def forward(self, counts: Float[Tensor, "b z"]) -> Float[Tensor, "b 0"]:
        """Returns nothing of each."""
        return counts[:, :0]


class LatentFlow(nn.Module):
    """Velocity of the flow from N(0, I) to the encoder's z, and draws from it.

    Args:
        latent: length of z.
        context: length of the embedding of a composition.
        width: hidden numbers.
        layers: residual blocks.
    """

    def __init__(self, latent: int, context: int, width: int, layers: int) -> None:
        super().__init__()
        self.latent = latent
        self.inputs = nn.Linear(latent + _TIMES, width)
        self.context = nn.Linear(context, width)
        self.size = nn.Embedding(MAX_COUNT + 1, width)
        self.layers = nn.ModuleList(_Layer(width) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, latent)
        nn.init.zeros_(self.out.weight)

    def forward(
        self,
        z: Float[Tensor, "b l"],
        time: Float[Tensor, " b"],
        contents: Float[Tensor, "b c"],
        told: Bool[Tensor, " b"],
        atoms: Int[Tensor, " b"],
    ) -> Float[Tensor, "b l"]:
        """Velocity at `time` in [0, 1].

        Args:
            z: place on the way.
            time: 0 at the noise, 1 at the latent.
            contents: embeddings of the compositions.
            told: which compositions are known; the others are ignored.
            atoms: numbers of atoms, 0 where not known.
        """
        given = self.context(contents) * told[:, None] + self.size(atoms)
        state = self.inputs(torch.cat([z, _features(time)], -1))
        for layer in self.layers:
            state = layer(state, given)
        return self.out(self.norm(state)).float()

    def loss(
        self,
        z: Float[Tensor, "b l"],
        contents: Float[Tensor, "b c"],
        atoms: Int[Tensor, " b"],
        noise: Mapping[str, Tensor],
    ) -> Float[Tensor, ""]:
        """Squared error of the velocity, at a time and with the knowledge that `noise` says."""
        time, told = noise["prior_time"], noise["prior_told"]
        way = torch.lerp(noise["prior_noise"], z, time[:, None])
        # Half know the composition, a quarter the number of atoms only, a quarter nothing.
        velocity = self(way, time, contents, told < 0.5, torch.where(told < 0.75, atoms, 0))
        return (velocity - (z - noise["prior_noise"])).square().mean()

    @torch.no_grad()
    def draw(
        self, contents: Float[Tensor, "b c"] | None, atoms: Int[Tensor, " b"], steps: int, rng: torch.Generator
    ) -> Float[Tensor, "b l"]:
        """Integrates from N(0, I) with Heun steps.

        Args:
            contents: embeddings of the compositions, if they are known.
            atoms: numbers of atoms.
            steps: two evaluations each.
            rng: random state.
        """
        told = torch.full_like(atoms, contents is not None, dtype=torch.bool)
        if contents is None:
            contents = torch.zeros(len(atoms), self.context.in_features, device=atoms.device)
        z = torch.randn(len(atoms), self.latent, generator=rng, device=rng.device).to(atoms.device)
        for step in range(steps):
            now = torch.full((len(atoms),), step / steps, device=z.device)
            first = self(z, now, contents, told, atoms)
            second = self(z + first / steps, now + 1 / steps, contents, told, atoms)
            z = z + (first + second) / (2 * steps)
        return z


class _Layer(nn.Module):
    """A residual block that sees the condition."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.given = nn.Linear(width, width)
        self.up = nn.Linear(width, 2 * width)
        self.down = nn.Linear(2 * width, width)

    def forward(self, state: Float[Tensor, "b d"], given: Float[Tensor, "b d"]) -> Float[Tensor, "b d"]:
        return state + self.down(F.silu(self.up(self.norm(state) + self.given(given))))


_TIMES = 32


def _features(time: Float[Tensor, " b"]) -> Float[Tensor, "b f"]:
    rates = torch.exp(torch.linspace(0, math.log(100), _TIMES // 2, device=time.device))
    angles = math.pi * time[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], -1)
