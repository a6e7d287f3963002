"""What every flow backbone returns, so that a flow can be built on any of them."""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor


class FlowOutput(NamedTuple):
    """One prediction for a padded block of crystals. Rows of padding atoms are 0."""

    types: Float[Tensor, "b n c"]
    """Velocity of the analog bits, or logits over the elements."""
    frac: Float[Tensor, "b n 3"]
    """Velocity of the fractional coordinates."""
    lattice: Float[Tensor, "b 6"]
    """Velocity of the lattice coordinates."""
