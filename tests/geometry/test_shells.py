from __future__ import annotations

import numpy as np
import torch
from ase import Atoms
from ase.neighborlist import neighbor_list

from nucleate.geometry import torus
from nucleate.geometry.shells import shells


def test_counts_are_those_of_a_neighbour_list():
    """Against ASE: each distance below the reach, with linear weights on the two nearest bins."""
    rng = np.random.default_rng(0)
    cell = 5 * np.eye(3) + rng.normal(0, 0.3, (3, 3))
    frac = rng.random((4, 3))
    bins, reach = 9, 4.0
    atoms = Atoms("H4", cell=cell, scaled_positions=frac, pbc=True)
    first, second, distance = neighbor_list("ijd", atoms, reach)
    want = np.zeros((4, 4, bins))
    want[np.arange(4), np.arange(4), 0] = 1  # the atom itself
    place = distance / reach * (bins - 1)
    np.add.at(want, (first, second, place.astype(int)), 1 - place % 1)
    np.add.at(want, (first, second, place.astype(int) + 1), place % 1)
    points = torch.from_numpy(frac)[None]
    delta = torus.log_map(points[:, :, None], points[:, None])
    metric = torch.from_numpy(cell @ cell.T)[None]
    for cells in (1, 2):
        torch.testing.assert_close(shells(delta, metric, bins, reach, cells)[0], torch.from_numpy(want))


def test_what_is_no_cell_counts_nothing_but_stays_finite():
    delta = torch.zeros(1, 1, 1, 3)
    metric = torch.full((1, 3, 3), torch.nan)
    assert bool(shells(delta, metric, 5, 3.0).isfinite().all())
