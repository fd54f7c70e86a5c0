"""Retinal vessels: four arcades that leave the disc and branch."""

from __future__ import annotations

import math
import random
from functools import lru_cache

import numpy as np

from mht.phantoms.canvas import Field, Strokes, curve

MARGIN = 0.04
DISC = (0.745, 0.485)

Point = tuple[float, float]


@lru_cache(maxsize=16)
def tree(side_px: int, number: int) -> Field:
    """One fixed tree of a right eye, 0 to 1, on the frame with a margin all round, the disc at `DISC`."""
    rng = random.Random(number)
    size = round(side_px * (1 + 2 * MARGIN))
    scale = side_px / size
    strokes = Strokes(size)
    field = np.zeros((size, size), dtype=np.float32)
    for up in (-1, 1):
        for vein, off in ((1.0, 0.0), (0.62, rng.uniform(0.02, 0.035))):
            _arcade(strokes, rng, up, vein, off, scale)
            _nasal(strokes, rng, up, vein, off, scale)
    strokes.onto(field)
    return field


def _put(at: Point, scale: float) -> Point:
    return (at[0] + MARGIN) * scale, (at[1] + MARGIN) * scale


def _arcade(strokes: Strokes, rng: random.Random, up: int, tone: float, off: float, scale: float) -> None:
    """The temporal arcade: out of the disc, up or down, then round the macula."""
    x, y = DISC
    reach = rng.uniform(0.235, 0.27) - off
    points = [
        (x, y),
        (x - 0.01 + off, y + up * 0.09),
        (x - 0.10, y + up * (reach * 0.80)),
        (x - 0.25, y + up * reach),
        (x - 0.40, y + up * (reach * 0.98)),
        (x - 0.55, y + up * (reach * 0.80)),
        (x - 0.70, y + up * (reach * 0.7)),
    ]
    points = [(px + rng.uniform(-0.008, 0.008), py + rng.uniform(-0.01, 0.01)) for px, py in points]
    _vessel(strokes, points, 0.0105 * (0.75 + 0.25 * tone), tone, scale)
    for base, angle in ((2, -60), (3, -100), (4, -75), (3, 60), (4, 70), (5, 50)):
        start = points[base]
        heading = math.radians(180 + up * angle + rng.uniform(-18, 18))
        _twig(strokes, rng, start, heading, 0.0055, tone, scale)


def _nasal(strokes: Strokes, rng: random.Random, up: int, tone: float, off: float, scale: float) -> None:
    heading = math.radians(-up * rng.uniform(-65, -35) + off * 200)
    _twig(strokes, rng, DISC, heading, 0.0075, tone, scale)


def _twig(
    strokes: Strokes, rng: random.Random, at: Point, heading: float, width: float, tone: float, scale: float
) -> None:
    if width < 0.0014:
        return
    points = [at]
    for _ in range(4):
        heading += rng.uniform(-0.22, 0.22)
        at = (at[0] + math.cos(heading) * 0.026, at[1] + math.sin(heading) * 0.026)
        points.append(at)
    _vessel(strokes, points, width, tone, scale)
    _twig(strokes, rng, at, heading + rng.uniform(0.15, 0.5), width * 0.66, tone, scale)
    _twig(strokes, rng, at, heading - rng.uniform(0.15, 0.5), width * 0.66, tone, scale)


def _vessel(strokes: Strokes, points: list[Point], width: float, tone: float, scale: float) -> None:
    path = [_put(at, scale) for at in curve(points, 6)]
    pieces = max(1, len(path) // 6)
    for number in range(pieces):
        part = path[number * 6 : number * 6 + 7]
        taper = 1 - 0.55 * number / pieces
        strokes.line(part, width * taper * scale, tone * min(1.0, 0.45 + width * 60))
