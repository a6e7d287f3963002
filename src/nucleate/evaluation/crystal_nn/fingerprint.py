"""The fingerprint of one crystal. Nothing here imports torch, so that a worker process is ready at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from nucleate.elements import PAULING
from nucleate.evaluation.cells import Cell, dual
from nucleate.evaluation.crystal_nn import motifs
from nucleate.evaluation.crystal_nn.radii import COVALENT_RADII

CUTOFF = 7.0
"""Neighbours are looked for within this radius in Å. If they leave a Voronoi cell open it is doubled, again and again,
up to `Task.largest_cutoff`."""

SPACINGS = 4.0
"""Where atoms are dense, neighbours within this many mean distances between atoms nearly always make up the cell."""

MAX_IMAGES = 1 << 21
"""Cells that are looked through in one search; some hundreds are usual, and two million take 0.2 GB."""

MAX_CANDIDATES = 1 << 30
"""Pairs of a site and an image that are looked at in one search; a billion take seconds."""

MAX_NEIGHBOURS = 1 << 22
"""Neighbours of all sites that one search may find; four million take 0.2 GB."""

AT_RADIUS = 1e-9
"""In units of the radius. A neighbour that is farther away by less may count (`neighbours.SQUARE_TOLERANCE`), so that
its image must be looked at."""

_RADII = np.array(COVALENT_RADII)
_ELECTRONEGATIVITIES = np.array(PAULING)


class Task(NamedTuple):
    """What a worker process is handed.

    Attributes:
        cell: the crystal, in a basis that is not skewed.
        largest_cutoff: in Å. As published, this is the longest diagonal of the cell the crystal came in, and a bit.
    """

    cell: Cell
    largest_cutoff: float


class Coordination(NamedTuple):
    """Neighbours of all sites of a crystal.

    Attributes:
        neighbours: of each site by falling weight, seen from there, in Å, (n, 25, 3).
        weights: how much each is a neighbour, at most 1, and 0 where there are no more, (n, 25).
        probabilities: of each coordination number from 0 to 24, (n, 25).
    """

    neighbours: Float[np.ndarray, "n k 3"]
    weights: Float[np.ndarray, "n k"]
    probabilities: Float[np.ndarray, "n k"]


def crystal_fingerprint(task: Task) -> Float[np.ndarray, " f"] | None:
    """Mean fingerprint of the sites of a crystal, or None if one of them has none."""
    values = site_fingerprints(task)
    return None if values is None else values.mean(0)


def site_fingerprints(task: Task) -> Float[np.ndarray, "n f"] | None:
    """Fingerprints of all sites, in the order of `motifs.LABELS`, or None if one of them has none."""
    from nucleate.evaluation.crystal_nn.order_parameters import fingerprints

    coordinated = coordination(task)
    if coordinated is None:
        return None
    return fingerprints(*coordinated, motifs.NUMBERS, motifs.KINDS, motifs.PARAMETERS)


def coordination(task: Task) -> Coordination | None:
    """Finds the neighbours of all sites.

    Returns:
        None if an element has no covalent radius, or the Voronoi cell of a site can't be built: it stays open, it has
        a single corner (for which Qhull, and so the published program, finds no face), or its neighbours are too many
        to look through.
    """
    from nucleate.evaluation.crystal_nn.environments import LARGEST, environments
    from nucleate.evaluation.crystal_nn.neighbours import count_within, list_within
    from nucleate.evaluation.crystal_nn.voronoi import Shape, tessellate

    numbers, frac, lattice = task.cell
    if numbers.max() >= len(_RADII) or numbers.min() == 0 or not task.cell.volume > 0:
        return None
    tables = _RADII[numbers], _ELECTRONEGATIVITIES[numbers]
    shape = len(numbers), LARGEST + 1
    coordinated = Coordination(np.empty((*shape, 3)), np.empty(shape), np.empty(shape))
    sites = np.arange(len(numbers))
    for radius, is_cutoff in _search_radii(task):
        shifts = _lattice_vectors(lattice, radius, min(MAX_IMAGES, MAX_CANDIDATES // (len(sites) * len(numbers))))
        if shifts is None:
            return None
        starts = count_within(frac, lattice, shifts, sites, radius)
        if starts[-1] > MAX_NEIGHBOURS:
            return None
        atoms, vectors, distances = list_within(frac, lattice, shifts, sites, radius, starts)
        shapes, farthest, angles, areas = tessellate(starts, vectors, distances, radius)
        if is_cutoff and (shapes == Shape.CONE).any():
            return None
        complete = shapes == Shape.CLOSED if is_cutoff else 2 * farthest <= radius
        found = environments(starts, vectors, atoms, distances, angles, areas, sites, *tables)
        for column, part in zip(coordinated, found, strict=True):
            column[sites[complete]] = part[complete]
        sites = sites[~complete]
        if not len(sites):
            return coordinated
    return None


def _search_radii(task: Task) -> Iterator[tuple[float, bool]]:
    """Radii in Å, one after the other, and whether each is a published cutoff.

    With a cutoff the cell of the neighbours within it counts, even if it reaches beyond half of it, where neighbours
    farther away might cut it. Before, it counts only if none can.
    """
    radius = SPACINGS * (task.cell.volume / len(task.cell.numbers)) ** (1 / 3)
    while radius < CUTOFF:
        yield radius, False
        radius *= 2
    radius = CUTOFF
    yield radius, True
    while radius < task.largest_cutoff:
        radius = min(2 * radius, task.largest_cutoff + 0.001)
        yield radius, True


def _lattice_vectors(lattice: Float[np.ndarray, "3 3"], radius: float, most: int) -> Float[np.ndarray, "m 3"] | None:
    """The lattice vectors in Å that can bring an atom to within a radius of another; None if there are too many."""
    normals = dual(lattice[None])[0]
    with np.errstate(all="ignore"):  # a cell too large or too flat for its numbers has no end of images
        spacings = np.abs((lattice * normals).sum(1)) / np.sqrt((normals**2).sum(1))
        # Displacements are rounded to [-1/2, 1/2], so that an image n planes away is at least n - 1/2 spacings away.
        reach = np.floor(radius * (1 + AT_RADIUS) / spacings + 0.5)
        if not np.prod(2 * reach + 1) <= most:
            return None
    return (np.indices((2 * reach + 1).astype(int)).reshape(3, -1).T - reach) @ lattice
