"""A compact E(3)-equivariant transformer over the atoms of a crystal; the backbone of CDVAE's `small` recipe.

A crystal is a dense block of N atoms. Between each ordered pair of atoms stands one message, as in the pair transformer
(`pairformer`), but it is made from what does not depend on the choice of cell or axes: the distances to all images of
the second atom within a radius, and angles. Beside its state each atom carries vectors, sums over the pairs of a
learned weight times the directions to the images (as in PaiNN, Schütt et al. 2021); their scalar products with
directions are the angles.

Axes: B crystals, N atoms, D width, P pair width, H heads, V vectors per atom, R radial bins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from nucleate.geometry.images import shells_of_images
from nucleate.models.networks.attention import softmax_over_senders
from nucleate.models.networks.interface import Described


@dataclass(frozen=True, kw_only=True)
class VectorformerConfig:
    """Sizes of the network.

    Attributes:
        width: of atom and crystal states.
        pair_width: of the messages.
        vectors: per atom.
        layers: number of blocks.
        heads: of attention.
        expansion: of the gated feed-forward part, times `width`.
        radial_bins: of the histograms of images by distance.
        radius: largest distance in the histograms, Å.
    """

    width: int = 192
    pair_width: int = 48
    vectors: int = 16
    layers: int = 5
    heads: int = 8
    expansion: int = 2
    radial_bins: int = 24
    radius: float = 6.0


class Atoms(NamedTuple):
    """What the network makes of a block of crystals; rows of padding have no meaning."""

    states: Float[Tensor, "b n d"]
    """Invariant."""
    vectors: Float[Tensor, "b n 3 v"]
    """Turn with the crystal."""
    crystal: Float[Tensor, "b d"]
    """Invariant."""


class Vectorformer(nn.Module):
    """States and vectors of atoms, in full precision; invariant to translation, equivariant to order and rotation.

    Args:
        config: sizes.
        type_inputs: length of the description of an atom's type.
        crystal_inputs: length of what is known of the crystal as a whole.
    """

    def __init__(self, config: VectorformerConfig, type_inputs: int, crystal_inputs: int) -> None:
        super().__init__()
        self.config = config
        self.types = nn.Linear(type_inputs, config.width, bias=False)
        self.crystal = nn.Linear(crystal_inputs, config.width)
        self.pair = nn.Linear(config.radial_bins, config.pair_width)
        self.direction = nn.Linear(config.radial_bins, config.vectors, bias=False)
        self.blocks = nn.ModuleList(_Block(config, first=i == 0) for i in range(config.layers))
        self.norm = nn.LayerNorm(config.width)

    def forward(self, crystals: Described, crystal: Float[Tensor, "b k"]) -> Atoms:
        """Describes each atom in its surroundings.

        Args:
            crystals: described by their types.
            crystal: what is known of each as a whole.
        """
        types, frac, lattice, mask = crystals
        with torch.no_grad(), torch.autocast(frac.device.type, enabled=False):
            shells = shells_of_images(frac, lattice, mask, self.config.radial_bins, self.config.radius)
        pairs = self.pair(shells.counts)
        # The axes first: there, sums over them and products that spread over them are quickest.
        directions = self.direction(shells.directions.movedim(3, 0).contiguous())
        states, whole = self.types(types), self.crystal(crystal)
        vectors = directions.new_zeros(3, *mask.shape, self.config.vectors)
        present = mask.unsqueeze(-1).to(states.dtype)
        # Without padding, as in buckets of one size, there is nothing to hide from the attention.
        hidden = None if bool(mask.all()) else torch.where(mask, 0.0, -1e4)[:, None, :, None]
        for block in self.blocks:
            states, vectors, whole = block(states, vectors, whole, pairs, directions, present, hidden)
        return Atoms(self.norm(states).float(), vectors.movedim(0, 2).float(), whole.float())


class _Block(nn.Module):
    """Messages and attention between atoms, new vectors, a gated feed-forward part, and the crystal's state.

    The first block has no vectors yet, so no angles.
    """

    def __init__(self, config: VectorformerConfig, *, first: bool) -> None:
        super().__init__()
        width, pair, vectors = config.width, config.pair_width, config.vectors
        inner = config.expansion * width
        self.heads = config.heads
        self.norm_messages = nn.LayerNorm(width)
        self.ends = nn.Linear(width, 2 * pair)
        self.from_crystal = nn.Linear(width, width)
        self.from_pair = nn.Linear(pair, pair, bias=False)
        self.from_angles = None if first else nn.Linear(2 * vectors, pair, bias=False)
        self.message = nn.Linear(pair, pair)
        self.attention = nn.Linear(pair, config.heads)
        self.pull = nn.Linear(pair, vectors)
        self.turn = None if first else nn.Linear(vectors, vectors, bias=False)
        self.value = nn.Linear(width, width)
        self.gathered = nn.Linear(width + pair * config.heads, width)
        self.norm_inner = nn.LayerNorm(width)
        self.up = nn.Linear(width + vectors, 2 * inner)
        self.down = nn.Linear(inner, width)
        self.norm_crystal = nn.LayerNorm(width)
        self.crystal = nn.Linear(2 * width, width)
        for last in (self.gathered, self.down):
            nn.init.zeros_(last.weight)  # each block starts as the identity
        if self.turn is not None:
            nn.init.eye_(self.turn.weight)

    def forward(
        self,
        states: Float[Tensor, "b n d"],
        vectors: Float[Tensor, "3 b n v"],
        crystal: Float[Tensor, "b d"],
        pairs: Float[Tensor, "b n n p"],
        directions: Float[Tensor, "3 b n n v"],
        present: Float[Tensor, "b n 1"],
        hidden: Float[Tensor, "b 1 n 1"] | None,
    ) -> tuple[Float[Tensor, "b n d"], Float[Tensor, "3 b n v"], Float[Tensor, "b d"]]:
        batch, count, width = states.shape
        state = self.norm_messages(states + self.from_crystal(crystal)[:, None])
        receiver, sender = self.ends(state).chunk(2, -1)
        messages = self.from_pair(pairs) + receiver[:, :, None] + sender[:, None]
        if self.from_angles is not None:
            along = (directions * vectors.unsqueeze(3)).sum(0)
            # What is ahead for one end is behind for the other.
            messages = messages + self.from_angles(torch.cat([along, -along.transpose(1, 2)], -1))
        messages = F.silu(self.message(F.silu(messages)))
        logits = self.attention(messages)
        weights = softmax_over_senders(logits if hidden is None else logits + hidden).to(messages.dtype)  # B N N H
        values = self.value(state).view(batch, count, self.heads, -1).transpose(1, 2)
        from_atoms = (weights.permute(0, 3, 1, 2) @ values).transpose(1, 2).reshape(batch, count, width)
        from_pairs = (weights.transpose(2, 3) @ messages).reshape(batch, count, -1)
        states = states + self.gathered(torch.cat([from_atoms, from_pairs], -1))
        # Pairs with padding have no directions.
        pulled = (self.pull(messages) * directions).sum(3)
        vectors = pulled if self.turn is None else self.turn(vectors) + pulled
        lengths = (vectors.float().square().sum(0) + 1e-4).sqrt().to(vectors.dtype)
        inner, gate = self.up(torch.cat([self.norm_inner(states), lengths], -1)).chunk(2, -1)
        states = states + self.down(inner * F.silu(gate))
        summary = torch.cat([self.norm_crystal(crystal), mean_over_atoms(states, present)], -1)
        return states, vectors, crystal + F.silu(self.crystal(summary))


def mean_over_atoms(states: Float[Tensor, "b n d"], present: Float[Tensor, "b n 1"]) -> Float[Tensor, "b d"]:
    """Mean over the atoms of each crystal."""
    return (states * present).sum(1) / present.sum(1)
