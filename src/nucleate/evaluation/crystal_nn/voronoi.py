"""Voronoi cells, cut from a cube plane by plane. A kernel module.

The cell of a site is what is nearer to the site than to any neighbour: the half-spaces n·x ≤ d/2 of all neighbours, at
distance d in direction n, have it in common. So it starts as a large cube and is cut by one plane after another.

Taking the nearest neighbours first, the cutting may stop at the first plane whose distance d/2 from the site is at
least that of the cell's farthest corner. A ball around the site with that radius holds the cell, which is the hull of
its corners; neither this plane nor any later one, all as far away or farther, enters the ball. By the same argument a
list of neighbours within a radius is long enough if no corner is farther from the site than half that radius.

No topology is kept that rounding could spoil. A cell is a list of polygons; cutting one is interpolation along edges,
and the new face is made of the points where edges were cut, which are a convex polygon once they are sorted by angle.
Where many planes meet in a point or an edge, as they do in symmetric crystals, the worst that can come of it are edges
and faces as small as rounding errors, which weigh nothing.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TypeAlias

import numpy as np
from jaxtyping import Float, Int

from nucleate.evaluation.compiled import compiled

Cell: TypeAlias = tuple[Float[np.ndarray, "k 3"], Int[np.ndarray, " f+1"], Int[np.ndarray, " f"]]
"""Corners of the faces, face after face, in order around each; where each face starts; and the neighbour that it is
shared with, or -1 for a face of the cube."""


class Shape(IntEnum):
    """What is left of the cube."""

    OPEN = 0
    """A cell that reaches the faces of the larger cube."""
    CONE = 1
    """An open cell with a single corner: the site and its neighbours are one tetrahedron of the dual, Delaunay mesh."""
    CLOSED = 2


HALF_WIDTHS = (2.5, 150.0)
"""Half the edge of the cube, in units of the radius within which neighbours are listed. Corners are as exact as the
cube is small, so that the large one is taken only where neighbours are on one side."""

CUBE = np.array(
    [
        np.roll([side, x, y], axis)
        for axis in range(3)
        for side in (1.0, -1.0)
        for x, y in ((1.0, 1.0), (-1.0, 1.0), (-1.0, -1.0), (1.0, -1.0))
    ]
)
"""Corners of the six faces of a cube."""

GRAZE = 1e-14
"""In units of that radius: a corner may stick out by this."""

CORNER = 1e-9
"""In units of that radius: corners nearer to each other are one."""


@compiled
def tessellate(
    starts: Int[np.ndarray, " s+1"],
    vectors: Float[np.ndarray, "p 3"],
    distances: Float[np.ndarray, " p"],
    radius: float,
) -> tuple[Int[np.ndarray, " s"], Float[np.ndarray, " s"], Float[np.ndarray, " p"], Float[np.ndarray, " p"]]:
    """Builds the Voronoi cell of each site from its neighbours.

    Args:
        starts: where the neighbours of each site start, and where the last end.
        vectors: neighbours seen from their site, in Å, nearest first.
        distances: their distances in Å.
        radius: within which they are listed.

    Returns:
        The `Shape` of each cell; the distance of its farthest corner in Å; and for each neighbour the solid angle
        (steradian) and the area (Å²) of the face that the site shares with it, 0 if there is none.
    """
    sites = len(starts) - 1
    shapes = np.zeros(sites, np.int64)
    farthest = np.zeros(sites)
    angles = np.zeros(len(distances))
    areas = np.zeros(len(distances))
    for s in range(sites):
        here = slice(starts[s], starts[s + 1])
        for half_width in HALF_WIDTHS:
            corners, bounds, neighbours = _cell(vectors[here], distances[here], half_width * radius, GRAZE * radius)
            shapes[s] = _shape(corners, neighbours, half_width * radius, CORNER * radius)
            if shapes[s] == Shape.CLOSED:
                break
        farthest[s] = _farthest(corners)
        for f in range(len(neighbours)):
            if neighbours[f] >= 0:
                p = starts[s] + neighbours[f]
                angles[p], areas[p] = _measure(corners[bounds[f] : bounds[f + 1]], vectors[p])
    return shapes, farthest, angles, areas


@compiled
def _cell(
    vectors: Float[np.ndarray, "p 3"], distances: Float[np.ndarray, " p"], half_width: float, graze: float
) -> Cell:
    cell = _cube(half_width)
    reach = _farthest(cell[0])
    for p in range(len(distances)):
        height = distances[p] / 2
        if height >= reach:
            break
        normal = vectors[p] / distances[p]
        if _sticks_out(cell[0], normal, height + graze):
            cell = _cut(cell, _heights(cell[0], normal, height, graze), normal, p)
            reach = _farthest(cell[0])
    return cell


@compiled
def _shape(
    corners: Float[np.ndarray, "k 3"], neighbours: Int[np.ndarray, " f"], half_width: float, tolerance: float
) -> int:
    if not (neighbours < 0).any():
        return Shape.CLOSED
    first = -1
    for k in range(len(corners)):
        if np.abs(corners[k]).max() < half_width:
            if first < 0:
                first = k
            elif np.abs(corners[k] - corners[first]).max() > tolerance:
                return Shape.OPEN
    return Shape.CONE if first >= 0 else Shape.OPEN


@compiled
def _cube(half_width: float) -> Cell:
    return half_width * CUBE, np.arange(0, 25, 4), np.full(6, -1)


@compiled
def _cut(cell: Cell, heights: Float[np.ndarray, " k"], normal: Float[np.ndarray, "3"], neighbour: int) -> Cell:
    """Takes away what is above a plane; `heights` are those of the corners."""
    corners, bounds, neighbours = cell
    kept = np.empty((3 * len(corners), 3))  # at most two for a corner, and those of the new face
    rim = np.empty((len(corners), 3))
    new_bounds = np.zeros(len(neighbours) + 2, np.int64)
    new_neighbours = np.empty(len(neighbours) + 1, np.int64)
    faces = end = edges = 0
    for f in range(len(neighbours)):
        end = new_bounds[faces]
        for k in range(bounds[f], bounds[f + 1]):
            following = k + 1 if k + 1 < bounds[f + 1] else bounds[f]
            if heights[k] <= 0:
                kept[end] = corners[k]
                end += 1
            if (heights[k] <= 0) != (heights[following] <= 0):
                below, above = (k, following) if heights[k] <= 0 else (following, k)
                # The same two corners give the same point, bit by bit, in both faces that meet in the edge.
                share = heights[below] / (heights[below] - heights[above])
                for axis in range(3):
                    rim[edges, axis] = (1 - share) * corners[below, axis] + share * corners[above, axis]
                if share > 0:
                    kept[end] = rim[edges]
                    end += 1
                edges += 1
        if end - new_bounds[faces] > 2:
            new_neighbours[faces] = neighbours[f]
            faces += 1
            new_bounds[faces] = end
    end = new_bounds[faces]
    ring = _ring(rim[:edges], normal)
    if len(ring) > 2:
        for k in range(len(ring)):
            kept[end + k] = ring[k]
        new_neighbours[faces] = neighbour
        faces += 1
        new_bounds[faces] = end + len(ring)
    return kept[: new_bounds[faces]].copy(), new_bounds[: faces + 1].copy(), new_neighbours[:faces].copy()


@compiled
def _ring(points: Float[np.ndarray, "e 3"], normal: Float[np.ndarray, "3"]) -> Float[np.ndarray, "r 3"]:
    """Sorts the corners of a convex polygon around its centre, and drops repeated ones."""
    right = np.zeros(3)
    right[np.argmin(np.abs(normal))] = 1
    up = _cross(normal, right)
    right = _cross(up, normal)
    centre = np.zeros(3)
    for e in range(len(points)):
        centre += points[e] / len(points)
    turns = np.empty(len(points))
    for e in range(len(points)):
        spoke = points[e] - centre
        # `up` and `right` are equally long.
        turns[e] = np.arctan2(_dot(spoke, up), _dot(spoke, right))
    ring = points[np.argsort(turns)]
    size = 0
    for e in range(len(ring)):
        if size == 0 or not _same(ring[e], ring[size - 1]):
            ring[size] = ring[e]
            size += 1
    return ring[:size]


@compiled
def _measure(polygon: Float[np.ndarray, "k 3"], vector: Float[np.ndarray, "3"]) -> tuple[float, float]:
    """Solid angle of a convex face, given by its corners, seen from the origin; and its area.

    The formula for a triangle is that of Van Oosterom and Strackee (1983, IEEE Trans. Biomed. Eng. 30, 125). `vector`
    leads to the neighbour behind the face.
    """
    angle = volume = 0.0
    a = polygon[0]
    length_a = np.sqrt(_dot(a, a))
    for k in range(1, len(polygon) - 1):
        b, c = polygon[k], polygon[k + 1]
        length_b, length_c = np.sqrt(_dot(b, b)), np.sqrt(_dot(c, c))
        product = abs(_triple_product(a, b, c))
        cosines = length_a * (length_b * length_c + _dot(b, c)) + length_c * _dot(a, b) + length_b * _dot(a, c)
        angle += 2 * np.arctan2(product, cosines)
        volume += product / 6
    return angle, 3 * volume / (np.sqrt(_dot(vector, vector)) / 2)


@compiled
def _farthest(corners: Float[np.ndarray, "k 3"]) -> float:
    square = 0.0
    for k in range(len(corners)):
        square = max(square, _dot(corners[k], corners[k]))
    return np.sqrt(square)


@compiled
def _sticks_out(corners: Float[np.ndarray, "k 3"], normal: Float[np.ndarray, "3"], height: float) -> bool:
    """Whether a corner is above a plane at some height over the origin."""
    for k in range(len(corners)):  # noqa: SIM110 - numba compiles loops, not generators
        if _dot(corners[k], normal) > height:
            return True
    return False


@compiled
def _heights(
    corners: Float[np.ndarray, "k 3"], normal: Float[np.ndarray, "3"], height: float, graze: float
) -> Float[np.ndarray, " k"]:
    """How far each corner is above that plane; 0 for one that grazes it."""
    heights = np.empty(len(corners))
    for k in range(len(corners)):
        above = _dot(corners[k], normal) - height
        heights[k] = 0.0 if 0 < above <= graze else above
    return heights


@compiled
def _dot(a: Float[np.ndarray, "3"], b: Float[np.ndarray, "3"]) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@compiled
def _cross(a: Float[np.ndarray, "3"], b: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3"]:
    return np.array([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])


@compiled
def _triple_product(a: Float[np.ndarray, "3"], b: Float[np.ndarray, "3"], c: Float[np.ndarray, "3"]) -> float:
    return a[0] * (b[1] * c[2] - b[2] * c[1]) + a[1] * (b[2] * c[0] - b[0] * c[2]) + a[2] * (b[0] * c[1] - b[1] * c[0])


@compiled
def _same(a: Float[np.ndarray, "3"], b: Float[np.ndarray, "3"]) -> bool:
    return a[0] == b[0] and a[1] == b[1] and a[2] == b[2]
