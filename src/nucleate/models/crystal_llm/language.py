"""What a language for crystals is: how crystals become tokens that a network reads, and tokens become crystals again.

Axes: B documents, T tokens of the longest, V tokens in the vocabulary.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from nucleate.crystals import Crystals, Padded


class Documents(NamedTuple):
    """B documents, padded to the longest. Prompts are padded on the left, whole documents on the right."""

    tokens: Int[Tensor, "b t"]
    mask: Bool[Tensor, "b t"]
    """Which places hold a token."""
    answer: Bool[Tensor, "b t"]
    """Which tokens the network has to write; it is given the others."""

    def rows(self, chosen: Bool[Tensor, " b"]) -> Documents:
        """Some of whole documents, no wider than they have to be."""
        width = int(self.mask[chosen].sum(1).max())
        return Documents(*(part[chosen, :width] for part in self))


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What one crystal is asked to be. Anything may be left open (None).

    Attributes:
        numbers: atomic numbers of the cell, one an atom: a full formula.
        num_atoms: atoms in the cell; follows from `numbers` where these are given.
        space_group: number, 1 to 230.
        e_above_hull: eV/atom.
        band_gap: eV.
    """

    numbers: tuple[int, ...] | None = None
    num_atoms: int | None = None
    space_group: int | None = None
    e_above_hull: float | None = None
    band_gap: float | None = None


LABELS = ("spacegroup.number", "e_above_hull", "band_gap")
"""Columns of `info` that a crystal language can be told beside the crystal."""


class Grammar(ABC):
    """What may come next in each of B answers that are being written."""

    @abstractmethod
    def allowed(self) -> Bool[Tensor, "b v"]:
        """Which tokens may come next."""

    @abstractmethod
    def advance(self, tokens: Int[Tensor, " b"]) -> None:
        """Told which token each answer went on with."""

    @abstractmethod
    def keep(self, rows: Int[Tensor, " k"]) -> None:
        """Goes on with some of the answers only."""


class Language(ABC):
    """Between crystals and tokens, both ways. Everything random goes through the generator that is passed in."""

    vocabulary: int
    """Tokens that there are."""
    pad: int
    """Fills up documents; never written."""
    end: int
    """Ends an answer."""
    labels: Sequence[str]
    """Columns of `info` that documents say something of, where they are known."""
    atoms_limit: int | None = None
    """Most atoms of a crystal that can be written; None for any number."""

    @abstractmethod
    def documents(self, crystals: Padded, rng: torch.Generator) -> Documents:
        """Writes crystals, with prompts and augmentation drawn at random, as documents to learn from."""

    @abstractmethod
    def prompts(self, wishes: Sequence[Wish]) -> Documents:
        """Writes what is asked for; padded on the left, `answer` False throughout."""

    @abstractmethod
    def read(self, answers: Int[Tensor, "b t"], wishes: Sequence[Wish]) -> Crystals:
        """Reads what was written after the prompts, up to the first `end`.

        Returns:
            One row an answer; one that cannot be read is a row with its failure's reason. Never raises for an answer.
        """

    @abstractmethod
    def longest(self, wishes: Sequence[Wish]) -> int:
        """Tokens that an answer to these can have, at most."""

    def grammar(
        self,
        wishes: Sequence[Wish],
        device: torch.device,
        *,
        elements: Bool[Tensor, " e"] | None = None,
        clearance: float = 0.0,
    ) -> Grammar | None:
        """What may come next in answers to these wishes; None where the language has no grammar.

        Args:
            wishes: one an answer.
            device: where the answers are drawn.
            elements: which may be written, by atomic number; all by default.
            clearance: Å; how near to each other atoms may come.
        """
        return None

    def neighbours(self, tokens: Int[Tensor, "b t"]) -> Int[Tensor, "b t k"]:
        """Tokens that say nearly the same as each token; the token itself where there are none."""
        return tokens.unsqueeze(-1)

    def parts(self, documents: Documents) -> dict[str, Bool[Tensor, "b t"]]:
        """Parts of the answers whose probabilities are worth a number of their own."""
        return {"answer": documents.answer}

    def settles(self, tokens: Int[Tensor, " b"]) -> Bool[Tensor, " b"]:
        """Whether the composition of an answer is settled as soon as it goes on with this token."""
        return torch.zeros_like(tokens, dtype=torch.bool)

    @property
    @abstractmethod
    def description(self) -> str:
        """Name and version of what `describe` says."""

    @abstractmethod
    def describe(
        self, crystals: Crystals, *, jobs: int = 1, on_progress: Callable[[float], None] | None = None
    ) -> Float[Tensor, "c p"]:
        """What documents are written from beside the crystals; it comes back in `Padded.labels`."""

    def lengths(self, crystals: Padded) -> Int[Tensor, " c"]:
        """Tokens of each document, or what grows with them."""
        return crystals.counts

    @abstractmethod
    def fillings(self, crystals: Padded, masked: Int[Tensor, " b"], candidates: Int[Tensor, " b"]) -> Documents:
        """Writes crystals with a candidate in the place of a masked element, so that `answer` tells how well it fits.

        Args:
            crystals: with what `describe` says of them.
            masked: the element whose atoms are hidden, in each.
            candidates: the element that is tried in its place.
        """

    def weights(self, documents: Documents) -> Float[Tensor, "b t"]:
        """How much each token counts where fillings are compared; by default those of the answer 1."""
        return documents.answer.float()
