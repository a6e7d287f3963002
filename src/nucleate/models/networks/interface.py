"""What networks are given and what flow backbones return, so that a family can be built on any of them."""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Bool, Float
from torch import Tensor


class Described(NamedTuple):
    """A padded block of crystals as networks over neighbours see it."""

    types: Float[Tensor, "b n c"]
    """Description of each atom's type."""
    frac: Float[Tensor, "b n 3"]
    """Fractional coordinates, wrapped or not."""
    lattice: Float[Tensor, "b 3 3"]
    """Row vectors in Å."""
    mask: Bool[Tensor, "b n"]
    """Which places hold an atom."""


class FlowOutput(NamedTuple):
    """One prediction for a padded block of crystals. Rows of padding atoms are 0."""

    types: Float[Tensor, "b n c"]
    """Velocity of the analog bits, or logits over the elements."""
    frac: Float[Tensor, "b n 3"]
    """Velocity of the fractional coordinates."""
    lattice: Float[Tensor, "b 6"]
    """Velocity of the lattice coordinates."""
