from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from nucleate.training.batches import epoch_batches


@given(st.integers(1, 200), st.integers(1, 64), st.integers(0, 5))
def test_batches_are_equal_disjoint_and_nearly_cover(total, batch, seed):
    counts = torch.randint(1, 21, (total,), generator=torch.Generator().manual_seed(seed))
    batches = epoch_batches(counts, batch, torch.Generator().manual_seed(seed))
    together = torch.cat(batches)
    assert all(len(chunk) == min(batch, total) for chunk in batches)
    assert len(together.unique()) == len(together)
    assert total - len(together) < batch


def test_a_batch_spans_few_sizes():
    counts = torch.arange(1, 21).repeat_interleave(100)
    batches = epoch_batches(counts, 50, torch.Generator().manual_seed(0))
    assert max(len(counts[chunk].unique()) for chunk in batches) <= 2


def test_every_crystal_has_its_turn():
    counts = torch.randint(1, 21, (103,), generator=torch.Generator().manual_seed(0))
    rng = torch.Generator().manual_seed(1)
    seen = {int(i) for _ in range(60) for chunk in epoch_batches(counts, 50, rng) for i in chunk}
    assert seen == set(range(103))
