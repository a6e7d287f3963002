"""CSPNet as the papers write it down: a list of edges, one row of features an edge, sums by index.

An independent reading of Jiao et al. 2023 (DiffCSP, section 4.2) with the inputs and outputs of Miller et al. 2024
(FlowMM). It is the yardstick that `nucleate.models.networks.cspnet` is tested and timed against, so nothing here is
rearranged for speed. Parameters have the names and the shapes of the fast network: state dicts are interchangeable.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity, silu


class PlainLayer(nn.Module):
    def __init__(self, width: int, frequencies: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.message_in = nn.Linear(2 * width + 6 + 6 * frequencies + 3, width)
        self.message_out = nn.Linear(width, width)
        self.update = nn.Sequential(nn.Linear(2 * width, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU())

    def forward(self, hidden: Tensor, lattice: Tensor, geometry: Tensor, receiver: Tensor, sender: Tensor) -> Tensor:
        """`hidden` (atoms, width), `lattice` (edges, 6), `geometry` (edges, 6K + 3), receiver and sender (edges,)."""
        normed = self.norm(hidden)
        inputs = torch.cat([normed[receiver], normed[sender], lattice, geometry], dim=1)
        edges = silu(self.message_out(silu(self.message_in(inputs))))
        total = torch.zeros_like(normed).index_add(0, receiver, edges)
        degree = torch.zeros(len(normed), dtype=edges.dtype, device=edges.device)
        degree = degree.index_add(0, receiver, torch.ones_like(edges[:, 0]))
        return hidden + self.update(torch.cat([normed, total / degree[:, None]], dim=1))


class PlainCSPNet(nn.Module):
    """CSPNet on flat atoms: fully connected crystals, self edges included."""

    def __init__(
        self,
        type_inputs: int,
        type_outputs: int,
        width: int = 512,
        layers: int = 6,
        frequencies: int = 128,
        time_width: int = 256,
    ) -> None:
        super().__init__()
        self.frequencies, self.time_width = frequencies, time_width
        self.embed_types = nn.Linear(type_inputs, width)
        self.embed = nn.Linear(width + time_width, width)
        self.layers = nn.ModuleList([PlainLayer(width, frequencies) for _ in range(layers)])
        self.norm = nn.LayerNorm(width)
        self.types_head = nn.Linear(width, type_outputs)
        self.frac_head = nn.Linear(width, 3, bias=False)
        self.lattice_head = nn.Linear(width, 6)

    def forward(
        self, types: Tensor, frac: Tensor, lattice: Tensor, cell: Tensor, time: Tensor, counts: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Predicts for A atoms in B crystals.

        Args:
            types: (A, type_inputs).
            frac: fractional coordinates, (A, 3).
            lattice: lattice coordinates of the flow, (B, 6).
            cell: row vectors of the lattice, Å, (B, 3, 3).
            time: (B,), in [0, 1].
            counts: atoms per crystal, (B,).

        Returns:
            types (A, type_outputs), frac (A, 3), lattice (B, 6).
        """
        owner = torch.repeat_interleave(torch.arange(len(counts), device=counts.device), counts)
        receiver, sender = self._edges(counts)
        geometry = self._geometry(frac[sender] - frac[receiver], cell[owner[receiver]])
        hidden = self.embed(torch.cat([self.embed_types(types), self._embed_time(time)[owner]], dim=1))
        for layer in self.layers:
            hidden = layer(hidden, lattice[owner[receiver]], geometry, receiver, sender)
        hidden = self.norm(hidden)
        velocity = self.frac_head(hidden)
        return (
            self.types_head(hidden),
            velocity - self._mean(velocity, owner, counts)[owner],
            self.lattice_head(self._mean(hidden, owner, counts)),
        )

    def _geometry(self, delta: Tensor, cell: Tensor) -> Tensor:
        """Of each edge: sines, cosines of its angles with the lattice vectors (0 if it has no length), and cosines."""
        turns = torch.arange(1, self.frequencies + 1, device=delta.device, dtype=delta.dtype)
        phase = (2 * math.pi * delta[:, :, None] * turns).flatten(1)
        edge = torch.einsum("ex,exy->ey", delta - torch.round(delta), cell)
        angles = cosine_similarity(edge[:, None], cell, dim=2)
        return torch.cat([phase.sin(), angles, phase.cos()], dim=1)

    def _mean(self, values: Tensor, owner: Tensor, counts: Tensor) -> Tensor:
        """Mean over the atoms of each crystal."""
        total = torch.zeros(len(counts), values.shape[1], dtype=values.dtype, device=values.device)
        return total.index_add(0, owner, values) / counts[:, None]

    def _edges(self, counts: Tensor) -> tuple[Tensor, Tensor]:
        """All ordered pairs of atoms of the same crystal, with themselves too."""
        pairs, start = [], 0
        for count in counts.tolist():
            atoms = torch.arange(start, start + count, device=counts.device)
            pairs.append(torch.cartesian_prod(atoms, atoms))
            start += count
        receiver, sender = torch.cat(pairs).T
        return receiver, sender

    def _embed_time(self, time: Tensor) -> Tensor:
        """Sines and cosines of 1000 t at wavelengths from 2π to 20000π (Vaswani et al. 2017; Ho et al. 2020)."""
        half = self.time_width // 2
        place = torch.arange(half, device=time.device, dtype=time.dtype)
        angle = 1000 * time[:, None] * torch.exp(-math.log(10_000) / (half - 1) * place)
        return torch.cat([angle.sin(), angle.cos()], dim=1)
