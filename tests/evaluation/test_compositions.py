from __future__ import annotations

import numpy as np

from nucleate.crystals import Crystals
from nucleate.evaluation.compositions import distinct_rows, element_counts, reduced_counts

CUBE = np.eye(3)


def of(*numbers: list[int]) -> Crystals:
    return Crystals.build(list(numbers), [np.zeros((len(z), 3)) for z in numbers], [CUBE] * len(numbers))


def test_counts_of_elements():
    counts = element_counts(of([8, 14, 8], [], [118] * 3))
    assert counts.shape == (3, 119)
    assert counts[0, [8, 14]].tolist() == [2, 1]
    assert counts[2, 118] == 3
    assert counts.sum(1).tolist() == [3, 0, 3]
    assert element_counts(Crystals.empty()).shape == (0, 119)


def test_counts_have_no_common_divisor():
    reduced = reduced_counts(element_counts(of([8] * 6 + [13] * 4, [8] * 5, [])))
    assert reduced[0, [8, 13]].tolist() == [3, 2]
    assert reduced.sum(1).tolist() == [5, 1, 0]


def test_distinct_rows():
    rows = np.array([[2, 1], [0, 1], [2, 1], [0, 0]])
    found, which = distinct_rows(rows)
    assert found.tolist() == [[2, 1], [0, 1], [0, 0]]
    np.testing.assert_array_equal(found[which], rows)
    assert distinct_rows(rows[:0])[0].shape == (0, 2)
