"""Atom types in the flow: given (CSP) or generated as analog bits (DNG; Chen et al. 2023, Miller et al. 2024)."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from nucleate.models.parts.atoms import CLASSES

BITS = 7
"""Bits of an atomic number up to `nucleate.elements.MAX_NUMBER`."""


def codebook(device: torch.device) -> Float[Tensor, "z bits"]:
    """Analog bits of every atomic number: −1 for 0 and +1 for 1, lowest bit first."""
    numbers = torch.arange(CLASSES, device=device)
    return 2.0 * ((numbers[:, None] >> torch.arange(BITS, device=device)) & 1) - 1.0


def from_bits(bits: Float[Tensor, "b n bits"], allowed: Bool[Tensor, " z"]) -> Int[Tensor, "b n"]:
    """Reads atomic numbers off analog bits: the nearest code among the allowed elements."""
    distance = torch.cdist(bits, codebook(bits.device).expand(len(bits), -1, -1))
    return distance.masked_fill(~allowed, torch.inf).argmin(-1)


def posterior(
    bits: Float[Tensor, "b n bits"], time: Float[Tensor, " b"], log_prior: Float[Tensor, " z"]
) -> Float[Tensor, "b n z"]:
    """Probability of each element, given noisy bits x_t = (1 − t) ε + t x_1 with ε ~ N(0, 1), by Bayes' rule.

    At t = 0 this is the prior and at t = 1 one-hot, so a network that reads it for DNG reads for finished types what
    it would be given for CSP.
    """
    t = time[:, None, None]
    codes = codebook(bits.device)
    spread = (1 - t).clamp(min=1e-2)
    # |x − t c|² without what all codes share: |c|² is the same for each.
    evidence = t * (bits @ codes.T) / spread.square()
    return (evidence + log_prior).softmax(-1)
