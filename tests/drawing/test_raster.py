from __future__ import annotations

import numpy as np
import pytest

from nucleate.drawing.colours import ball_radius, rgb
from nucleate.drawing.raster import render, view_matrix
from nucleate.drawing.scene import Scene, build_scene

FRONT = np.eye(3)  # the scene's own axes are those of the screen


def scene(numbers: list[int], positions: list[list[float]], bonds: list[list[int]] | None = None) -> Scene:
    pairs = np.array(bonds or [], dtype=np.int64).reshape(-1, 2)
    return Scene(np.array(numbers), np.array(positions, dtype=float), pairs, np.zeros((0, 2, 3)))


def hue(pixel: np.ndarray) -> np.ndarray:
    return pixel[:3] / pixel[:3].sum()


def test_a_ball_is_a_disc_with_the_area_of_a_circle():
    picture = render(scene([8], [[0, 0, 0]]), 200, FRONT)
    assert picture.shape == (200, 200, 4)
    radius = 0.92 * 200 / 2
    assert picture[..., 3].sum() == pytest.approx(np.pi * radius**2, rel=0.005)
    assert picture[..., 3].max() == 1
    assert picture[0, 0, 3] == 0


def test_light_comes_from_the_upper_left():
    brightness = render(scene([26], [[0, 0, 0]]), 90, FRONT)[..., :3].sum(-1)
    assert brightness[30, 30] > brightness[60, 60]
    assert brightness[30, 30] > brightness[30, 60] > brightness[60, 60]


@pytest.mark.parametrize("order", [[8, 7], [7, 8]])
def test_the_nearer_ball_hides_the_farther_in_whichever_order_they_are_drawn(order):
    depth = {8: 1.0, 7: -1.0}
    picture = render(scene(order, [[0, 0, depth[z]] for z in order]), 60, FRONT)
    red, _, blue = picture[30, 30, :3]
    assert red > 2 * blue  # oxygen, not nitrogen


def test_balls_that_cross_meet_in_the_plane_between_them():
    offset = ball_radius(8) / 2
    both = render(scene([8, 7], [[-offset, 0, 0], [offset, 0, 0]]), 200, FRONT)
    assert hue(both[100, 60])[0] > 0.5 > hue(both[100, 60])[2]
    assert hue(both[100, 140])[2] > 0.5 > hue(both[100, 140])[0]


def test_a_bond_has_the_colours_of_its_ends_and_the_width_of_a_rod():
    picture = render(scene([8, 7], [[-2, 0, 0], [2, 0, 0]], [[0, 1]]), 300, FRONT)
    for column, z in ((140, 8), (160, 7)):
        assert np.argmax(picture[150, column, :3]) == np.argmax(rgb(z))
    scale = 300 * 0.92 / (4 + ball_radius(8) + ball_radius(7))
    assert picture[:, 140, 3].sum() == pytest.approx(2 * 0.13 * scale, abs=1)


def test_a_bond_seen_from_its_end_is_hidden():
    alone = render(scene([8, 8], [[0, 0, 0], [0, 0, 3]]), 60, FRONT)
    bonded = render(scene([8, 8], [[0, 0, 0], [0, 0, 3]], [[0, 1]]), 60, FRONT)
    assert (alone == bonded).all()


def test_the_view_is_a_rotation():
    view = view_matrix()
    assert view @ view.T == pytest.approx(np.eye(3))
    assert np.linalg.det(view) == pytest.approx(1)
    assert (view @ [0, 0, 1])[1] > 0.9  # c is up
    assert (view @ [1, 0, 0])[0] > 0.8  # a is to the right
    assert view_matrix(0, 0) @ [0, 1, 0] == pytest.approx([0, 0, -1])  # away from the viewer


def test_a_crystal_fills_the_picture_and_looks_the_same_again(rock_salt):
    first, second = (render(build_scene(rock_salt), 80) for _ in range(2))
    assert (first == second).all()
    seen = np.argwhere(first[..., 3] > 0)
    assert max(seen.max(0) - seen.min(0)) == pytest.approx(0.92 * 80, abs=2)
    assert 0 <= first.min() <= first.max() <= 1
