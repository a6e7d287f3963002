"""What each CSP sample is a prediction of, and which reference crystals were asked for."""

from __future__ import annotations

from nucleate.evaluation.pairing.choice import pair
from nucleate.evaluation.pairing.columns import RANK, REFERENCE_INDEX
from nucleate.evaluation.pairing.pairing import UNPAIRED, Pairing, PairingError, Rule

__all__ = ["RANK", "REFERENCE_INDEX", "UNPAIRED", "Pairing", "PairingError", "Rule", "pair"]
