from __future__ import annotations

import numpy as np
import pytest
import torch

from nucleate.crystals import Crystals
from nucleate.generation.consensus import radial_distribution, typical_first

ROCK_SALT = np.array(
    [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0], [0.5, 0.5, 0.5], [0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5]]
)
NUMBERS = [11] * 4 + [17] * 4


def crystals(frac, cells=None, numbers=NUMBERS):
    cells = [5.6 * np.eye(3)] * len(frac) if cells is None else cells
    return Crystals.build([numbers] * len(frac), frac, cells)


def described(batch: Crystals) -> torch.Tensor:
    return radial_distribution(batch.to(dtype=torch.float32).padded())


def test_neighbours_of_rock_salt_are_counted():
    """In units of (V/N)^(1/3) an ion has 6 unlike neighbours at 1, 12 like ones at 1.41, 8 unlike ones at 1.73."""
    like_first, unlike, _, like_second = described(crystals([ROCK_SALT])).view(4, -1)
    near = slice(0, 20)  # below 2.0 of the unit
    # Half of the atoms are of each element; the atom itself is at 0.
    assert float(unlike[near].sum()) == pytest.approx((6 + 8) / 2, rel=0.05)
    assert float(like_first[3 : near.stop].sum()) == pytest.approx(12 / 2, rel=0.25)
    torch.testing.assert_close(like_first, like_second)


def test_the_same_crystal_otherwise_written_is_described_alike():
    rng = np.random.default_rng(0)
    order = np.r_[rng.permutation(4), 4 + rng.permutation(4)]
    skew = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 1]])
    moved = (ROCK_SALT[order] + rng.random(3)) @ np.linalg.inv(skew)
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    cell = 1.3 * skew @ (5.6 * np.eye(3)) @ rotation
    one, two = described(crystals([ROCK_SALT, moved], [5.6 * np.eye(3), cell]))
    torch.testing.assert_close(one, two, atol=0.15, rtol=0)


def test_the_odd_one_out_comes_last_and_failures_after_it():
    rng = np.random.default_rng(1)
    near = [ROCK_SALT + rng.normal(0, 0.01, ROCK_SALT.shape) for _ in range(3)]
    odd = rng.random(ROCK_SALT.shape)
    group = Crystals.concat([crystals([near[0], odd, near[1]]), Crystals.failed(["not_finite"]), crystals([near[2]])])
    other = Crystals.concat([Crystals.failed(["zero_volume"] * 4), crystals([ROCK_SALT])])
    order = typical_first(Crystals.concat([group, other]), 5)
    assert set(order[0, :3]) == {0, 2, 4}
    assert order[0, 3:].tolist() == [1, 3]
    assert order[1, 0] == 9


def test_the_middle_of_three_is_the_most_typical():
    lengths = [5.0, 5.3, 5.6]
    cells = [np.diag([length, 5.0, 5.0]) for length in lengths]
    assert typical_first(crystals([ROCK_SALT] * 3, cells), 3)[0, 0] == 1


def test_groups_do_not_depend_on_the_chunks(monkeypatch):
    rng = np.random.default_rng(2)
    batch = crystals([rng.random(ROCK_SALT.shape) for _ in range(40)])
    whole = typical_first(batch, 4)
    monkeypatch.setattr("nucleate.generation.consensus.CRYSTALS_PER_CHUNK", 8)
    assert (typical_first(batch, 4) == whole).all()
