from __future__ import annotations

import pytest
import torch

from nucleate.geometry.neighbours import neighbours
from nucleate.geometry.slots import neighbour_slots
from tests.contract.suite import some_crystals
from tests.geometry.test_images import in_another_cell


@pytest.fixture
def crystals():
    return some_crystals(12)


def test_all_neighbours_within_the_radius(crystals):
    block = crystals.padded()
    slots = neighbour_slots(block.frac, block.lattice, block.mask, 4.5, 10_000)
    expected = neighbours(crystals.frac, crystals.lattice, crystals.counts, 4.5)
    torch.testing.assert_close(slots.distance[slots.filled].sort()[0], expected.distance.sort()[0])
    atoms = torch.bincount(expected.source, minlength=len(crystals.numbers))
    assert torch.equal(slots.filled.sum(1)[block.mask.flatten()], atoms)
    assert not bool(slots.filled[~block.mask.flatten()].any())


def test_every_edge_is_there_in_both_directions(crystals):
    block = crystals.padded()
    slots = neighbour_slots(block.frac, block.lattice, block.mask, 5.0, 8)
    back = slots.back.flatten()
    assert torch.equal(back[back], torch.arange(len(back)))
    torch.testing.assert_close(slots.vector.flatten(0, 1)[back], -slots.vector.flatten(0, 1))
    own = torch.arange(len(slots.neighbour))[:, None].expand_as(slots.neighbour).flatten()
    assert torch.equal(slots.neighbour.flatten()[back], own)


def test_only_the_nearest_are_kept():
    """A chain with growing spacings: each end is among the two nearest of the other only for near pairs."""
    positions = torch.tensor([0.0, 1, 3, 6.5, 10.5])
    frac = torch.zeros(1, 5, 3)
    frac[0, :, 0] = positions / 50
    slots = neighbour_slots(frac, 50 * torch.eye(3)[None], torch.ones(1, 5, dtype=torch.bool), 12.0, 2)
    kept = [sorted(slots.neighbour[i][slots.filled[i]].tolist()) for i in range(5)]
    assert kept == [[1, 2], [0, 2], [0, 1], [4], [3]]
    assert bool((slots.distance.diff(dim=1)[:, 0] >= 0)[slots.filled[:, 1]].all())


@pytest.mark.parametrize(("most", "kept"), [(4, 0), (6, 6), (17, 6), (18, 18)])
def test_ties_are_kept_together_or_not_at_all(most, kept):
    """In a simple cube of 3 Å each atom has 6 neighbours at 3 Å, 12 at 4.24 Å and 8 at 5.2 Å."""
    one = torch.ones(1, 1, dtype=torch.bool)
    slots = neighbour_slots(torch.zeros(1, 1, 3), 3 * torch.eye(3)[None], one, 5.5, most)
    assert int(slots.filled.sum()) == kept


def test_the_choice_of_cell_does_not_matter(crystals):
    one, two = (
        neighbour_slots(c.padded().frac, c.padded().lattice, c.padded().mask, 5.0, 6)
        for c in (crystals, in_another_cell(crystals))
    )
    torch.testing.assert_close(one.distance, two.distance)


def test_cells_without_neighbours():
    slots = neighbour_slots(torch.zeros(1, 1, 3), 30 * torch.eye(3)[None], torch.ones(1, 1, dtype=torch.bool), 4.0, 4)
    assert not bool(slots.filled.any())
    assert slots.filled.shape == (1, 1)
