from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import ConvexHull, Voronoi

from nucleate.evaluation.crystal_nn.voronoi import Shape, tessellate
from tests.evaluation.conftest import random_cell

RADIUS = 10.0


class Faces(NamedTuple):
    shape: int
    farthest: float
    angles: np.ndarray
    areas: np.ndarray


def faces(points, radius=RADIUS) -> Faces:
    """The cell of the origin among points that are sorted by distance."""
    vectors = np.ascontiguousarray(points, dtype=float)
    distances = np.linalg.norm(vectors, axis=1)
    shapes, farthest, angles, areas = tessellate(np.array([0, len(vectors)]), vectors, distances, radius)
    return Faces(shapes[0], farthest[0], angles, areas)


def nearest_first(points):
    points = np.asarray(points, dtype=float)
    distances = np.linalg.norm(points, axis=1)
    order = np.argsort(distances, kind="stable")
    return points[order][distances[order] > 1e-9]


def images(cell, site, cells=3):
    steps = np.stack(np.meshgrid(*[np.arange(-cells, cells + 1)] * 3, indexing="ij"), -1).reshape(-1, 1, 3)
    return nearest_first(((cell.frac - cell.frac[site] + steps) @ cell.lattice).reshape(-1, 3))


def lattice_points(basis, cells=3):
    steps = np.stack(np.meshgrid(*[np.arange(-cells, cells + 1)] * 3, indexing="ij"), -1).reshape(-1, 3)
    return nearest_first(steps @ np.array(basis, dtype=float))


CUBIC = np.eye(3)
FACE_CENTRED = 0.5 * (1 - np.eye(3))
BODY_CENTRED = 0.5 - np.eye(3)


@pytest.mark.parametrize(
    ("basis", "areas", "corner"),
    [
        (CUBIC, [1.0] * 6, 3**0.5 / 2),
        (FACE_CENTRED, [2**0.5 / 8] * 12, 0.5),  # a rhombic dodecahedron
        (BODY_CENTRED, [1 / 8] * 6 + [3**0.5 * 3 / 16] * 8, 5**0.5 / 4),  # a truncated octahedron
    ],
)
def test_cells_of_cubic_lattices(basis, areas, corner):
    found = faces(lattice_points(basis))
    large = found.areas > 1e-9
    np.testing.assert_allclose(np.sort(found.areas[large]), sorted(areas), rtol=1e-12)
    assert found.shape == Shape.CLOSED
    assert found.farthest == pytest.approx(corner, rel=1e-12)
    assert found.angles.sum() == pytest.approx(4 * np.pi, rel=1e-12)
    if len(set(areas)) == 1:
        np.testing.assert_allclose(found.angles[large], 4 * np.pi / len(areas), rtol=1e-12)


@pytest.mark.parametrize("basis", [CUBIC, FACE_CENTRED, BODY_CENTRED])
@pytest.mark.parametrize("noise", [1e-15, 1e-13, 1e-11, 1e-8])
def test_many_planes_through_one_corner_do_no_harm(basis, noise):
    exact = lattice_points(basis)
    rattled = exact + np.random.default_rng(0).normal(0, noise, exact.shape)
    found, want = faces(nearest_first(rattled)), faces(exact)
    assert found.shape == Shape.CLOSED
    np.testing.assert_allclose(found.angles.sum(), 4 * np.pi, rtol=1e-9)
    large = np.sort(found.angles)[-(want.angles > 1e-9).sum() :]
    np.testing.assert_allclose(large, np.sort(want.angles[want.angles > 1e-9]), atol=30 * noise + 1e-12)


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_cells_fill_space(seed, atoms):
    cell = random_cell(np.random.default_rng(seed), [6] * atoms)
    volume = 0.0
    for site in range(atoms):
        points = images(cell, site)
        found = faces(points)
        assert found.shape == Shape.CLOSED
        assert found.angles.sum() == pytest.approx(4 * np.pi, rel=1e-9)
        volume += (found.areas * np.linalg.norm(points, axis=1) / 6).sum()
    assert volume == pytest.approx(cell.volume, rel=1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_faces_are_those_of_qhull(seed):
    rng = np.random.default_rng(seed)
    points = nearest_first(rng.normal(0, 3, (60, 3)))
    found = faces(points, radius=20.0)
    diagram = Voronoi(np.vstack([np.zeros(3), points]))
    want = np.zeros(len(points))
    for pair, corners in diagram.ridge_dict.items():
        if 0 in pair:
            assert -1 not in corners
            want[max(pair) - 1] = area(diagram.vertices[corners])
    np.testing.assert_allclose(found.areas, want, rtol=1e-7, atol=1e-9)


def area(polygon):
    """Of a flat polygon, as the convex hull of its projection."""
    centred = polygon - polygon.mean(0)
    return ConvexHull(centred @ np.linalg.svd(centred)[2][:2].T).volume


def test_neighbours_beyond_twice_the_farthest_corner_change_nothing():
    cell = random_cell(np.random.default_rng(3), [6, 7, 8])
    points = images(cell, 0)
    near = points[np.linalg.norm(points, axis=1) <= 2 * faces(points).farthest]
    few, all_of_them = faces(near), faces(points)
    np.testing.assert_array_equal(few.areas, all_of_them.areas[: len(near)])
    assert not all_of_them.areas[len(near) :].any()


def test_neighbours_on_one_side_leave_the_cell_open():
    rng = np.random.default_rng(0)
    points = rng.normal(0, 2, (30, 3))
    points[:, 2] = np.abs(points[:, 2]) + 0.1
    assert faces(nearest_first(points)).shape == Shape.OPEN
    assert faces(np.zeros((0, 3))).shape == Shape.OPEN


def test_a_cell_may_reach_far_beyond_its_neighbours():
    points = np.vstack([lattice_points(CUBIC, 2), [[0, 0, -1]]])
    points = points[np.abs(points[:, 2] - 0.5) < 0.6]  # a layer above
    tilted = nearest_first(np.vstack([points, [[9, 0, -0.2], [-9, 0, -0.2], [0, 9, -0.2]]]))
    found = faces(tilted)
    assert found.shape == Shape.CLOSED
    assert found.farthest > 5 * RADIUS


def test_a_tetrahedron_is_a_cone_of_which_qhull_lists_no_face():
    points = nearest_first(np.random.default_rng(1).normal(0, 2, (3, 3)))
    assert faces(points).shape == Shape.CONE
    assert not [pair for pair in Voronoi(np.vstack([np.zeros(3), points])).ridge_dict if 0 in pair]
    assert faces(points[:2]).shape == Shape.OPEN  # no corner at all


@given(st.integers(0, 2**32 - 1), st.integers(3, 9))
def test_a_cell_is_closed_open_or_a_cone_as_qhull_has_it(seed, neighbours):
    points = nearest_first(np.random.default_rng(seed).normal(0, 2, (neighbours, 3)))
    ridges = [corners for pair, corners in Voronoi(np.vstack([np.zeros(3), points])).ridge_dict.items() if 0 in pair]
    want = Shape.CONE if not ridges else Shape.OPEN if any(-1 in corners for corners in ridges) else Shape.CLOSED
    assert faces(points).shape == want


def rotation(seed):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]


NETS = {
    "hexagonal": [[3.54, 0, 0], [-1.77, 1.77 * 3**0.5, 0]],
    "square": [[3.0, 0, 0], [0, 3.0, 0]],
    "oblique": [[2.9, 0, 0], [0.7, 3.3, 0]],
    "row": [[2.5, 0, 0], [0, 0, 0]],
}


@settings(max_examples=60)
@given(st.sampled_from(sorted(NETS)), st.sampled_from([0, 1e-15, 1e-12, 1e-9, 1e-7]), st.integers(0, 2**32 - 1))
def test_the_cells_of_a_flat_layer_are_open(net, noise, seed):
    """An infinite prism, or a slab, has no corner, though rounding errors give it some very far away."""
    layer = nearest_first(np.array([[i, j] for i in range(-3, 4) for j in range(-3, 4)]) @ np.array(NETS[net]))
    turned = layer @ rotation(seed) + np.random.default_rng(seed).normal(0, noise, layer.shape)
    assert faces(nearest_first(turned)).shape == Shape.OPEN


@pytest.mark.parametrize("rumple", [1e-3, 1e-2, 0.1])
def test_a_rumpled_layer_may_close_a_cell_as_it_does_for_qhull(rumple):
    closed = 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        steps = np.array([[i, j] for i in range(-3, 4) for j in range(-3, 4)])
        layer = steps @ np.array(NETS["oblique"])
        layer[:, 2] = rng.normal(0, rumple, len(layer))
        points = nearest_first(layer - layer[len(layer) // 2])
        found = faces(points)
        diagram = Voronoi(np.vstack([np.zeros(3), points]))
        ridges = {max(pair) - 1: corners for pair, corners in diagram.ridge_dict.items() if 0 in pair}
        assert (found.shape == Shape.CLOSED) == (not any(-1 in corners for corners in ridges.values()))
        if found.shape == Shape.CLOSED:
            closed += 1
            want = np.zeros(len(points))
            for neighbour, corners in ridges.items():
                want[neighbour] = area(diagram.vertices[corners])
            np.testing.assert_allclose(found.areas, want, rtol=1e-4, atol=1e-4 * want.max())
    assert closed > 0


def on_a_sphere(*directions):
    """Neighbours on a sphere of radius 2 Å that the site is on, too."""
    centre = np.array([0, 0, 2.0])
    return nearest_first([centre + 2 * np.array(u) / np.linalg.norm(u) for u in directions])


THREE = ((1, 0, 0.2), (-0.5, 0.9, 0.3), (-0.5, -0.8, 0.1))


@pytest.mark.parametrize("scale", [1e-6, 1.0, 30.0])
def test_a_cone_that_a_fourth_plane_touches_is_open(scale):
    """Qhull takes points on one sphere for one cell, and lists no face; those of a rattled copy may be two cells."""
    radius = RADIUS * scale
    assert faces(scale * on_a_sphere(*THREE), radius).shape == Shape.CONE
    four = on_a_sphere(*THREE, (0, 0, 1))
    assert faces(scale * four, radius).shape == Shape.OPEN
    pyramid = on_a_sphere((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0))
    assert faces(scale * pyramid, radius).shape == Shape.OPEN
    outside = nearest_first([*on_a_sphere(*THREE), (0, 0, 4.001)])
    assert faces(scale * outside, radius).shape == Shape.CONE
    inside = nearest_first([*on_a_sphere(*THREE), (0, 0, 3.999)])
    assert faces(scale * inside, radius).shape == Shape.OPEN


@pytest.mark.parametrize(("height", "shape"), [(0, 0), (1e-15, 0), (1e-9, 0), (1e-7, 0), (1e-3, 1), (0.1, 1), (1, 1)])
def test_a_flat_triangle_is_open_and_a_pyramid_is_a_cone(height, shape):
    angles = 2 * np.pi / 3 * np.arange(3)
    flat = np.column_stack([1.5 * np.cos(angles), 1.5 * np.sin(angles), np.full(3, height)])
    assert faces(nearest_first(flat)).shape == Shape(shape)


def test_scale_does_not_matter():
    points = images(random_cell(np.random.default_rng(4), [6, 7]), 0)
    one, tiny = faces(points), faces(points * 1e-6, RADIUS * 1e-6)
    np.testing.assert_allclose(tiny.angles, one.angles, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(tiny.areas, one.areas * 1e-12, rtol=1e-9, atol=1e-24)
