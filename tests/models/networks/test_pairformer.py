from __future__ import annotations

import math

import pytest
import torch

from nucleate.geometry import torus
from nucleate.models.networks.pairformer import Pairformer, PairformerConfig, pair_features

CONFIG = PairformerConfig(width=32, pair_width=16, layers=2, heads=4, frequencies=3, radial_bins=13, radius=6.0)


@pytest.fixture
def network():
    torch.manual_seed(0)
    network = Pairformer(CONFIG, type_inputs=5, type_outputs=4).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return network


def inputs(batch=3, atoms=5):
    rng = torch.Generator().manual_seed(1)
    cell = 4 * torch.eye(3, dtype=torch.float64) + 0.3 * torch.randn(batch, 3, 3, generator=rng, dtype=torch.float64)
    mask = torch.arange(atoms) < torch.tensor([5, 3, 4])[:, None]
    return {
        "types": torch.randn(batch, atoms, 5, generator=rng, dtype=torch.float64),
        "frac": torch.rand(batch, atoms, 3, generator=rng, dtype=torch.float64),
        "lattice": torch.randn(batch, 6, generator=rng, dtype=torch.float64),
        "metric": cell @ cell.mT,
        "time": torch.rand(batch, generator=rng, dtype=torch.float64),
        "mask": mask,
    }


def test_an_untrained_network_stands_still():
    fresh = Pairformer(CONFIG, type_inputs=5, type_outputs=0)
    out = fresh(**{k: v.float() if v.is_floating_point() else v for k, v in inputs().items()})
    assert not bool(out.frac.any())
    assert out.types.shape == (3, 5, 0)


def test_translation_changes_nothing(network):
    one = network(**inputs())
    moved = inputs()
    moved["frac"] = torus.wrap(moved["frac"] + torch.tensor([0.31, 0.77, 0.5]))
    for got, want in zip(network(**moved), one, strict=True):
        torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-5)


def test_permutation_permutes(network):
    order = torch.tensor([1, 0, 2, 3, 4])
    one = network(**inputs())
    moved = {k: v[:, order] if k in ("types", "frac", "mask") else v for k, v in inputs().items()}
    other = network(**moved)
    torch.testing.assert_close(other.frac, one.frac[:, order])
    torch.testing.assert_close(other.types, one.types[:, order])
    torch.testing.assert_close(other.lattice, one.lattice)


def test_shells_count_images_by_distance():
    """One atom in a cube of 2 Å: 6 images at 2, 12 at 2√2, 8 at 2√3, and itself at 0."""
    metric = 4 * torch.eye(3, dtype=torch.float64)[None]
    _, shells = pair_features(torch.zeros(1, 1, 3, dtype=torch.float64), metric, CONFIG)
    width = CONFIG.radius / (CONFIG.radial_bins - 1)
    expected = torch.zeros(CONFIG.radial_bins, dtype=torch.float64)
    for distance, images in ((0.0, 1), (2.0, 6), (2 * math.sqrt(2), 12), (2 * math.sqrt(3), 8)):
        place = distance / width
        expected[int(place)] += images * (1 - place % 1)
        expected[int(place) + 1] += images * (place % 1)
    torch.testing.assert_close(shells[0, 0, 0], expected)


def test_waves_are_odd_and_even():
    frac = torch.rand(2, 4, 3, generator=torch.Generator().manual_seed(0))
    waves, _ = pair_features(frac, torch.eye(3).repeat(2, 1, 1) * 9, CONFIG)
    sines, cosines = waves.chunk(2, -1)
    torch.testing.assert_close(sines, -sines.transpose(1, 2), atol=1e-5, rtol=0)
    torch.testing.assert_close(cosines, cosines.transpose(1, 2), atol=1e-5, rtol=0)
