from __future__ import annotations

from collections import Counter

import torch

from nucleate.models.parts.atoms import CLASSES, element_counts, mean_over_crystals, one_hot
from tests.contract.suite import some_crystals


def test_counts_are_those_of_python():
    crystals = some_crystals(5)
    block = crystals.padded()
    counts = element_counts(block.numbers, block.mask)
    for row, numbers in zip(counts, crystals.numbers_of_each(), strict=True):
        assert {z: int(n) for z, n in enumerate(row) if n} == Counter(numbers.tolist())


def test_one_hot_says_the_number():
    numbers = torch.tensor([[8, 14, 0]])
    described = one_hot(numbers)
    assert described.shape == (1, 3, CLASSES)
    assert described.argmax(-1).tolist() == numbers.tolist()


def test_each_crystal_counts_the_same_whatever_its_size():
    mask = torch.tensor([[True, True, True], [True, False, False]])
    values = torch.tensor([[1.0, 2.0, 3.0], [10.0, 99.0, 99.0]])
    assert float(mean_over_crystals(values, mask)) == (2 + 10) / 2
