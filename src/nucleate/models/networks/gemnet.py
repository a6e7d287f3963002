"""GemNet-T: messages on edges that see the angles to other edges (Gasteiger et al. 2021), on dense neighbour slots.

Every atom a has K slots of neighbours; the message c → a stands in the slot of c at a. In a block it gathers the
messages b → a of the other neighbours, weighed by a function of the angle c a b and of the two distances; what was
gathered also goes to the opposite message a → c. Each block ends in a scalar per edge; times the direction of the edge
and summed, they are the vector of each atom.

The sum over b of spherical harmonics times messages is one matrix product per atom. The published code divides sums by
factors fitted to data; here it is the root of the number of neighbours.

Axes: A atoms, K slots, E width, T width of triplets, L degrees of spherical harmonics, R radial functions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from nucleate.geometry.slots import Slots, neighbour_slots
from nucleate.models.networks.bases import gaussian_basis
from nucleate.models.networks.edges import angular, at_other_end, of_neighbours
from nucleate.models.networks.interface import Described
from nucleate.models.networks.layers import GAIN, HALF, Chain, Dense, Scaled, mean_of, residuals, scaled


@dataclass(frozen=True, kw_only=True)
class GemNetConfig:
    """Sizes of the network; the defaults are those of CDVAE's decoder.

    Attributes:
        width: of atoms and of messages.
        triplet_width: of messages while they are gathered.
        basis_width: of embedded radial functions.
        blocks: of interaction.
        degrees: of spherical harmonics.
        radial: number of radial functions.
        radius: of neighbours, Å.
        neighbours: nearest neighbours at most.
    """

    width: int = 128
    triplet_width: int = 64
    basis_width: int = 16
    blocks: int = 3
    degrees: int = 7
    radial: int = 128
    radius: float = 7.0
    neighbours: int = 20


class GemNetOutput(NamedTuple):
    """What the network says of each atom."""

    states: Float[Tensor, "b n e"]
    vectors: Float[Tensor, "b n 3"]


class GemNet(nn.Module):
    """States and one vector of each atom; invariant to translation and cell, equivariant to order and rotation.

    Args:
        config: sizes.
        type_inputs: length of the description of an atom's type.
        crystal_inputs: length of what is known of the crystal as a whole.
    """

    def __init__(self, config: GemNetConfig, type_inputs: int, crystal_inputs: int) -> None:
        super().__init__()
        self.config = config
        width, basis = config.width, config.basis_width
        self.types = nn.Linear(type_inputs, width, bias=False)
        self.crystal = nn.Linear(width + crystal_inputs, width)
        self.embed = Dense(2 * width + config.radial, width)
        self.radial_triplets = nn.Linear(config.radial, basis, bias=False)
        self.radial_angles = nn.Linear(config.radial, basis * config.degrees, bias=False)
        self.radial_atoms = nn.Linear(config.radial, basis, bias=False)
        self.radial_out = nn.Linear(config.radial, basis, bias=False)
        self.blocks = nn.ModuleList(_Interaction(config) for _ in range(config.blocks))
        self.outputs = nn.ModuleList(_Output(config) for _ in range(config.blocks + 1))

    def forward(self, crystals: Described, crystal: Float[Tensor, "b k"]) -> GemNetOutput:
        """Describes each atom in its surroundings.

        Args:
            crystals: described by their types.
            crystal: what is known of each as a whole.
        """
        config = self.config
        types, frac, lattice, mask = crystals
        with torch.no_grad(), torch.autocast(frac.device.type, enabled=False):
            slots = neighbour_slots(frac, lattice, mask, config.radius, config.neighbours)
            unit = slots.vector / slots.distance.clamp(min=1e-3).unsqueeze(-1)
            radial = gaussian_basis(slots.distance, config.radius, config.radial) * slots.filled.unsqueeze(-1)
            rarity = slots.filled.sum(1).clamp(min=1).rsqrt()
            harmonics = angular(slots, config.degrees).transpose(2, 3).flatten(1, 2) * rarity[:, None, None]
        owner = torch.arange(mask.numel(), device=mask.device) // mask.shape[1]
        states = self.crystal(torch.cat([self.types(types).flatten(0, 1), crystal[owner]], -1))
        messages = _joined(self.embed, states, (radial, 1.0), slots)
        basis = _Basis(
            self.radial_triplets(radial),
            self.radial_angles(radial).unflatten(-1, (config.basis_width, config.degrees)),
            self.radial_atoms(radial),
            harmonics.to(messages[0].dtype),
        )
        out = self.radial_out(radial)
        forces = self.outputs[0](messages, out)
        for block, output in zip(self.blocks, list(self.outputs)[1:], strict=True):
            states, messages = block(states, messages, basis, slots, rarity)
            forces = forces + output(messages, out)
        with torch.autocast(frac.device.type, enabled=False):
            vectors = (forces.float() * unit).sum(1)  # no force where there is no neighbour
        places = mask.shape
        return GemNetOutput(states.float().view(*places, -1), vectors.view(*places, 3))


class _Basis(NamedTuple):
    """Embedded functions of distances and angles; all are 0 where there is no neighbour."""

    triplets: Float[Tensor, "a k s"]
    angles: Float[Tensor, "a k s l"]
    atoms: Float[Tensor, "a k s"]
    harmonics: Float[Tensor, "a kl k"]


class _Interaction(nn.Module):
    """Messages gather others by angle, atoms gather messages, and messages see the new atoms."""

    def __init__(self, config: GemNetConfig) -> None:
        super().__init__()
        width, basis = config.width, config.basis_width
        self.skip = Dense(width, width)
        self.triplets = _Triplets(config)
        self.before = residuals(width, 1)
        self.after = residuals(width, 2)
        self.radial = nn.Linear(basis, width, bias=False)
        self.atom = Chain(Dense(width, width), residuals(width, 3))
        self.join = Chain(Dense(3 * width, width), residuals(width, 1))

    def forward(
        self,
        states: Float[Tensor, "a e"],
        messages: Scaled,
        basis: _Basis,
        slots: Slots,
        rarity: Float[Tensor, " a"],
    ) -> tuple[Float[Tensor, "a e"], Scaled]:
        gathered = self.triplets(messages, basis, slots)
        heard = mean_of(self.skip.unscaled(messages), gathered)
        messages = self.after.unscaled(mean_of(messages, self.before.unscaled(heard)))
        values, factor = messages
        total = (values * self.radial(basis.atoms)).sum(1) * (rarity * factor)[:, None]
        states = (states + self.atom(total)) * HALF
        first, rest = self.join
        joined = _joined(cast(Dense, first), states, messages, slots)
        return states, mean_of(messages, cast(Chain, rest).unscaled(joined))


class _Triplets(nn.Module):
    """What each message c → a hears of the messages b → a."""

    def __init__(self, config: GemNetConfig) -> None:
        super().__init__()
        width, triplet, basis = config.width, config.triplet_width, config.basis_width
        self.degrees = config.degrees
        self.send = Dense(width, width)
        self.radial = nn.Linear(basis, width, bias=False)
        self.down = Dense(width, triplet)
        self.bilinear = nn.Linear(basis * triplet, triplet, bias=False)
        self.up = Dense(triplet, width)
        self.up_back = Dense(triplet, width)

    def forward(self, messages: Scaled, basis: _Basis, slots: Slots) -> Scaled:
        atoms, places, _ = messages[0].shape
        sent, factor = self.send.unscaled(messages)
        sent, _ = self.down.unscaled((sent * self.radial(basis.triplets), factor))
        by_degree = (basis.harmonics @ sent).view(atoms * places, self.degrees, -1)
        by_radius = basis.angles.flatten(0, 1).to(sent.dtype) @ by_degree  # a·k, s, t
        heard = self.bilinear(by_radius.view(atoms, places, -1)), GAIN
        there, factor = self.up_back.unscaled(heard)
        return mean_of(self.up.unscaled(heard), (at_other_end(there, slots), factor))


class _Output(nn.Module):
    """A scalar for each edge."""

    def __init__(self, config: GemNetConfig) -> None:
        super().__init__()
        self.radial = nn.Linear(config.basis_width, config.width, bias=False)
        self.inner = Chain(Dense(config.width, config.width), residuals(config.width, 3))
        self.last = nn.Linear(config.width, 1, bias=False)

    def forward(self, messages: Scaled, radial: Float[Tensor, "a k s"]) -> Float[Tensor, "a k 1"]:
        values, factor = messages
        inner, left = self.inner.unscaled((values * self.radial(radial), factor))
        return scaled((self.last(inner), left))


def _joined(dense: Dense, states: Float[Tensor, "a e"], edges: Scaled, slots: Slots) -> Scaled:
    """A layer of the states of the neighbour and of the atom, beside what is known of the edge.

    What depends on an atom alone is multiplied out once for the atom, not for each of its edges.
    """
    values, factor = edges
    width = states.shape[1]
    weight = dense.linear.weight
    ends = F.linear(states, weight[:, : 2 * width].unflatten(1, (2, width)).transpose(0, 1).flatten(0, 1))
    sender, receiver = ends.chunk(2, -1)
    edge = F.linear(values, weight[:, 2 * width :] * factor)
    return F.silu(of_neighbours(sender, slots) + receiver[:, None] + edge), GAIN
