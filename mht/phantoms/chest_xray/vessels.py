"""Lung markings: vessels that branch out from each hilum."""

from __future__ import annotations

import math
import random
from functools import lru_cache

import numpy as np

from mht.phantoms.canvas import Field, Strokes

_TREES = 6
_MARGIN = 16


@lru_cache(maxsize=16)
def _tree(n: int, number: int) -> Field:
    """One fixed tree over both lungs, somewhat larger than the frame so that it can be moved."""
    rng = random.Random(number)
    size = n + 2 * _MARGIN
    strokes = Strokes(size)
    for mirror in (-1, 1):
        for spoke in range(13):
            angle = math.radians(-78 + spoke * 13.5 + rng.uniform(-6, 6))
            start = (0.5 + mirror * 0.07, 0.42 + rng.uniform(-0.02, 0.05))
            _branch(strokes, rng, start, angle, mirror, rng.uniform(0.006, 0.011))
    field = np.zeros((size, size), dtype=np.float32)
    strokes.onto(field)
    return field


def _branch(
    strokes: Strokes, rng: random.Random, at: tuple[float, float], angle: float, mirror: int, width: float
) -> None:
    if width < 0.0012:
        return
    points = [at]
    for _ in range(4):
        angle += rng.uniform(-0.3, 0.3)
        step = rng.uniform(0.011, 0.02)
        at = (at[0] + mirror * math.cos(angle) * step, at[1] + math.sin(angle) * step)
        points.append(at)
    strokes.line(points, width, min(1.0, 0.2 + width * 80))
    for turn in (-rng.uniform(0.2, 0.5), rng.uniform(0.1, 0.45)):
        _branch(strokes, rng, at, angle + turn, mirror, width * rng.uniform(0.58, 0.72))


def markings(n: int, rng: random.Random) -> Field:
    """The markings of one patient, 0 to 1, on a grid of `n`."""
    tree = _tree(n, rng.randrange(_TREES))
    x, y = rng.randrange(2 * _MARGIN), rng.randrange(2 * _MARGIN)
    window = tree[y : y + n, x : x + n]
    return window
