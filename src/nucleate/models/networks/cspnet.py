"""CSPNet: message passing between all atoms of a crystal (Jiao et al. 2023, DiffCSP; Miller et al. 2024, FlowMM).

In each layer an edge goes from every atom j of the crystal to every atom i, i itself included:

    m_ij = φ_m(h_i, h_j, lattice, sin 2πk(f_j − f_i), cos θ_ij, cos 2πk(f_j − f_i)),  k = 1 … K on each axis
    h_i ← h_i + φ_h(h_i, mean of m_ij over j)

θ_ij are the angles of the shortest edge with the three lattice vectors. φ_m and φ_h are two linear layers with a SiLU
after each; both see h through a layer norm.

The mathematics is the papers'. Three identities make it many times as fast as it reads (see `benchmarks/README.md`):

* The first layer of φ_m is linear, so its share of h_i and of h_j is computed once an atom, not once an edge, and that
  of the lattice once a crystal.
* Its share of the geometry is odd(i ← j) + even(i ← j); the edge j ← i differs only in the sign of the odd part, from
  sin and cos θ. So pairs i < j are enough.
* Crystals of one size form a dense block without padding or lists of indices. Matrix products are nearly all that
  remains: to copy atoms to edges, and to sum edges to atoms, are two more, by matrices of 0 and 1.

Axes: B crystals, N atoms with padding, A atoms without, D width, K frequencies; in a block C crystals, S atoms each,
P = S(S − 1)/2 pairs, E = S² edges.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import linear, silu

from nucleate.geometry import torus
from nucleate.models.networks.interface import FlowOutput


@dataclass(frozen=True, kw_only=True)
class CSPNetConfig:
    """Sizes of a `CSPNet`; the defaults are FlowMM's.

    Attributes:
        width: hidden numbers per atom and per edge.
        layers: rounds of message passing.
        frequencies: harmonics K per axis of the fractional coordinates.
        time_width: numbers that time is embedded in; even.
    """

    width: int = 512
    layers: int = 6
    frequencies: int = 128
    time_width: int = 256


class CSPNet(nn.Module):
    """Velocities of a flow over crystals, invariant to translation and equivariant to permutation of the atoms.

    Under `torch.autocast` the messages are computed in the lower precision; the geometry, the lattice, the residual
    stream and the heads stay in full precision.

    Args:
        config: sizes.
        type_inputs: length of the description of an atom's type.
        type_outputs: length of what is predicted for types; 0 for none.
    """

    def __init__(self, config: CSPNetConfig, type_inputs: int, type_outputs: int) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.embed_types = nn.Linear(type_inputs, width)
        self.embed = nn.Linear(width + config.time_width, width)
        self.layers = nn.ModuleList([_Layer(width, config.frequencies) for _ in range(config.layers)])
        self.norm = nn.LayerNorm(width)
        self.types_head = nn.Linear(width, type_outputs) if type_outputs else None
        self.frac_head = nn.Linear(width, 3, bias=False)
        self.lattice_head = nn.Linear(width, 6)

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
            mask: which places hold an atom; the atoms of a crystal come first.
        """
        device = frac.device.type
        low = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else frac.dtype
        with torch.autocast(device, enabled=False):
            blocks = [_dense_block(frac, metric, mask, rows, size, self.config, low) for rows, size in _blocks(mask)]
        slots = torch.cat([block.slots for block in blocks])
        owner = slots // mask.shape[1]
        count = mask.sum(1, keepdim=True).clamp(min=1).to(frac.dtype)

        inputs = [self.embed_types(types.flatten(0, 1)[slots]), embed_time(time, self.config.time_width)[owner]]
        hidden = self.embed(torch.cat(inputs, dim=1)).to(frac.dtype)
        for layer in self.layers:
            hidden = layer(hidden, lattice, owner, count[owner], blocks)

        with torch.autocast(device, enabled=False):
            present = mask.unsqueeze(-1).to(frac.dtype)
            atoms = hidden.new_zeros(mask.numel(), hidden.shape[1]).index_copy(0, slots, self.norm(hidden))
            atoms = atoms.view(*mask.shape, -1) * present
            return FlowOutput(
                types=atoms[..., :0] if self.types_head is None else self.types_head(atoms) * present,
                frac=torus.mean_free(self.frac_head(atoms), mask),
                lattice=self.lattice_head(atoms.sum(1) / count),
            )


class _Layer(nn.Module):
    """One round of message passing over packed atoms."""

    def __init__(self, width: int, frequencies: int) -> None:
        super().__init__()
        self.inputs = [width, width, 6, 3 * frequencies + 3, 3 * frequencies]
        self.norm = nn.LayerNorm(width)
        self.message_in = nn.Linear(sum(self.inputs), width)
        self.message_out = nn.Linear(width, width)
        self.update = nn.Sequential(nn.Linear(2 * width, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU())

    def forward(
        self,
        hidden: Float[Tensor, "a d"],
        lattice: Float[Tensor, "b 6"],
        owner: Int[Tensor, " a"],
        count: Float[Tensor, "a 1"],
        blocks: list[_Block],
    ) -> Float[Tensor, "a d"]:
        low = blocks[0].odd.dtype
        by_receiver, by_sender, by_lattice, odd, even = self.message_in.weight.split(self.inputs, dim=1)
        with torch.autocast(hidden.device.type, enabled=False):
            crystal = linear(lattice, by_lattice, self.message_in.bias).to(low)
        normed = self.norm(hidden).to(low)
        sizes = [len(block.slots) for block in blocks]
        receive = (linear(normed, by_receiver) + crystal.index_select(0, owner)).split(sizes)
        send = linear(normed, by_sender).split(sizes)
        weights = _Weights(*(w.to(low) for w in (odd, even, self.message_out.weight, self.message_out.bias)))
        total = torch.cat([_messages(*parts, weights) for parts in zip(blocks, receive, send, strict=True)])
        return hidden + self.update(torch.cat([normed, (total / count).to(low)], dim=1))


class _Weights(NamedTuple):
    """What acts on edges, in the precision of the edges."""

    odd: Float[Tensor, "d odd"]
    even: Float[Tensor, "d even"]
    second: Float[Tensor, "d d"]
    bias: Float[Tensor, " d"]


class _Block(NamedTuple):
    """C crystals as a dense block. Its edges: the pairs i < j as i ← j, the same pairs as j ← i, then i ← i."""

    slots: Int[Tensor, " cs"]
    """Where each atom is in the flattened padded input."""
    odd: Float[Tensor, "c p 3k+3"]
    """Geometry of the pairs that changes sign with direction: sin 2πk(f_j − f_i), cos θ_ij."""
    even: Float[Tensor, "c p 3k"]
    """Geometry of the pairs that does not: cos 2πk(f_j − f_i)."""
    ends: Float[Tensor, "e 2s"]
    """1 where an edge arrives at an atom (first S columns) or comes from it (last S)."""
    gather: Float[Tensor, "c s e"]
    """1 where an edge from an atom, not from padding, arrives at an atom."""


def _messages(
    block: _Block, receive: Float[Tensor, "cs d"], send: Float[Tensor, "cs d"], weights: _Weights
) -> Float[Tensor, "cs d"]:
    """Sum of the messages that arrive at each atom; `receive` and `send` are the atoms' shares of the first layer."""
    crystals, atoms, _ = block.gather.shape
    odd, even = linear(block.odd, weights.odd), linear(block.even, weights.even)
    itself = weights.even.sum(1).expand(crystals, atoms, -1)  # sin 0 = 0, cos 0 = 1, and no edge, no angle
    shares = torch.cat([receive.view(crystals, atoms, -1), send.view(crystals, atoms, -1)], dim=1)
    edges = torch.cat([even + odd, even - odd, itself], dim=1)
    edges.baddbmm_(block.ends.expand(crystals, -1, -1), shares)
    edges = silu(linear(silu(edges), weights.second, weights.bias))
    return torch.bmm(block.gather, edges).flatten(0, 1)


def _blocks(mask: Bool[Tensor, "b n"]) -> list[tuple[Int[Tensor, " c"], int]]:
    """Divides a batch into blocks: the rows and the size of each. Crystals without atoms are in none on CPUs.

    Accelerators would rather have a few padded atoms than wait for the sizes.
    """
    if mask.device.type != "cpu":
        return [(torch.arange(len(mask), device=mask.device), mask.shape[1])]
    counts = mask.sum(1)
    return [((counts == size).nonzero().flatten(), size) for size in counts.unique().tolist() if size]


def _dense_block(
    frac: Float[Tensor, "b n 3"],
    metric: Float[Tensor, "b 3 3"],
    mask: Bool[Tensor, "b n"],
    rows: Int[Tensor, " c"],
    size: int,
    config: CSPNetConfig,
    dtype: torch.dtype,
) -> _Block:
    """Embeds the geometry of the crystals in `rows`, in full precision, and returns it in `dtype`."""
    device = frac.device
    atoms = torch.arange(size, device=device)
    first, last = torch.triu_indices(size, size, 1, device=device)
    receiver, sender = torch.cat([first, last, atoms]), torch.cat([last, first, atoms])
    one_hot = torch.eye(size, device=device, dtype=dtype)
    delta = frac[rows][:, last] - frac[rows][:, first]
    harmonics = 2 * math.pi * torch.arange(1, config.frequencies + 1, device=device, dtype=frac.dtype)
    phase = (delta.unsqueeze(-1) * harmonics).flatten(2)
    return _Block(
        slots=(rows[:, None] * mask.shape[1] + atoms).flatten(),
        odd=torch.cat([phase.sin(), _angles(delta, metric[rows])], dim=2).to(dtype),
        even=phase.cos().to(dtype),
        ends=torch.cat([one_hot[receiver], one_hot[sender]], dim=1),
        gather=one_hot[receiver].T * mask[rows][:, None, sender],
    )


def _angles(delta: Float[Tensor, "c p 3"], metric: Float[Tensor, "c 3 3"]) -> Float[Tensor, "c p 3"]:
    """Cosines between the shortest edges and the lattice vectors; 0 for atoms on top of each other."""
    shortest = delta - torch.round(delta)
    products = shortest @ metric
    squared = (products * shortest).sum(2, keepdim=True) * metric.diagonal(dim1=1, dim2=2)[:, None]
    # On the way from noise a metric may belong to no cell; its "cosines" are cut.
    return (products * squared.clamp(min=1e-12).rsqrt()).clamp(-1, 1)


def embed_time(time: Float[Tensor, " b"], width: int) -> Float[Tensor, "b width"]:
    """Sines and cosines of 1000 t at `width / 2` rates from 1 to 1/10000 (Vaswani et al. 2017; Ho et al. 2020)."""
    exponent = torch.linspace(0, 1, width // 2, device=time.device, dtype=time.dtype)
    angle = 1000 * time[:, None] * 10_000**-exponent
    return torch.cat([angle.sin(), angle.cos()], dim=1)
