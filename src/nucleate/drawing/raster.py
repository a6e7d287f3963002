"""A small renderer: lit spheres and rods under parallel light, with a depth buffer, into an RGBA picture.

Screen coordinates: x to the right, y up, z towards the viewer, in Å until `render` scales them to pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nucleate.drawing.colours import ball_radius, rgb
from nucleate.drawing.scene import Scene

_SAMPLES = 3  # per pixel and direction, averaged against jagged edges
_LIGHT = np.array([-0.42, 0.58, 0.70])  # the direction to it, of length 1
_HALFWAY = np.array([-0.23, 0.31, 0.92])  # between the light and the viewer, of length 1
_BOND_RADIUS = 0.13  # Å
_EDGE_WIDTH = 1.6  # pixels
_EDGE_COLOUR = (0.53, 0.56, 0.60)
_FOG = 0.30  # how far the rearmost point fades to white
_OUTLINE_DROP = 0.35  # Å; a step in depth larger than this gets a dark line
_OUTLINE_SHADE = np.float32(0.62)
_MARGIN = 0.04  # of the picture, on each side

Image = NDArray[np.float32]


def view_matrix(azimuth: float = 27.0, elevation: float = 13.0) -> NDArray[np.float64]:
    """Rotation from the frame of a `Scene` to the screen: turned about the vertical, then tipped towards the viewer.

    Args:
        azimuth: degrees to the left that the scene's front is turned.
        elevation: degrees above the horizon from which the viewer looks.
    """
    turn, tip = np.radians(azimuth), np.radians(elevation)
    upright = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])
    about_y = np.array([[np.cos(turn), 0, -np.sin(turn)], [0, 1, 0], [np.sin(turn), 0, np.cos(turn)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(tip), -np.sin(tip)], [0, np.sin(tip), np.cos(tip)]])
    return about_x @ about_y @ upright


def render(scene: Scene, pixels: int = 420, view: NDArray[np.float64] | None = None) -> Image:
    """Draws a scene as large as fits a square picture.

    Args:
        scene: what to draw.
        pixels: width and height.
        view: rotation from the scene to the screen; that of `view_matrix()` by default.

    Returns:
        Straight-alpha RGBA in [0, 1], shape (pixels, pixels, 4), the background transparent.
    """
    view = view_matrix() if view is None else view
    centres, edges = scene.positions @ view.T, scene.edges @ view.T
    radii = np.array([ball_radius(int(z)) for z in scene.numbers])
    colours = np.array([rgb(int(z)) for z in scene.numbers])
    buffer = _Buffer.fitting(np.concatenate([centres - radii[:, None], centres + radii[:, None], *edges]), pixels)
    for start, end in edges:
        buffer.rod(start, end, _EDGE_WIDTH * _SAMPLES / 2 / buffer.scale, np.array(_EDGE_COLOUR))
    for i, j in scene.bonds:
        # The colours meet where the balls leave the same length of rod in sight.
        along = centres[j] - centres[i]
        middle = centres[i] + along * (0.5 + (radii[i] - radii[j]) / 2 / np.linalg.norm(along))
        buffer.rod(centres[i], middle, _BOND_RADIUS, colours[i])
        buffer.rod(middle, centres[j], _BOND_RADIUS, colours[j])
    for centre, radius, shade in zip(centres, radii, colours, strict=True):
        buffer.ball(centre, float(radius), shade)
    return buffer.picture()


@dataclass
class _Buffer:
    """Colour and depth of each sample; depth is in Å and -inf where nothing is."""

    colour: Image
    depth: Image
    scale: float  # samples per Å
    origin: NDArray[np.float64]  # Å, at the centre of the picture

    @classmethod
    def fitting(cls, points: NDArray[np.float64], pixels: int) -> _Buffer:
        low, high = points.min(0), points.max(0)
        size = pixels * _SAMPLES
        scale = size * (1 - 2 * _MARGIN) / max((high - low)[:2].max(), 1e-9)
        colour, depth = np.zeros((size, size, 3), np.float32), np.full((size, size), -np.inf, np.float32)
        return cls(colour, depth, float(scale), (low + high) / 2)

    def _window(
        self, low: NDArray[np.float64], high: NDArray[np.float64]
    ) -> tuple[tuple[slice, slice], NDArray[np.float64], NDArray[np.float64]]:
        """Rows and columns of the box between two points, and x and y there in Å, broadcastable against each other."""
        half = len(self.depth) / 2
        near, far = (low - self.origin) * self.scale, (high - self.origin) * self.scale
        columns = slice(max(0, int(half + near[0])), min(len(self.depth), int(half + far[0]) + 2))
        rows = slice(max(0, int(half - far[1])), min(len(self.depth), int(half - near[1]) + 2))
        x = (np.arange(columns.start, columns.stop) + 0.5 - half) / self.scale + self.origin[0]
        y = (half - np.arange(rows.start, rows.stop) - 0.5) / self.scale + self.origin[1]
        return (rows, columns), x[None, :], y[:, None]

    def ball(self, centre: NDArray[np.float64], radius: float, shade: NDArray[np.float64]) -> None:
        window, x, y = self._window(centre - radius, centre + radius)
        dx, dy = np.broadcast_arrays(x - centre[0], y - centre[1])
        height = np.sqrt(np.maximum(radius**2 - dx**2 - dy**2, 0))
        normal = np.stack([dx, dy, height], axis=-1) / radius
        self._put(window, dx**2 + dy**2 < radius**2, centre[2] + height, normal, shade)

    def rod(
        self, start: NDArray[np.float64], end: NDArray[np.float64], radius: float, shade: NDArray[np.float64]
    ) -> None:
        along = end - start
        length = float(np.linalg.norm(along))
        u = along / max(length, 1e-9)
        across = 1 - u[2] ** 2
        if across < 1e-6 or length < 1e-9:
            return  # seen from its end, where a ball hides it
        window, x, y = self._window(np.minimum(start, end) - radius, np.maximum(start, end) + radius)
        dx, dy = np.broadcast_arrays(x - start[0], y - start[1])
        # |w - (w·u)u| = radius for w = (dx, dy, s): a quadratic equation for the height s above `start`.
        flat = dx * u[0] + dy * u[1]
        discriminant = (flat * u[2]) ** 2 - across * (dx**2 + dy**2 - flat**2 - radius**2)
        s = (flat * u[2] + np.sqrt(np.maximum(discriminant, 0))) / across
        t = flat + s * u[2]
        normal = (np.stack([dx, dy, s], axis=-1) - t[..., None] * u) / radius
        self._put(window, (discriminant > 0) & (t >= 0) & (t <= length), start[2] + s, normal, shade)

    def _put(
        self,
        window: tuple[slice, slice],
        inside: NDArray[np.bool_],
        depth: NDArray[np.float64],
        normal: NDArray[np.float64],
        shade: NDArray[np.float64],
    ) -> None:
        """Lights the samples of a surface that are in front of what is there."""
        seen = inside & (depth > self.depth[window])
        facing = normal[seen]
        diffuse = 0.5 + 0.5 * (facing @ _LIGHT)  # half-Lambert: no side is black
        gloss = np.maximum(facing @ _HALFWAY, 0) ** 40
        lit = shade * (0.50 + 0.56 * diffuse[:, None]) + 0.30 * gloss[:, None]
        self.colour[window][seen] = np.clip(lit, 0, 1)
        self.depth[window][seen] = depth[seen]

    def picture(self) -> Image:
        """Adds fog and outlines, and averages the samples of each pixel."""
        covered = np.isfinite(self.depth)
        weight = covered.astype(np.float32)[..., None]
        front, back = self.depth[covered].max(initial=0), self.depth[covered].min(initial=0)
        fog = _FOG * (front - np.where(covered, self.depth, front))[..., None] / max(front - back, 1e-9)
        colour = (self.colour * (1 - fog) + fog) * np.where(self._outline(), _OUTLINE_SHADE, np.float32(1))[..., None]
        alpha = _average(weight)
        straight = _average(colour * weight) / np.maximum(alpha, 1e-9)
        return np.concatenate([straight, alpha], axis=-1).astype(np.float32, copy=False)

    def _outline(self) -> NDArray[np.bool_]:
        """Samples beside which the picture falls back by more than `_OUTLINE_DROP`."""
        around = np.pad(self.depth, 2, constant_values=-np.inf)
        size = len(self.depth)
        lowest = np.minimum.reduce(
            [around[2 + i : 2 + i + size, 2 + j : 2 + j + size] for i, j in ((-2, 0), (2, 0), (0, -2), (0, 2))]
        )
        return self.depth > lowest + _OUTLINE_DROP


def _average(samples: Image) -> Image:
    """Mean over the samples of each pixel; nine strided additions are faster than one reduction over short axes."""
    n = _SAMPLES
    return np.add.reduce([samples[i::n, j::n] for i in range(n) for j in range(n)]) / n**2
