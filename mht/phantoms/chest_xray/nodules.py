"""Nodules and masses: sharp or soft, smooth or with spicules, calcified or not, one or several."""

from __future__ import annotations

import math
import random

import numpy as np

from mht.phantoms.canvas import Point, Strokes, ellipse, ramp, texture
from mht.phantoms.chest_xray.anatomy import FRAME_MM
from mht.phantoms.chest_xray.film import Film
from mht.phantoms.scene import REFERENCE_PX, Entity

# The calcified middle, and the body that carries spicules, as shares of the radius; spicules end near the radius.
CORE = 0.55
SPICULATED_BODY = 0.68


def paint_round(film: Film, entity: Entity, rng: random.Random) -> None:
    """One round density, or as many as the entity counts."""
    radius = (entity.size_mm or 0.0) / FRAME_MM / 2
    level = rng.uniform(0.16, 0.21)
    for at in _places(entity, radius, rng):
        _body(film, at, radius, level, entity, rng)
        if "spiculated" in entity.attributes:
            _spicules(film, at, radius, level, rng)
        if "calcified" in entity.attributes:
            core = ellipse(film.lung.shape[0], at, (radius * CORE, radius * CORE))
            film.dense += ramp(core, 0.3) * np.float32(0.3)


def _places(entity: Entity, radius: float, rng: random.Random) -> list[Point]:
    """The middle of the box, or so many of its corners, each a little inward from where a circle touches the sides."""
    x0, y0, x1, y1 = (edge / REFERENCE_PX for edge in entity.box or (0, 0, 0, 0))
    if entity.count in (None, 1):
        return [((x0 + x1) / 2, (y0 + y1) / 2)]
    slack = radius * 0.5
    left, right, top, bottom = x0 + radius, x1 - radius, y0 + radius, y1 - radius
    falling, rising = [(left, top), (right, bottom)], [(left, bottom), (right, top)]
    corners = [*falling, *rising] if rng.random() < 0.5 else [*rising, *falling]
    return [
        (
            x + (slack if x == left else -slack) * rng.random(),
            y + (slack if y == top else -slack) * rng.random(),
        )
        for x, y in corners[: entity.count]
    ]


def _body(film: Film, at: Point, radius: float, level: float, entity: Entity, rng: random.Random) -> None:
    n = film.lung.shape[0]
    within = radius * (SPICULATED_BODY if "spiculated" in entity.attributes else 1.0)
    disc = ellipse(n, at, (within, within))
    if "ill-defined" in entity.attributes:
        soft = ramp(disc + np.float32(0.15) * texture(n, 40, rng) - np.float32(0.25), 1.5)
        film.dense += soft * np.float32(level)
        return
    film.dense += ramp(disc - 0.06, 0.16 if "well-defined" in entity.attributes else 0.3) * np.float32(level)


def _spicules(film: Film, at: Point, radius: float, level: float, rng: random.Random) -> None:
    """Fine lines that run out from the body into the lung."""
    n = film.lung.shape[0]
    strokes = Strokes(n)
    number = round(rng.uniform(11, 14) + 200 * radius * rng.uniform(0.5, 1.0))
    turn = rng.uniform(0, 2 * math.pi)
    for spike in range(number):
        angle = turn + 2 * math.pi * spike / number + rng.uniform(-0.12, 0.12)
        reach = radius * rng.uniform(0.92, 1.15)
        out = (math.cos(angle), math.sin(angle))
        start = (at[0] + out[0] * radius * 0.5, at[1] + out[1] * radius * 0.5)
        middle = (at[0] + out[0] * radius * 0.85, at[1] + out[1] * radius * 0.85)
        strokes.line([start, middle], max(0.9 / n, radius * 0.16))
        strokes.line([middle, (at[0] + out[0] * reach, at[1] + out[1] * reach)], max(0.7 / n, radius * 0.08))
    strokes.onto(film.dense, 0.85, level)
