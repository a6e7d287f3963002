"""Splits by hash: the same on every machine and in every version of every library, and equal keys stay together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b

import numpy as np

SPLITS = ("train", "val", "test")

_SHARES = (0.8, 0.1)  # train and val; test is the rest


def hash_order(keys: Iterable[str], seed: int) -> list[str]:
    """Returns the distinct keys in an order that is random in all but name: by the hash of the seed and the key."""
    return sorted(set(keys), key=lambda key: blake2b(f"{seed}/{key}".encode(), digest_size=16).digest())


def assign(keys: Sequence[str], seed: int = 0) -> np.ndarray:
    """Deals keys into 80 % train, 10 % val and 10 % test; equal keys go to the same split.

    Args:
        keys: one a row, such as its number or its formula.
        seed: of the order in which the distinct keys are dealt.

    Returns:
        The name of the split of each row, shape (C,), dtype object.
    """
    ordered = hash_order(keys, seed)
    ends = np.rint(np.cumsum(_SHARES) * len(ordered)).astype(int)
    place = {key: int(np.searchsorted(ends, rank, side="right")) for rank, key in enumerate(ordered)}
    return np.array([SPLITS[place[key]] for key in keys], dtype=object)
