"""A compact transformer over atoms that attends through pair messages; the backbone of the `small` recipes.

A crystal is a dense block of N atoms. Between each ordered pair of atoms stands one message, made from the
fractional displacement, the Cartesian distances to all nearby images, and the states of both atoms; it decides how
strongly the pair attends and is itself part of what is gathered. One state per crystal carries time and cell.

Axes: B crystals, N atoms, D width, P pair width, H heads, K frequencies, R radial bins, C inputs per atom.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from nucleate.geometry import torus
from nucleate.geometry.shells import shells
from nucleate.models.networks.attention import softmax_over_senders
from nucleate.models.networks.interface import FlowOutput


@dataclass(frozen=True, kw_only=True)
class PairformerConfig:
    """Sizes of the network.

    Attributes:
        width: of atom and crystal states.
        pair_width: of the messages.
        layers: number of blocks.
        heads: of attention.
        expansion: of the gated feed-forward part, times `width`.
        frequencies: harmonics of the fractional displacement along each axis.
        radial_bins: of the histogram of distances.
        radius: largest distance in the histogram, Å.
    """

    width: int = 192
    pair_width: int = 64
    layers: int = 6
    heads: int = 8
    expansion: int = 2
    frequencies: int = 8
    radial_bins: int = 20
    radius: float = 6.0


class Pairformer(nn.Module):
    """Velocities of a flow over crystals, invariant to translation and equivariant to permutation of the atoms.

    Args:
        config: sizes.
        type_inputs: C, length of the description of an atom's type.
        type_outputs: length of what is predicted for types; 0 for none.
    """

    def __init__(self, config: PairformerConfig, type_inputs: int, type_outputs: int) -> None:
        super().__init__()
        width = config.width
        self.config = config
        self.types = nn.Linear(type_inputs, width, bias=False)
        self.time = nn.Linear(_TIME_FEATURES, width)
        self.cell = nn.Linear(12, width)
        self.pair = nn.Linear(6 * config.frequencies + config.radial_bins, config.pair_width)
        self.blocks = nn.ModuleList(_Block(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(width)
        self.to_frac = nn.Linear(width, 3, bias=False)
        last_lattice = nn.Linear(width, 6)
        self.to_lattice = nn.Sequential(nn.Linear(2 * width, width), nn.SiLU(), last_lattice)
        self.to_types = nn.Linear(width, type_outputs) if type_outputs else None
        for last in (self.to_frac, last_lattice, self.to_types):
            if last is not None:
                nn.init.zeros_(last.weight)  # an untrained flow stands still

    def forward(
        self,
        types: Float[Tensor, "b n c"],
        frac: Float[Tensor, "b n 3"],
        lattice: Float[Tensor, "b 6"],
        metric: Float[Tensor, "b 3 3"],
        time: Float[Tensor, " b"],
        mask: Bool[Tensor, "b n"],
    ) -> FlowOutput:
        """Predicts velocities at `time` in [0, 1].

        Args:
            types: description of each atom's type.
            frac: fractional coordinates.
            lattice: the flow's own lattice coordinates.
            metric: scalar products of the same lattice's vectors, Å².
            time: one a crystal.
            mask: which places hold an atom.
        """
        with torch.no_grad():
            geometry = torch.cat(pair_features(frac, metric, self.config), -1)
        pairs = self.pair(geometry)
        crystal = self.time(_time_features(time)) + self.cell(torch.cat([lattice, _compressed(metric)], -1))
        atoms = self.types(types)
        present = mask.unsqueeze(-1).to(atoms.dtype)
        # Without padding, as in buckets of one size, there is nothing to hide from the attention.
        hidden = None if bool(mask.all()) else torch.where(mask, 0.0, -1e4)[:, None, :, None]
        for block in self.blocks:
            atoms, crystal = block(atoms, crystal, pairs, present, hidden)
        atoms = self.norm(atoms)
        pooled = torch.cat([_mean(atoms, present), crystal], -1)
        return FlowOutput(
            types=atoms.new_zeros(*mask.shape, 0) if self.to_types is None else self.to_types(atoms).float(),
            frac=self.to_frac(atoms).float() * present,
            lattice=self.to_lattice(pooled).float(),
        )


class _Block(nn.Module):
    """Messages and attention between atoms, a gated feed-forward part, and an update of the crystal's state."""

    def __init__(self, config: PairformerConfig) -> None:
        super().__init__()
        width, pair, inner = config.width, config.pair_width, config.expansion * config.width
        self.heads = config.heads
        self.norm_messages = nn.LayerNorm(width)
        self.ends = nn.Linear(width, 2 * pair)
        self.from_crystal = nn.Linear(width, width)
        self.from_pair = nn.Linear(pair, pair, bias=False)
        self.message = nn.Linear(pair, pair)
        self.attention = nn.Linear(pair, config.heads)
        self.value = nn.Linear(width, width)
        self.gathered = nn.Linear(width + pair * config.heads, width)
        self.norm_inner = nn.LayerNorm(width)
        self.up = nn.Linear(width, 2 * inner)
        self.down = nn.Linear(inner, width)
        self.norm_crystal = nn.LayerNorm(width)
        self.crystal = nn.Linear(2 * width, width)
        for last in (self.gathered, self.down):
            nn.init.zeros_(last.weight)  # each block starts as the identity

    def forward(
        self,
        atoms: Float[Tensor, "b n d"],
        crystal: Float[Tensor, "b d"],
        pairs: Float[Tensor, "b n n p"],
        present: Float[Tensor, "b n 1"],
        hidden: Float[Tensor, "b 1 n 1"] | None,
    ) -> tuple[Float[Tensor, "b n d"], Float[Tensor, "b d"]]:
        batch, count, width = atoms.shape
        state = self.norm_messages(atoms + self.from_crystal(crystal)[:, None])
        receiver, sender = self.ends(state).chunk(2, -1)
        messages = F.silu(self.from_pair(pairs) + receiver[:, :, None] + sender[:, None])
        messages = F.silu(self.message(messages))
        logits = self.attention(messages)
        weights = softmax_over_senders(logits if hidden is None else logits + hidden).to(messages.dtype)  # B N N H
        values = self.value(state).view(batch, count, self.heads, -1).transpose(1, 2)
        from_atoms = (weights.permute(0, 3, 1, 2) @ values).transpose(1, 2).reshape(batch, count, width)
        from_pairs = (weights.transpose(2, 3) @ messages).reshape(batch, count, -1)
        atoms = atoms + self.gathered(torch.cat([from_atoms, from_pairs], -1))
        inner, gate = self.up(self.norm_inner(atoms)).chunk(2, -1)
        atoms = atoms + self.down(inner * F.silu(gate))
        summary = torch.cat([self.norm_crystal(crystal), _mean(atoms, present)], -1)
        return atoms, crystal + F.silu(self.crystal(summary))


def pair_features(
    frac: Float[Tensor, "b n 3"], metric: Float[Tensor, "b 3 3"], config: PairformerConfig
) -> tuple[Float[Tensor, "b n n f"], Float[Tensor, "b n n r"]]:
    """Describes each ordered pair of atoms, the pair of an atom with itself included.

    Returns:
        Sines and cosines of 2πkΔ for the fractional displacement Δ, k = 1 … K; and the number of images of the
        second atom around the first by distance (27 cells), each counted in the two nearest bins by linear weights.
    """
    delta = torus.log_map(frac[:, :, None], frac[:, None])
    harmonics = torch.arange(1, config.frequencies + 1, device=frac.device, dtype=frac.dtype)
    angles = (2 * math.pi * delta.unsqueeze(-1) * harmonics).flatten(-2)
    waves = torch.cat([angles.sin(), angles.cos()], -1)
    return waves, shells(delta, metric, config.radial_bins, config.radius)


_TIME_FEATURES = 64


def _time_features(time: Float[Tensor, " b"]) -> Float[Tensor, "b f"]:
    rates = torch.exp(torch.linspace(0, math.log(200), _TIME_FEATURES // 2, device=time.device, dtype=time.dtype))
    angles = time[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], -1)


def _compressed(metric: Float[Tensor, "b 3 3"]) -> Float[Tensor, "b 6"]:
    """The six entries of the metric tensor (Å²) on a logarithmic scale that keeps their signs."""
    rows, columns = [0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]
    entries = metric[:, rows, columns]
    return entries.sign() * entries.abs().log1p() / 3


def _mean(atoms: Float[Tensor, "b n d"], present: Float[Tensor, "b n 1"]) -> Float[Tensor, "b d"]:
    return (atoms * present).sum(1) / present.sum(1)
