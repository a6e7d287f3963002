"""A prior that is fitted to where the encoder puts crystals: small flows from N(0, I).

The published model draws z from N(0, I), from which its encoder departs as far as the weight of the Kullback-Leibler
term lets it. Here multilayer perceptrons learn the velocities of straight flows (Lipman et al. 2023): one from N(0, I)
to the lattice, given the composition, and one from N(0, I) to the encoder's z, given both. The second is told them at
random during training, so that it is p(z | number of atoms) as well.

A lattice that is read off a z that was drawn is a poor one: what is a small error among the components of z may be a
large one in a cell. So the lattice is drawn first, and z to go with it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from nucleate.models.cdvae.composition import MAX_COUNT
from nucleate.models.networks.layers import ResidualPerceptron
from nucleate.models.parts.atoms import CLASSES


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


class Flow(nn.Module):
    """Velocity of a flow from N(0, I) to some numbers of a crystal, and draws from it.

    Args:
        latent: how many numbers.
        context: length of what may be known.
        width: hidden numbers.
        layers: residual blocks.
    """

    def __init__(self, latent: int, context: int, width: int, layers: int) -> None:
        super().__init__()
        self.latent = latent
        self.inputs = nn.Linear(latent + _TIMES, width)
        self.context = nn.Linear(context, width)
        self.size = nn.Embedding(MAX_COUNT + 1, width)
        self.layers = nn.ModuleList(ResidualPerceptron(width, conditioned=True) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, latent)
        nn.init.zeros_(self.out.weight)

    def forward(
        self,
        z: Float[Tensor, "b l"],
        time: Float[Tensor, " b"],
        context: Float[Tensor, "b c"],
        told: Bool[Tensor, " b"],
        atoms: Int[Tensor, " b"],
    ) -> Float[Tensor, "b l"]:
        """Velocity at `time` in [0, 1].

        Args:
            z: place on the way.
            time: 0 at the noise, 1 at the end.
            context: what may be known.
            told: of which crystals it is known; of the others it is ignored.
            atoms: numbers of atoms.
        """
        given = self.context(context) * told[:, None] + self.size(atoms)
        state = self.inputs(torch.cat([z, _features(time)], -1))
        for layer in self.layers:
            state = layer(state, given)
        return self.out(self.norm(state)).float()

    @torch.no_grad()
    def draw(
        self,
        context: Float[Tensor, "b c"],
        told: Bool[Tensor, " b"],
        atoms: Int[Tensor, " b"],
        steps: int,
        rng: torch.Generator,
    ) -> Float[Tensor, "b l"]:
        """Integrates from N(0, I) with Heun steps, two evaluations each."""
        z = torch.randn(len(atoms), self.latent, generator=rng, device=rng.device).to(atoms.device)
        for step in range(steps):
            now = torch.full((len(atoms),), step / steps, device=z.device)
            first = self(z, now, context, told, atoms)
            second = self(z + first / steps, now + 1 / steps, context, told, atoms)
            z = z + (first + second) / (2 * steps)
        return z


class Prior(nn.Module):
    """p(lattice | composition) and p(z | lattice, composition) or p(z | number of atoms).

    Args:
        latent: length of z.
        width: hidden numbers.
        layers: residual blocks of each flow.
    """

    def __init__(self, latent: int, width: int, layers: int) -> None:
        super().__init__()
        self.contents = Contents(width)
        self.lattice = Flow(_LATTICE, width, width, layers)
        self.latent = Flow(latent, width + _LATTICE, width, layers)

    def noise(self, count: int, rng: torch.Generator) -> dict[str, Tensor]:
        """Draws what `loss` needs, on the generator's device."""
        shapes = {"prior_latent": (count, self.latent.latent), "prior_lattice": (count, _LATTICE)}
        noise = {name: torch.randn(shape, generator=rng, device=rng.device) for name, shape in shapes.items()}
        names = ("prior_latent_time", "prior_lattice_time", "prior_told")
        return noise | {name: torch.rand(count, generator=rng, device=rng.device) for name in names}

    def loss(
        self,
        z: Float[Tensor, "b l"],
        lattice: Float[Tensor, "b 6"],
        counts: Float[Tensor, "b z"],
        noise: Mapping[str, Tensor],
    ) -> Float[Tensor, ""]:
        """Squared errors of both velocities, at times and with the knowledge that `noise` says.

        Args:
            z: from the encoder.
            lattice: coordinates of the lattice.
            counts: atoms of each element.
            noise: from `noise`.
        """
        contents = self.contents(counts)
        atoms = counts.sum(1).long()
        everything = torch.ones_like(atoms, dtype=torch.bool)
        told = noise["prior_told"] < _TOLD
        return _error(
            self.lattice, lattice, noise["prior_lattice"], noise["prior_lattice_time"], contents, everything, atoms
        ) + _error(
            self.latent,
            z,
            noise["prior_latent"],
            noise["prior_latent_time"],
            torch.cat([contents, lattice], -1),
            told,
            atoms,
        )

    @torch.no_grad()
    def draw(
        self, counts: Float[Tensor, "b z"], steps: int, rng: torch.Generator
    ) -> tuple[Float[Tensor, "b l"], Float[Tensor, "b 6"]]:
        """Draws z and the coordinates of the lattice for compositions."""
        contents, atoms = self.contents(counts), counts.sum(1).long()
        told = torch.ones_like(atoms, dtype=torch.bool)
        lattice = self.lattice.draw(contents, told, atoms, steps, rng)
        return self.latent.draw(torch.cat([contents, lattice], -1), told, atoms, steps, rng), lattice

    @torch.no_grad()
    def draw_latent(self, atoms: Int[Tensor, " b"], steps: int, rng: torch.Generator) -> Float[Tensor, "b l"]:
        """Draws z for numbers of atoms."""
        nothing = torch.zeros(len(atoms), self.latent.context.in_features, device=atoms.device)
        return self.latent.draw(nothing, torch.zeros_like(atoms, dtype=torch.bool), atoms, steps, rng)


def _error(
    flow: Flow,
    end: Float[Tensor, "b l"],
    start: Float[Tensor, "b l"],
    time: Float[Tensor, " b"],
    context: Float[Tensor, "b c"],
    told: Bool[Tensor, " b"],
    atoms: Int[Tensor, " b"],
) -> Float[Tensor, ""]:
    velocity = flow(torch.lerp(start, end, time[:, None]), time, context, told, atoms)
    return (velocity - (end - start)).square().mean()


_LATTICE = 6
"""Coordinates of a lattice."""

_TOLD = 0.75
"""How often the flow of z is told composition and lattice in training."""

_TIMES = 32


def _features(time: Float[Tensor, " b"]) -> Float[Tensor, "b f"]:
    rates = torch.exp(torch.linspace(0, math.log(100), _TIMES // 2, device=time.device))
    angles = math.pi * time[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], -1)
