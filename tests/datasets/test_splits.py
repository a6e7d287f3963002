from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nucleate.datasets.splits import SPLITS, assign, hash_order


@given(st.lists(st.text(), max_size=200), st.integers())
def test_equal_keys_share_a_split_and_order_does_not_matter(keys, seed):
    of = dict(zip(keys, assign(keys, seed), strict=True))
    assert set(of.values()) <= set(SPLITS)
    assert list(assign(keys[::-1], seed)) == [of[key] for key in keys[::-1]]


def test_shares_are_exact():
    assert Counter(assign([str(row) for row in range(1000)])) == {"train": 800, "val": 100, "test": 100}
    assert Counter(assign([str(row) for row in range(10)])) == {"train": 8, "val": 1, "test": 1}


def test_the_seed_decides():
    keys = [str(row) for row in range(500)]
    assert (assign(keys, 0) == assign(keys, 0)).all()
    assert 0.5 < np.mean(assign(keys, 0) == assign(keys, 1)) < 0.8  # by chance 0.8² + 2 · 0.1² = 0.66


def test_the_order_is_the_same_everywhere():
    # Written down once: a change would move everybody's crystals between splits.
    assert hash_order("abcdefg", seed=0) == list("ecfabgd")
