from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from nucleate import files
from nucleate.crystals import Crystals
from nucleate.elements import PAULING
from nucleate.errors import UserError
from nucleate.explorer.embed import find
from nucleate.explorer.embeddings import soap


def test_the_mean_of_what_dscribe_says_of_each_atom(prototypes):
    """Its compression by elements, against our weights put on the full spectrum of the two elements there are."""
    from dscribe.descriptors import SOAP

    crystal = next(c for c in prototypes if len(c.numbers.unique()) == 2)
    first, second = crystal.numbers.unique().tolist()
    full = SOAP(
        species=[first, second], r_cut=soap.CUTOFF, n_max=soap.RADIAL, l_max=soap.ANGULAR, sigma=0.5, periodic=True
    )
    mean = full.create(files.to_atoms(crystal)).mean(0)
    upper = np.triu_indices(soap.RADIAL)

    def spectrum(one: int, other: int) -> np.ndarray:
        """By degree and two radial functions."""
        values = mean[full.get_location((one, other))]
        if one != other:
            return values.reshape(soap.ANGULAR + 1, soap.RADIAL, soap.RADIAL)
        table = np.zeros((soap.ANGULAR + 1, soap.RADIAL, soap.RADIAL))
        table[:, upper[0], upper[1]] = values.reshape(soap.ANGULAR + 1, -1)
        return table + np.triu(table, 1).transpose(0, 2, 1)

    a, b, cross = PAULING[first], PAULING[second], spectrum(first, second)
    total = a * a * spectrum(first, first) + b * b * spectrum(second, second)
    total += a * b * (cross + cross.transpose(0, 2, 1))
    expected = np.sort(total[:, upper[0], upper[1]].ravel())  # nobody minds in which order the numbers come
    found = np.sort(find("soap").embed(crystal).vectors[0])
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * np.abs(found).max())


def test_the_frame_and_the_cell_do_not_matter(prototypes):
    crystal = prototypes[3]
    turn = torch.from_numpy(np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0])
    skew = torch.tensor([[1.0, 0, 0], [2, 1, 0], [0, -1, 1]], dtype=torch.float64)
    frac = (crystal.frac @ skew.inverse() + 0.2) % 1
    moved = Crystals(crystal.numbers, frac, skew @ crystal.lattice @ turn, crystal.counts)
    first, second = find("soap").embed(Crystals.concat([crystal, moved])).vectors
    np.testing.assert_allclose(first, second, rtol=1e-4, atol=1e-5 * np.abs(first).max())


def test_elements_are_told_apart(prototypes):
    salt = prototypes[[0]]
    other = Crystals((salt.numbers + 1).to(torch.uint8), salt.frac, salt.lattice, salt.counts)
    first, second = find("soap").embed(Crystals.concat([salt, other])).vectors
    assert np.linalg.norm(first - second) > 0.01 * np.linalg.norm(first)


def test_what_it_cannot_take_is_said():
    crystals = Crystals.build([[1, 1], [101]], [[[0, 0, 0], [0.5] * 3], [[0, 0, 0]]], [1.2 * np.eye(3), 4 * np.eye(3)])
    found = find("soap").embed(crystals)
    assert found.failures.tolist() == ["too_dense", "unknown_element"]
    assert found.vectors.shape == (2, soap.WIDTH)


def test_without_dscribe(monkeypatch):
    monkeypatch.setitem(sys.modules, "dscribe", None)
    with pytest.raises(UserError, match=r"dscribe is not installed; it comes with: pip install 'nucleate\[soap\]'"):
        find("soap")
