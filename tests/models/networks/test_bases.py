from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from nucleate.models.networks.bases import (
    BesselBasis,
    SphericalBesselBasis,
    bessel_zeros,
    envelope,
    gaussian_basis,
    legendre,
    spherical_bessel,
)

special = pytest.importorskip("scipy.special")


@pytest.mark.parametrize("degree", range(8))
def test_spherical_bessel_functions_are_those_of_scipy(degree):
    x = np.linspace(0.01, 60, 500)
    np.testing.assert_allclose(spherical_bessel(degree, x), special.spherical_jn(degree, x), atol=1e-12)


@pytest.mark.parametrize("degree", range(7))
def test_zeros_are_zeros_and_none_is_left_out(degree):
    zeros = bessel_zeros(degree, 6)
    np.testing.assert_allclose(special.spherical_jn(degree, zeros), 0, atol=1e-12)
    dense = special.spherical_jn(degree, np.linspace(0.5, zeros[-1] + 0.1, 20_000))
    assert np.count_nonzero(np.diff(np.sign(dense))) == 6


def test_legendre_polynomials_are_spherical_harmonics():
    cosine = torch.linspace(-1, 1, 21, dtype=torch.float64)
    got = legendre(cosine, 7)
    for degree in range(7):
        norm = math.sqrt((2 * degree + 1) / (4 * math.pi))
        np.testing.assert_allclose(got[:, degree], norm * special.eval_legendre(degree, cosine.numpy()), atol=1e-12)


def test_the_envelope_ends_smoothly():
    share = torch.linspace(0, 1.2, 121, dtype=torch.float64, requires_grad=True)
    values = envelope(share)
    (slope,) = torch.autograd.grad(values.sum(), share, create_graph=True)
    assert float(values[0].detach()) == 1
    end = torch.tensor([1 - 1e-6], dtype=torch.float64, requires_grad=True)
    (first,) = torch.autograd.grad(envelope(end).sum(), end, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), end)
    assert abs(float(envelope(end).detach())) < 1e-12
    assert abs(float(first.detach())) < 1e-9
    assert abs(float(second)) < 1e-3
    assert not bool(values[share >= 1].any())
    assert bool((slope <= 1e-9).all())


def test_spherical_bessel_basis_is_normalised():
    """Without the envelope, the functions of one degree are orthonormal with weight x² on [0, 1]."""
    basis = SphericalBesselBasis(4, 3, radius=5.0)
    x = torch.linspace(0, 1, 2048, dtype=torch.float64)
    table = basis.table.double()
    for degree in range(4):
        products = torch.trapezoid(table[:, degree, :, None] * table[:, degree, None] * x[:, None, None] ** 2, x, dim=0)
        torch.testing.assert_close(products, torch.eye(3, dtype=torch.float64), atol=1e-3, rtol=0)
    values = basis(torch.tensor([0.0, 2.5, 5.0, 9.0]))
    assert values.shape == (4, 4, 3)
    assert not bool(values[2:].any())


def test_bessel_basis_in_closed_form():
    distance = torch.tensor([0.5, 2.0, 4.9])
    got = BesselBasis(3, radius=5.0)(distance).detach()
    for n in range(1, 4):
        expected = torch.sin(n * math.pi * distance / 5) / (distance / 5) * envelope(distance / 5)
        torch.testing.assert_close(got[:, n - 1], expected)


def test_gaussians_peak_at_their_centres():
    values = gaussian_basis(torch.tensor([0.0, 1.0, 2.0]), 4.0, 5)
    assert values.argmax(1).tolist() == [0, 1, 2]
    assert float(values[0, 0]) == 1
