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

Whether a cell is closed does not hang on rounding errors either. Where neighbours lie in a plane, on a line, or all on
one side, planes that should be parallel meet very far away, if at all. Corners beyond that horizon (`PARALLEL`) do not
count, and the cell is open.
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
    """A cell that reaches the faces of the largest cube."""
    CONE = 1
    """An open cell with a single corner: the site and its neighbours are one tetrahedron of the dual, Delaunay mesh.
    It must be one even if planes turn by `PARALLEL`, or else the cell is `OPEN`."""
    CLOSED = 2


HALF_WIDTHS = (2.5, 150.0)
"""Half the edge of the cube, in units of the radius within which neighbours are listed. Corners are as exact as the
cube is small, so that a larger one is taken only where neighbours are on one side."""

PARALLEL = 3e-6
"""In radian: planes that turn towards each other by less are parallel. The nearest neighbour, at distance d, turns its
plane so far when it moves by d times as much, and two such planes meet d / (2 · PARALLEL) away, which is half the edge
of the largest cube. Where neighbours are 2 Å apart, a layer that is rumpled by the rounding errors of single precision,
1e-6 Å, is flat, and its cells are open; one that is rumpled by those of a CIF, 1e-4 Å, may have closed cells, as
published."""

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
        for half_width in _half_widths(distances[here], radius):
            corners, bounds, neighbours = _cell(vectors[here], distances[here], half_width, GRAZE * radius)
            shapes[s] = Shape.OPEN if (neighbours < 0).any() else Shape.CLOSED
            if shapes[s] == Shape.CLOSED:
                break
        if shapes[s] == Shape.OPEN and _is_cone(neighbours, vectors[here], distances[here]):
            shapes[s] = Shape.CONE
        farthest[s] = _farthest(corners)
        for f in range(len(neighbours)):
            if neighbours[f] >= 0:
                p = starts[s] + neighbours[f]
                angles[p], areas[p] = _measure(corners[bounds[f] : bounds[f + 1]], vectors[p])
    return shapes, farthest, angles, areas


@compiled
def _half_widths(distances: Float[np.ndarray, " p"], radius: float) -> Float[np.ndarray, "3"]:
    horizon = distances[0] / (2 * PARALLEL) if len(distances) > 0 else 0.0
    near, far = HALF_WIDTHS[0] * radius, HALF_WIDTHS[1] * radius
    return np.array([near, far, max(far, horizon)])


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
def _is_cone(
    faces: Int[np.ndarray, " f"], vectors: Float[np.ndarray, "p 3"], distances: Float[np.ndarray, " p"]
) -> bool:
    """Whether a cell is the cone of three planes, even if the planes turn by `PARALLEL`.

    Corners of the cell are not looked at. Where neighbours lie in a plane or on a line, it is a prism whose only
    corners are those of the cube, and a rounding error there looks like a corner of its own. Instead, each plane that
    is not one of the three must pass by the apex and turn away from the three edges that start there.

    Args:
        faces: the neighbour behind each face, -1 for a face of the cube.
        vectors: all neighbours seen from the site, in Å.
        distances: their distances in Å, ascending.
    """
    around = faces[faces >= 0]
    if len(around) != 3:
        return False
    a, b, c = vectors[around[0]], vectors[around[1]], vectors[around[2]]
    a, b, c = a / distances[around[0]], b / distances[around[1]], c / distances[around[2]]
    edges = np.stack((_cross(b, c), _cross(c, a), _cross(a, b)))
    volume = _dot(a, edges[0])
    if abs(volume) <= 3 * PARALLEL:
        return False
    # Edges and the apex are quotients by this volume, or by the length of a product, which is at least as large.
    turn = PARALLEL * (1 + 2 / abs(volume))
    apex = np.zeros(3)
    for k in range(3):
        apex += distances[around[k]] / 2 * edges[k] / volume
    gap = turn * (distances[0] + np.sqrt(_dot(apex, apex)))
    for k in range(3):
        edges[k] /= -np.sign(volume) * np.sqrt(_dot(edges[k], edges[k]))
    for p in range(len(distances)):
        if not (around == p).any():
            normal = vectors[p] / distances[p]
            if _dot(normal, apex) > distances[p] / 2 - gap:
                return False
            for k in range(3):
                if _dot(normal, edges[k]) > -turn:
                    return False
    return True


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
