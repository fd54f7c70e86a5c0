"""How each finding of the retina is drawn, spot by spot, at full size."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mht.phantoms.canvas import ramp
from mht.phantoms.fundus.anatomy import DISC_RADIUS, FRAME_MM, Anatomy, Point
from mht.phantoms.fundus.content import DRUSEN, spots, spots_rng
from mht.phantoms.scene import REFERENCE_PX, Entity, Scene

Colours = NDArray[np.float32]
Colour = tuple[float, float, float]

_MM = 1.0 / FRAME_MM
_PAINTS: dict[str, dict[str, Colour]] = {
    "microaneurysm": {"red": (135, 22, 14)},
    "retinal hemorrhage": {"red": (112, 14, 10)},
    "hard exudate": {"yellow": (250, 226, 96), "white": (248, 244, 226)},
    "cotton wool spot": {"white": (244, 238, 218)},
    "drusen": {"yellow": (244, 204, 84), "white": (244, 232, 206)},
    "laser scar": {"white": (238, 226, 198), "black": (34, 20, 18)},
    "choroidal nevus": {"brown": (96, 56, 36), "blue": (74, 86, 110), "black": (30, 22, 24)},
}


def _spot(
    field: Colours, at: Point, radius: float, colour: Colour, soft: float, squeeze: float = 1.0
) -> None:
    """Blend an ellipse of a colour into the field; `soft` is the share of the radius over which it fades."""
    side = field.shape[1]
    reach = radius * (1 + soft) + 1.5 / side
    x0, x1 = max(0, int((at[0] - reach) * side)), min(side, int((at[0] + reach) * side) + 2)
    y0, y1 = max(0, int((at[1] - reach) * side)), min(side, int((at[1] + reach) * side) + 2)
    if x0 >= x1 or y0 >= y1:
        return
    x = (np.arange(x0, x1, dtype=np.float32) + np.float32(0.5)) * np.float32(1 / side) - np.float32(at[0])
    y = (np.arange(y0, y1, dtype=np.float32) + np.float32(0.5)) * np.float32(1 / side) - np.float32(at[1])
    r = np.sqrt(x[None, :] ** 2 + (y[:, None] * np.float32(squeeze)) ** 2)
    share = ramp(np.float32(radius) - r, max(soft * radius * 2, 1.4 / side))
    part = field[:, y0:y1, x0:x1]
    part += (np.asarray(colour, dtype=np.float32)[:, None, None] - part) * share


def _places(scene: Scene, entity: Entity, anatomy: Anatomy, count: int) -> list[Point]:
    site = entity.site or "macula"
    return spots(entity.finding, site, count, anatomy, spots_rng(scene.rng, entity.finding, site))


def _colour(entity: Entity) -> Colour:
    """The finding's paint in the colour that its attributes name."""
    paints = _PAINTS[entity.finding]
    return next((paints[term] for term in entity.attributes if term in paints), next(iter(paints.values())))


def _microaneurysms(field: Colours, places: list[Point], entity: Entity, rng: random.Random) -> None:
    for at in places:
        _spot(field, at, rng.uniform(0.045, 0.07) * _MM, _colour(entity), 0.35)


def _hemorrhages(field: Colours, places: list[Point], entity: Entity, rng: random.Random) -> None:
    for at in places:
        radius = rng.uniform(0.11, 0.21) * _MM
        _spot(field, at, radius, _colour(entity), 0.3, rng.uniform(0.8, 1.4))


def _exudates(field: Colours, places: list[Point], entity: Entity, rng: random.Random) -> None:
    for at in places:
        _spot(field, at, rng.uniform(0.055, 0.10) * _MM, _colour(entity), 0.25, rng.uniform(0.8, 1.3))


def _wool(field: Colours, places: list[Point], entity: Entity, rng: random.Random) -> None:
    for at in places:
        _spot(field, at, rng.uniform(0.17, 0.24) * _MM, _colour(entity), 0.8, rng.uniform(0.9, 1.5))


def _drusen(field: Colours, places: list[Point], entity: Entity, rng: random.Random) -> None:
    """Small and sharp, or larger and faded."""
    soft, larger = (1.0, 1.35) if "ill-defined" in entity.attributes else (0.15, 1.0)
    for at in places:
        _spot(field, at, rng.uniform(0.03, 0.08) * larger * _MM, _colour(entity), soft)


def _laser(field: Colours, scene: Scene, entity: Entity, anatomy: Anatomy) -> None:
    """Scars in the periphery: white with a dark rim or black with a pale one; none on the disc or the macula."""
    rim = (236, 196, 140) if "black" in entity.attributes else (120, 60, 30)
    rng = scene.entity_rng(entity)
    left = rng.randint(24, 60)
    for _ in range(2000):
        angle, away = rng.uniform(0, 2 * math.pi), rng.uniform(0.3, 0.43)
        at = (0.5 + away * math.cos(angle), 0.5 + away * math.sin(angle))
        off_disc = math.dist(at, anatomy.disc) > DISC_RADIUS * 2.2
        if off_disc and abs(at[1] - 0.5) < 0.42 and left:
            radius = rng.uniform(0.10, 0.15) * _MM
            _spot(field, at, radius * 1.35, rim, 0.4)
            _spot(field, at, radius, _colour(entity), 0.4)
            left -= 1


def _nevus(field: Colours, entity: Entity, rng: random.Random) -> None:
    x0, y0, x1, y1 = entity.box or (0, 0, 0, 0)
    at = ((x0 + x1) / 2 / REFERENCE_PX, (y0 + y1) / 2 / REFERENCE_PX)
    soft = 0.5 if "ill-defined" in entity.attributes else 0.1
    _spot(field, at, (entity.size_mm or 0) / 2 * _MM, _colour(entity), soft)


def paint_under(field: Colours, scene: Scene, anatomy: Anatomy) -> None:
    """What lies under the vessels: drusen, nevi, scars."""
    for entity in scene.present:
        if entity.finding == "drusen":
            count = DRUSEN[entity.severity or "mild"]
            _drusen(field, _places(scene, entity, anatomy, count), entity, scene.entity_rng(entity))
        elif entity.finding == "choroidal nevus":
            _nevus(field, entity, scene.entity_rng(entity))
        elif entity.finding == "laser scar":
            _laser(field, scene, entity, anatomy)


_OVER: dict[str, Callable[[Colours, list[Point], Entity, random.Random], None]] = {
    "microaneurysm": _microaneurysms,
    "retinal hemorrhage": _hemorrhages,
    "hard exudate": _exudates,
    "cotton wool spot": _wool,
}


def paint_over(field: Colours, scene: Scene, anatomy: Anatomy) -> None:
    """What lies over the vessels: aneurysms, blood, exudates, cotton wool."""
    for entity in scene.present:
        if entity.finding in _OVER:
            places = _places(scene, entity, anatomy, entity.count or 0)
            _OVER[entity.finding](field, places, entity, scene.entity_rng(entity))
