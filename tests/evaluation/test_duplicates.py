from __future__ import annotations

import numpy as np

from nucleate.crystals import Crystals
from nucleate.evaluation.duplicates import first_alike

CUBE = 4.0 * np.eye(3)


def test_the_same_structure_in_other_words_is_found():
    """Caesium chloride, moved, in a doubled cell, and strained a little; rock salt is something else."""
    caesium = [[0, 0, 0], [0.5, 0.5, 0.5]]
    doubled = [[0, 0, 0], [0, 0, 0.5], [0.5, 0.5, 0.25], [0.5, 0.5, 0.75]]
    batch = Crystals.concat(
        [
            Crystals.build([[11, 17]], [caesium], [CUBE]),
            Crystals.build([[11, 17]], [[[0.2, 0.1, 0.4], [0.7, 0.6, 0.9]]], [1.02 * CUBE]),
            Crystals.failed(["not_finite"]),
            Crystals.build([[11, 17]], [caesium], [2.8 * np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]])]),
            Crystals.build([[11, 11, 17, 17]], [doubled], [CUBE * [1, 1, 2]]),
            Crystals.build([[3, 17]], [caesium], [CUBE]),
            Crystals.failed(["not_finite"]),
        ]
    )
    assert first_alike(batch).tolist() == [0, 0, 2, 3, 0, 5, 6]
