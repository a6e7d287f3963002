from __future__ import annotations

import pytest
import torch

from nucleate.crystals import Crystals
from nucleate.geometry.images import edges_within, shells_of_images
from nucleate.geometry.neighbours import neighbours
from tests.contract.suite import some_crystals

SKEW = torch.tensor([[1.0, 2.0, -1.0], [0.0, 1.0, 1.0], [0.0, 0.0, 1.0]], dtype=torch.float64)
"""Another basis of the same lattice."""


@pytest.fixture
def crystals() -> Crystals:
    return some_crystals(12)


def in_another_cell(crystals: Crystals) -> Crystals:
    return Crystals(crystals.numbers, crystals.frac @ torch.linalg.inv(SKEW), SKEW @ crystals.lattice, crystals.counts)


def test_the_edges_are_those_of_the_neighbour_list(crystals):
    block = crystals.padded()
    found = edges_within(block.frac, block.lattice, block.mask, 5.0)
    expected = neighbours(crystals.frac, crystals.lattice, crystals.counts, 5.0)
    both = torch.cat([found.distance, found.distance])
    torch.testing.assert_close(both.sort()[0], expected.distance.sort()[0])
    torch.testing.assert_close(found.vector.norm(dim=1), found.distance)


def test_the_histogram_is_that_of_the_neighbour_list(crystals):
    block = crystals.padded()
    bins, radius = 10, 5.0
    counts, directions = shells_of_images(block.frac, block.lattice, block.mask, bins, radius)
    expected = neighbours(crystals.frac, crystals.lattice, crystals.counts, radius)
    place = expected.distance * bins / radius
    weights = (1 - (place[:, None] - torch.arange(bins)).abs()).clamp(min=0)
    soft = expected.vector / (expected.distance**2 + 0.09).sqrt()[:, None]
    sums = torch.zeros(len(crystals.numbers), bins, dtype=torch.float64).index_add(0, expected.source, weights)
    torch.testing.assert_close(counts.sum(2)[block.mask], sums)
    sums = torch.zeros(len(crystals.numbers), 3, bins, dtype=torch.float64)
    sums.index_add_(0, expected.source, soft[:, :, None] * weights[:, None])
    torch.testing.assert_close(directions.sum(2)[block.mask], sums)


def test_the_choice_of_cell_does_not_matter(crystals):
    one, two = (c.padded() for c in (crystals, in_another_cell(crystals)))
    for got, want in zip(
        shells_of_images(two.frac, two.lattice, two.mask, 12, 5.0),
        shells_of_images(one.frac, one.lattice, one.mask, 12, 5.0),
        strict=True,
    ):
        torch.testing.assert_close(got, want, atol=1e-8, rtol=1e-8)


def test_directions_are_opposite_at_the_two_ends(crystals):
    block = crystals.padded()
    counts, directions = shells_of_images(block.frac, block.lattice, block.mask, 12, 5.0)
    torch.testing.assert_close(counts, counts.transpose(1, 2))
    torch.testing.assert_close(directions, -directions.transpose(1, 2), atol=1e-9, rtol=0)


def test_a_simple_cube():
    """One atom in a cube of 2 Å: 6 images at 2 Å and 12 at 2.83 Å, shared between the bins at 2, 2.5 and 3 Å."""
    frac, lattice = torch.zeros(1, 1, 3), 2 * torch.eye(3)[None]
    counts, directions = shells_of_images(frac, lattice, torch.ones(1, 1, dtype=torch.bool), 6, 3.0)
    share = 2 * (2 * 2**0.5 - 2.5)
    torch.testing.assert_close(counts[0, 0, 0], torch.tensor([0, 0, 0, 0, 6, 12 * (1 - share)]))
    torch.testing.assert_close(directions, torch.zeros_like(directions), atol=1e-5, rtol=0)


def test_an_image_that_leaves_fades():
    lattice, mask = 20 * torch.eye(3)[None], torch.ones(1, 2, dtype=torch.bool)
    for distance, want in ((2.9, 0.2), (2.999, 0.002), (3.001, 0.0)):
        frac = torch.tensor([[[0.0, 0, 0], [distance / 20, 0, 0]]])
        counts, _ = shells_of_images(frac, lattice, mask, 6, 3.0)
        assert float(counts[0, 0, 1, -1]) == pytest.approx(want, abs=1e-4)
        assert float(counts[0, 0, 1].sum()) == pytest.approx(want if distance > 2.5 else 1, abs=1e-4)


def test_flat_cells_and_padding_have_no_edges(crystals):
    block = crystals.padded()
    flat = block.lattice.clone()
    flat[:, 2] = flat[:, 1]
    assert len(edges_within(block.frac, flat, block.mask, 5.0).pair) == 0
    assert len(edges_within(block.frac, block.lattice * torch.nan, block.mask, 5.0).pair) == 0
    assert len(edges_within(block.frac, block.lattice, torch.zeros_like(block.mask), 5.0).pair) == 0
