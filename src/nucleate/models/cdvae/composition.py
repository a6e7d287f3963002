"""Composition heads: what a crystal is made of, given its number of atoms and z.

`PerAtomComposition` is the published head: a probability of each element, the same for every atom. `SpelledComposition`
writes element by element: which one, how many of it, which next, until all atoms are used up. Elements come in order of
electronegativity, as formulas are written, so that each composition has one spelling and its probability is a product
of exact conditional probabilities. Charges can then balance: what is drawn knows all that was drawn before.

Axes: B crystals, K kinds of element in the order of the spelling, Z classes of element (0 is none).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from nucleate.elements import PAULING
from nucleate.models.networks.layers import ResidualPerceptron
from nucleate.models.parts.atoms import CLASSES, element_counts

MAX_COUNT = 64
"""Most atoms of one element in a cell that a head can write."""


class Spelling(NamedTuple):
    """Compositions as elements in order of electronegativity. Beyond the last, both are 0."""

    elements: Int[Tensor, "b k"]
    counts: Int[Tensor, "b k"]


def spell(numbers: Int[Tensor, "b n"], mask: Bool[Tensor, "b n"]) -> Spelling:
    """Writes compositions in order; K is the most kinds in the block."""
    order = _order(numbers.device)
    counts = element_counts(numbers, mask)[:, order]
    kinds = int((counts > 0).sum(1).max())
    # A stable sort brings the elements that are there to the front, in order.
    place = (counts == 0).long().argsort(dim=1, stable=True)[:, :kinds]
    counts = counts.gather(1, place).long()
    return Spelling(order[place] * (counts > 0), counts)


class CompositionHead(nn.Module, ABC):
    """What every composition head offers."""

    @abstractmethod
    def loss(self, context: Float[Tensor, "b c"], spelling: Spelling) -> Float[Tensor, " b"]:
        """How far each composition is from what the head expects."""

    @abstractmethod
    def draw(
        self,
        context: Float[Tensor, "b c"],
        atoms: Int[Tensor, " b"],
        allowed: Bool[Tensor, " z"],
        temperature: float,
        rng: torch.Generator,
    ) -> Int[Tensor, "b n"]:
        """Draws compositions and writes them out, one atomic number an atom, zeros after the last.

        Args:
            context: of each crystal, such as z.
            atoms: number of atoms of each.
            allowed: elements that may be drawn.
            temperature: divides the logits; 0 takes the most probable.
            rng: random state.
        """


class PerAtomComposition(CompositionHead):
    """A probability of each element, the same for every atom of the crystal (Xie et al. 2022, section 4.2).

    Args:
        context: length of the context.
        width: hidden numbers.
    """

    def __init__(self, context: int, width: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(context, width), nn.SiLU(), nn.Linear(width, CLASSES))

    def log_shares(self, context: Float[Tensor, "b c"]) -> Float[Tensor, "b z"]:
        """Logarithm of the probability of each element."""
        logits = self.inner(context).float()
        return torch.cat([torch.full_like(logits[:, :1], _NEVER), logits[:, 1:]], 1).log_softmax(-1)

    def loss(self, context: Float[Tensor, "b c"], spelling: Spelling) -> Float[Tensor, " b"]:
        """Cross-entropy, a mean over the atoms of each crystal."""
        elements, counts = spelling
        errors = self.log_shares(context).gather(1, elements) * counts
        return -errors.sum(1) / counts.sum(1)

    @torch.no_grad()
    def draw(
        self,
        context: Float[Tensor, "b c"],
        atoms: Int[Tensor, " b"],
        allowed: Bool[Tensor, " z"],
        temperature: float,
        rng: torch.Generator,
    ) -> Int[Tensor, "b n"]:
        """Gives each element its share of the atoms, rounded; atoms that are left are drawn from what is left over."""
        logits = self.log_shares(context).masked_fill(~allowed, _NEVER) / max(temperature, 1e-3)
        expected = logits.softmax(-1) * atoms[:, None]
        counts = expected.round().long()
        width = int(atoms.max())
        for _ in range(width):
            missing = atoms - counts.sum(1)
            if not bool(missing.any()):
                break
            rest = (expected - counts).clamp(min=1e-9).log()
            more = _draw(rest.masked_fill(~allowed, _NEVER)[:, None], 1.0, rng)
            fewer = torch.where(counts > 0, expected - counts, torch.inf).argmin(1, keepdim=True)
            change = missing.sign()[:, None]
            counts.scatter_add_(1, torch.where(change > 0, more, fewer), change)
        elements = torch.arange(CLASSES, device=atoms.device).expand_as(counts)
        return _written_out(elements, counts, width)


class SpelledComposition(CompositionHead):
    """The probability of a composition, element by element, and draws from it.

    Args:
        context: length of the context.
        width: hidden numbers.
    """

    def __init__(self, context: int, width: int) -> None:
        super().__init__()
        self.element = nn.Embedding(CLASSES, width)
        self.count = nn.Embedding(MAX_COUNT + 1, width)
        self.left = nn.Embedding(MAX_COUNT + 1, width)
        self.last = nn.Embedding(CLASSES, width)
        self.chosen = nn.Linear(width, width)
        self.context = nn.Linear(context, width)
        self.layers = nn.ModuleList(ResidualPerceptron(width) for _ in range(3))
        self.norm = nn.LayerNorm(width)
        self.to_element = nn.Linear(width, CLASSES)
        self.to_count = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, MAX_COUNT + 1))

    def _state(
        self,
        context: Float[Tensor, "b c"],
        written: Float[Tensor, "b k d"],
        left: Int[Tensor, "b k"],
        last: Int[Tensor, "b k"],
    ) -> Float[Tensor, "b k d"]:
        """State before each element: `written` is the sum over those before it."""
        state = self.context(context)[:, None] + self.chosen(written) + self.left(left) + self.last(last)
        for layer in self.layers:
            state = layer(state)
        return self.norm(state)

    def _kinds(self, elements: Int[Tensor, "b k"], counts: Int[Tensor, "b k"]) -> Float[Tensor, "b k d"]:
        return F.silu(self.element(elements) + self.count(counts)) * (counts > 0).unsqueeze(-1)

    def _count_logits(
        self, state: Float[Tensor, "b k d"], elements: Int[Tensor, "b k"], left: Int[Tensor, "b k"]
    ) -> Float[Tensor, "b k m"]:
        logits = self.to_count(state + self.element(elements)).float()
        places = torch.arange(MAX_COUNT + 1, device=left.device)
        return logits.masked_fill((places > left.unsqueeze(-1)) | (places < 1), _NEVER)

    def _element_logits(self, state: Float[Tensor, "b k d"], last: Int[Tensor, "b k"]) -> Float[Tensor, "b k z"]:
        rank = _rank(last.device)
        return self.to_element(state).float().masked_fill(rank <= rank[last].unsqueeze(-1), _NEVER)

    def loss(self, context: Float[Tensor, "b c"], spelling: Spelling) -> Float[Tensor, " b"]:
        """Minus the logarithm of the probability of each composition."""
        return -self.log_probability(context, spelling)

    def log_probability(self, context: Float[Tensor, "b c"], spelling: Spelling) -> Float[Tensor, " b"]:
        """Logarithm of the probability of each composition, given its number of atoms."""
        elements, counts = spelling
        before = counts.cumsum(1) - counts
        left = counts.sum(1, keepdim=True) - before
        last = F.pad(elements, (1, 0))[:, :-1]
        kinds = self._kinds(elements, counts)
        state = self._state(context, kinds.cumsum(1) - kinds, left, last)
        written = counts > 0
        chosen = _pick(self._element_logits(state, last), elements)
        many = _pick(self._count_logits(state, elements, left.clamp(min=1)), counts.clamp(min=1))
        return ((chosen + many) * written).sum(1)

    @torch.no_grad()
    def draw(
        self,
        context: Float[Tensor, "b c"],
        atoms: Int[Tensor, " b"],
        allowed: Bool[Tensor, " z"],
        temperature: float,
        rng: torch.Generator,
    ) -> Int[Tensor, "b n"]:
        """Draws compositions, the atoms in the order of the spelling."""
        rank = _rank(atoms.device)
        highest = rank.masked_fill(~allowed, 0).max()
        left = atoms[:, None].clone()
        last = torch.zeros_like(left)
        written = torch.zeros(len(atoms), 1, self.chosen.in_features, device=atoms.device)
        parts: list[Spelling] = []
        while bool((left > 0).any()):
            state = self._state(context, written, left, last)
            logits = self._element_logits(state, last).masked_fill(~allowed, _NEVER)
            element = _draw(logits, temperature, rng)
            many = _draw(self._count_logits(state, element, left), temperature, rng)
            many = torch.where(rank[element] >= highest, left, many)  # nothing may follow the last in order
            many = many.minimum(left)
            element = torch.where(many > 0, element, 0)
            parts.append(Spelling(element, many))
            written = written + self._kinds(element, many)
            last = torch.where(many > 0, element, last)
            left = left - many
        elements, counts = (torch.cat(columns, 1) for columns in zip(*parts, strict=True))
        return _written_out(elements, counts, int(atoms.max()))


def _written_out(elements: Int[Tensor, "b k"], counts: Int[Tensor, "b k"], width: int) -> Int[Tensor, "b n"]:
    """One atomic number an atom, zeros where there is none."""
    ends = counts.cumsum(1)
    place = torch.arange(width, device=counts.device)
    kind = (place[None, :, None] >= ends[:, None]).sum(-1)
    padded = F.pad(elements, (0, 1))
    return padded.gather(1, kind)


def _pick(logits: Float[Tensor, "b k z"], target: Int[Tensor, "b k"]) -> Float[Tensor, "b k"]:
    return logits.log_softmax(-1).gather(-1, target.unsqueeze(-1))[..., 0]


def _draw(logits: Float[Tensor, "b 1 z"], temperature: float, rng: torch.Generator) -> Int[Tensor, "b 1"]:
    """Draws one class a row. The random numbers come from the generator's device, whatever the device of the logits."""
    if temperature <= 0:
        return logits.argmax(-1)
    uniform = torch.rand(logits.shape, generator=rng, device=rng.device).to(logits.device)
    gumbel = -(-uniform.clamp(1e-20, 1 - 1e-7).log()).log()
    return (logits / temperature + gumbel).argmax(-1)


_NEVER = -1e9


def _order(device: torch.device) -> Int[Tensor, " z"]:
    """Elements in order of electronegativity, those without one last; class 0, no element, first of all."""
    known = [(PAULING[z] or 9.0, z) for z in range(1, CLASSES)]
    return torch.tensor([0, *(z for _, z in sorted(known))], device=device)


def _rank(device: torch.device) -> Int[Tensor, " z"]:
    """Place of each element in the order."""
    return _order(device).argsort()
