from __future__ import annotations

import numpy as np

from nucleate.crystals import Crystals
from nucleate.evaluation.density import densities
from tests.evaluation.conftest import random_cell, to_crystals, to_structure


def test_densities_are_those_of_pymatgen():
    rng = np.random.default_rng(0)
    cells = [random_cell(rng, numbers) for numbers in ([1], [8, 8, 22], [92, 17, 17, 17])]
    want = [to_structure(cell).density for cell in cells]
    # Releases of pymatgen take the atomic mass constant of CODATA 2018 or of 2022.
    np.testing.assert_allclose(densities(to_crystals(cells)), want, rtol=1e-8)


def test_failures_have_none():
    flat = Crystals.build([[14]], [[[0, 0, 0]]], np.zeros((1, 3, 3)))
    assert np.isnan(densities(Crystals.concat([flat, Crystals.failed(["unparseable"])]))).all()
