from __future__ import annotations

import itertools

import pytest
import torch

from nucleate.geometry import lattice as cells
from nucleate.models.parts.lattice import LatticeConfig, LatticeCoordinates, atomic_volumes
from tests.contract.suite import some_crystals

CONFIGS = [
    LatticeConfig(angles=angles, volume_scaled=scaled, standardised=standardised)
    for angles, scaled, standardised in itertools.product(("logit", "linear"), (False, True), (False, True))
]


@pytest.fixture
def data():
    return some_crystals(200).to(dtype=torch.float32).padded()


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_decode_inverts_encode(config, data):
    flow = LatticeCoordinates(config)
    flow.fit(data)
    lengths, angles = cells.parameters(data.lattice)
    inside = ((angles > 60.5) & (angles < 119.5)).all(1)
    back = flow.decode(flow.encode(data.lattice, data.numbers, data.mask), data.numbers, data.mask)
    for got, want in zip(cells.parameters(back), (lengths, angles), strict=True):
        torch.testing.assert_close(got[inside], want[inside], rtol=1e-4, atol=1e-2)
    assert int(inside.sum()) > 50


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_metric_is_that_of_the_decoded_cell(config, data):
    flow = LatticeCoordinates(config)
    flow.fit(data)
    coordinates = flow.encode(data.lattice, data.numbers, data.mask)
    decoded = flow.decode(coordinates, data.numbers, data.mask)
    metric = flow.metric(coordinates, data.numbers, data.mask)
    torch.testing.assert_close(metric, cells.metric(decoded), rtol=1e-3, atol=1e-3)


def test_standardised_coordinates_have_mean_0_and_deviation_1(data):
    flow = LatticeCoordinates(LatticeConfig(volume_scaled=True, standardised=True))
    flow.fit(data)
    coordinates = flow.encode(data.lattice, data.numbers, data.mask)
    torch.testing.assert_close(coordinates.mean(0), torch.zeros(6), atol=1e-4, rtol=0)
    torch.testing.assert_close(coordinates.std(0), torch.ones(6), atol=1e-4, rtol=0)


def test_published_base_has_log_normal_lengths_and_uniform_angles(data):
    flow = LatticeCoordinates(LatticeConfig())
    flow.fit(data)
    base = flow.base(20_000, torch.Generator().manual_seed(0))
    logs = cells.parameters(data.lattice)[0].log()
    torch.testing.assert_close(base[:, :3].mean(0), logs.mean(0), atol=0.01, rtol=0)
    torch.testing.assert_close(base[:, :3].std(0), logs.std(0), atol=0.01, rtol=0)
    angles = 60 + 60 * torch.sigmoid(base[:, 3:])
    torch.testing.assert_close(angles.mean(0), torch.full((3,), 90.0), atol=0.5, rtol=0)
    torch.testing.assert_close(angles.std(0), torch.full((3,), 60 / 12**0.5), atol=0.5, rtol=0)


def test_atomic_volumes_are_found_again(data):
    """Cells whose volume is a sum over their atoms give those volumes back, up to the pull of the prior."""
    true = torch.linspace(8, 40, 101)
    volume = (true[data.numbers] * data.mask).sum(1)
    edge = volume ** (1 / 3)
    cubes = data._replace(lattice=edge[:, None, None] * torch.eye(3))
    present = data.numbers[data.mask].unique()
    torch.testing.assert_close(atomic_volumes(cubes)[present], true[present], rtol=0.15, atol=0)


def test_cells_that_are_all_alike_do_not_divide_by_zero(data):
    cubes = data._replace(lattice=4 * torch.eye(3).repeat(len(data.numbers), 1, 1))
    flow = LatticeCoordinates(LatticeConfig(standardised=True))
    flow.fit(cubes)
    coordinates = flow.encode(cubes.lattice, cubes.numbers, cubes.mask)
    torch.testing.assert_close(coordinates, torch.zeros_like(coordinates), atol=1e-3, rtol=0)
