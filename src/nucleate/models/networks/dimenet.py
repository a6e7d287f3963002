"""DimeNet++: messages on edges that see the angles of the edges before them (Gasteiger et al. 2020), on dense slots.

The message j → i stands in the slot of j at i. In a block it gathers the messages k → j, weighed by a function of the
angle i j k and of the distance k j: spherical Bessel functions times spherical harmonics, embedded in a few numbers.
For each of these numbers the gathering is one matrix product per atom j.

Axes: A atoms, K slots, D width, T width of triplets, L degrees, N radial functions per degree, S embedded basis.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import linear, silu

from nucleate.geometry.slots import Slots, neighbour_slots
from nucleate.models.networks.bases import BesselBasis, SphericalBesselBasis
from nucleate.models.networks.edges import angular, at_other_end, of_neighbours
from nucleate.models.networks.interface import Described


@dataclass(frozen=True, kw_only=True)
class DimeNetConfig:
    """Sizes of the network; the defaults are those of CDVAE's encoder.

    Its edges were the bonds that CrystalNN finds, 7.5 an atom in MP-20. Twelve nearest neighbours are the fewest that
    leave an atom in a close packing any, since equally near ones are kept together or not at all.

    Attributes:
        width: of messages.
        triplet_width: of messages while they are gathered.
        basis_width: of the embedded basis of distance and angle.
        output_width: of atoms.
        blocks: of interaction.
        degrees: of spherical harmonics.
        radial: radial functions per degree.
        radius: of neighbours, Å.
        neighbours: nearest neighbours at most.
    """

    width: int = 128
    triplet_width: int = 64
    basis_width: int = 8
    output_width: int = 256
    blocks: int = 4
    degrees: int = 7
    radial: int = 6
    radius: float = 7.0
    neighbours: int = 12


class DimeNet(nn.Module):
    """One description of each crystal; invariant to translation, rotation, order and choice of cell.

    Args:
        config: sizes.
        type_inputs: length of the description of an atom's type.
        outputs: length of the description of the crystal.
    """

    def __init__(self, config: DimeNetConfig, type_inputs: int, outputs: int) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.bessel = BesselBasis(config.radial, config.radius)
        self.spherical = SphericalBesselBasis(config.degrees, config.radial, config.radius)
        self.types = nn.Linear(type_inputs, width, bias=False)
        self.radial = nn.Linear(config.radial, width)
        self.embed = nn.Linear(3 * width, width)
        self.blocks = nn.ModuleList(_Interaction(config) for _ in range(config.blocks))
        self.outputs = nn.ModuleList(_Output(config, outputs) for _ in range(config.blocks + 1))

    def forward(self, crystals: Described) -> Float[Tensor, "b o"]:
        """Describes crystals by the mean over their atoms."""
        config = self.config
        types, frac, lattice, mask = crystals
        with torch.no_grad(), torch.autocast(frac.device.type, enabled=False):
            slots = neighbour_slots(frac, lattice, mask, config.radius, config.neighbours)
            harmonics = angular(slots, config.degrees).flatten(2)
            spherical = self.spherical(slots.distance).flatten(2)
        radial = self.bessel(slots.distance) * slots.filled.unsqueeze(-1)
        states = self.types(types).flatten(0, 1)
        receiver, sender, edge = self.embed.weight.chunk(3, 1)
        ends = linear(states, torch.cat([receiver, sender])).chunk(2, -1)
        along = linear(silu(self.radial(radial)), edge, self.embed.bias)
        messages = silu(ends[0][:, None] + of_neighbours(ends[1], slots) + along)
        harmonics, spherical = harmonics.to(messages.dtype), spherical.to(messages.dtype)
        total = self.outputs[0](messages, radial)
        for block, output in zip(self.blocks, list(self.outputs)[1:], strict=True):
            messages = block(messages, radial, spherical, harmonics, slots)
            total = total + output(messages, radial)
        present = mask.unsqueeze(-1).float()
        return (total.float().view(*mask.shape, -1) * present).sum(1) / present.sum(1)


class _Residual(nn.Module):
    """x plus two layers of x."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x: Float[Tensor, "*dims d"]) -> Float[Tensor, "*dims d"]:
        return x + silu(self.second(silu(self.first(x))))


class _Interaction(nn.Module):
    """Each message j → i gathers the messages k → j."""

    def __init__(self, config: DimeNetConfig) -> None:
        super().__init__()
        width, triplet, basis = config.width, config.triplet_width, config.basis_width
        self.keep = nn.Linear(width, width)
        self.send = nn.Linear(width, width)
        self.radial = nn.Sequential(nn.Linear(config.radial, basis, bias=False), nn.Linear(basis, width, bias=False))
        self.spherical = nn.Parameter(torch.randn(config.degrees, config.radial, basis) / config.radial**0.5)
        self.mix = nn.Parameter(torch.randn(basis, triplet) / basis**0.5)
        self.down = nn.Linear(width, triplet, bias=False)
        self.up = nn.Linear(triplet, width, bias=False)
        self.before = _Residual(width)
        self.skip = nn.Linear(width, width)
        self.after = nn.Sequential(_Residual(width), _Residual(width))

    def forward(
        self,
        messages: Float[Tensor, "a k d"],
        radial: Float[Tensor, "a k n"],
        spherical: Float[Tensor, "a k ln"],
        harmonics: Float[Tensor, "a k kl"],
        slots: Slots,
    ) -> Float[Tensor, "a k d"]:
        sent = silu(self.down(silu(self.send(messages)) * self.radial(radial)))
        # For atom j: its edge from k, weighed by each degree's function of the length; then a sum over k and degrees.
        by_degree = linear(spherical, self._weights()).unflatten(-1, (-1, sent.shape[-1])) * sent.unsqueeze(2)
        heard = harmonics @ by_degree.flatten(1, 2)  # a k t, at j in the slot of i
        gathered = at_other_end(silu(self.up(heard)), slots)
        hidden = self.before(silu(self.keep(messages)) + gathered)
        return self.after(silu(self.skip(hidden)) + messages)

    def _weights(self) -> Float[Tensor, "lt ln"]:
        """Weights from all radial functions to all degrees and triplet numbers, 0 from one degree to another."""
        each = torch.einsum("lns,st->ltn", self.spherical, self.mix)
        return torch.block_diag(*each)


class _Output(nn.Module):
    """Atoms gather messages."""

    def __init__(self, config: DimeNetConfig, outputs: int) -> None:
        super().__init__()
        self.radial = nn.Linear(config.radial, config.width, bias=False)
        self.up = nn.Linear(config.width, config.output_width, bias=False)
        self.inner = nn.ModuleList(nn.Linear(config.output_width, config.output_width) for _ in range(3))
        self.last = nn.Linear(config.output_width, outputs, bias=False)

    def forward(self, messages: Float[Tensor, "a k d"], radial: Float[Tensor, "a k n"]) -> Float[Tensor, "a o"]:
        hidden = self.up((messages * self.radial(radial)).sum(1))
        for layer in self.inner:
            hidden = silu(layer(hidden))
        return self.last(hidden)
