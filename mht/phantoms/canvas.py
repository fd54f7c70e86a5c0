"""Drawing in numpy: coordinate fields in fractions of the frame, soft edges, texture, strokes, grain.

Smooth things are drawn on a grid of at most 256 x 256 and enlarged; fine lines and grain go on at full size.
Fields are float32 brightness, 0 black and 1 white.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Field = NDArray[np.float32]
Pixels = NDArray[np.uint8]
Point = tuple[float, float]

GRID = 256
SUPERSAMPLE = 3


@lru_cache(maxsize=16)
def axes(side: int) -> tuple[Field, Field]:
    """The centres of `side` cells: x as one row, y as one column, so that sums broadcast to the square."""
    centres = ((np.arange(side, dtype=np.float32) + 0.5) / side).astype(np.float32)
    return centres[None, :], centres[:, None]


def ramp(distance: NDArray[np.floating[Any]], width: float) -> Field:
    """0 outside, 1 inside, rising in a straight line over `width` around a distance of zero."""
    rise: Field = np.multiply(distance, np.float32(1.0 / width), dtype=np.float32)
    rise += np.float32(0.5)
    return np.clip(rise, 0.0, 1.0, out=rise)


def ellipse(side: int, centre: Point, radii: Point, turn: Point = (1.0, 0.0)) -> Field:
    """1 at the centre, 0 on the ellipse, negative outside; `turn` is the cosine and sine of its long axis."""
    x, y = axes(side)
    cosine, sine = turn
    dx, dy = x - np.float32(centre[0]), y - np.float32(centre[1])
    if sine == 0.0:
        dx, dy = dx * np.float32(1 / radii[0]), dy * np.float32(1 / radii[1])
        return np.asarray((1 - dx * dx) - dy * dy, dtype=np.float32)
    along = dx * np.float32(cosine / radii[0]) + dy * np.float32(sine / radii[0])
    across = dy * np.float32(cosine / radii[1]) - dx * np.float32(sine / radii[1])
    along *= along
    across *= across
    along += across
    return np.asarray(1 - along, dtype=np.float32)


@lru_cache(maxsize=32)
def _noise_tile(side: int, cells: int, number: int) -> Field:
    rng = np.random.default_rng((side, cells, number))
    coarse = rng.standard_normal((cells, cells)).astype(np.float32)
    tile = np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC))
    return np.asarray(tile / tile.std(), dtype=np.float32)


def texture(side: int, cells: int, rng: random.Random) -> Field:
    """Smooth noise, standard deviation 1, with about `cells` blobs across: a window of one of four fixed tiles."""
    tile = _noise_tile(side * 2, cells * 2, rng.randrange(4))
    x, y = rng.randrange(side), rng.randrange(side)
    return tile[y : y + side, x : x + side]


@lru_cache(maxsize=16)
def _grain_tile(side: int, tenths: int) -> NDArray[np.int8]:
    extent = side + 128
    noise = np.random.default_rng(side).standard_normal((extent, extent))
    return np.asarray(np.clip(np.rint(noise * (tenths / 10)), -127, 127), dtype=np.int8)


def expose(planes: Field, sigma: float, rng: random.Random) -> Pixels:
    """Brightness of 0 to 255 with white noise of `sigma` added, as pixels; `planes` is overwritten.

    One plane gives (side, side), three planes (3, side, side) give (side, side, 3) with the same noise in each.
    """
    side = planes.shape[-1]
    x, y = rng.randrange(128), rng.randrange(128)
    planes += _grain_tile(side, 5 * round(sigma * 2))[y : y + side, x : x + side]
    np.clip(planes, 0.0, 255.0, out=planes)
    pixels = planes.astype(np.uint8)
    if pixels.ndim == 2:
        return pixels
    return np.asarray(Image.merge("RGB", [Image.fromarray(plane) for plane in pixels]))


def grid_side(side_px: int) -> int:
    """The side of the grid on which smooth things of a picture of `side_px` are drawn."""
    return min(GRID, side_px)


def enlarge(field: Field, side_px: int) -> Field:
    """The field at full size: bilinear at twice the side, which is the usual case, else bicubic."""
    if field.shape[0] == side_px:
        return field
    if field.shape[0] * 2 == side_px:
        return _double_columns(_double_rows(field))
    image = Image.fromarray(np.ascontiguousarray(field, dtype=np.float32))
    return np.array(image.resize((side_px, side_px), Image.Resampling.BICUBIC))


def _double_rows(field: Field) -> Field:
    """Twice the rows, each a mean of its two nearest, three to one."""
    rows, columns = field.shape
    out = np.empty((rows, 2, columns), dtype=np.float32)
    far = field * np.float32(0.25)
    np.multiply(field, np.float32(0.75), out=out[:, 0])
    out[:, 1] = out[:, 0]
    out[1:, 0] += far[:-1]
    out[0, 0] += far[0]
    out[:-1, 1] += far[1:]
    out[-1, 1] += far[-1]
    return out.reshape(rows * 2, columns)


def _double_columns(field: Field) -> Field:
    """Twice the columns, likewise."""
    rows, columns = field.shape
    out = np.empty((rows, columns, 2), dtype=np.float32)
    far = field * np.float32(0.25)
    near = field * np.float32(0.75)
    np.add(near[:, 1:], far[:, :-1], out=out[:, 1:, 0])
    np.add(near[:, :-1], far[:, 1:], out=out[:, :-1, 1])
    out[:, 0, 0] = field[:, 0]
    out[:, -1, 1] = field[:, -1]
    return out.reshape(rows, columns * 2)


class Strokes:
    """Lines and dots with smooth edges, collected in a mask at full size. Points and widths are frame fractions."""

    def __init__(self, side_px: int) -> None:
        self._side = side_px
        self._scale = side_px * SUPERSAMPLE
        self._shapes: list[tuple[str, list[Point], float, float]] = []

    def line(self, points: Sequence[Point], width: float, value: float = 1.0) -> None:
        """A polyline of `width`, `value` bright."""
        self._shapes.append(("line", list(points), width, value))

    def dot(self, centre: Point, radius: float, value: float = 1.0) -> None:
        """A disc."""
        self._shapes.append(("dot", [centre], radius * 2, value))

    def area(self, points: Sequence[Point], value: float = 1.0) -> None:
        """A filled polygon."""
        self._shapes.append(("area", list(points), 0.0, value))

    def onto(self, field: Field, opacity: float = 1.0, colour: float = 1.0) -> None:
        """Lay the strokes over `field` in place, in one brightness `colour`."""
        if not self._shapes:
            return
        (x0, y0, x1, y1), mask = self._mask()
        part = field[y0:y1, x0:x1]
        part += (np.float32(colour) - part) * mask * np.float32(opacity)

    def _bounds(self) -> tuple[int, int, int, int]:
        points = [(x, y, width) for _, shape, width, _ in self._shapes for x, y in shape]
        side = self._side
        return (
            max(0, int(min(x - w for x, _, w in points) * side) - 2),
            max(0, int(min(y - w for _, y, w in points) * side) - 2),
            min(side, int(max(x + w for x, _, w in points) * side) + 3),
            min(side, int(max(y + w for _, y, w in points) * side) + 3),
        )

    def _mask(self) -> tuple[tuple[int, int, int, int], Field]:
        bounds = x0, y0, x1, y1 = self._bounds()
        image = Image.new("L", ((x1 - x0) * SUPERSAMPLE, (y1 - y0) * SUPERSAMPLE))
        draw = ImageDraw.Draw(image)
        left, top = x0 * SUPERSAMPLE, y0 * SUPERSAMPLE
        for shape, points, width, value in self._shapes:
            at = [(x * self._scale - left, y * self._scale - top) for x, y in points]
            fill = round(255 * value)
            if shape == "line":
                draw.line(at, fill=fill, width=max(1, round(width * self._scale)), joint="curve")
            elif shape == "area":
                draw.polygon(at, fill=fill)
            else:
                (x, y), radius = at[0], width * self._scale / 2
                draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)
        mask = np.asarray(image.reduce(SUPERSAMPLE), dtype=np.float32)
        return bounds, mask * np.float32(1 / 255)


def curve(points: Sequence[Point], steps: int = 8) -> list[Point]:
    """A smooth curve through the points (Catmull-Rom), `steps` pieces between each two."""
    padded = [points[0], *points, points[-1]]
    out: list[Point] = []
    for i in range(1, len(padded) - 2):
        out.extend(_segment(padded[i - 1 : i + 3], steps))
    return [*out, points[-1]]


def _segment(knots: Sequence[Point], steps: int) -> Iterable[Point]:
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = knots
    for step in range(steps):
        t = step / steps
        t2, t3 = t * t, t * t * t
        k0, k1, k2, k3 = -t3 + 2 * t2 - t, 3 * t3 - 5 * t2 + 2, -3 * t3 + 4 * t2 + t, t3 - t2
        yield (k0 * ax + k1 * bx + k2 * cx + k3 * dx) / 2, (k0 * ay + k1 * by + k2 * cy + k3 * dy) / 2
