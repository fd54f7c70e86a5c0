"""How a smear is drawn: light through stained cells, each a stamp that is multiplied into the field."""

from __future__ import annotations

import random

import numpy as np

from mht.phantoms.blood_smear import cells
from mht.phantoms.blood_smear.cells import Stamp
from mht.phantoms.blood_smear.layout import (
    CLEARANCE,
    RED_CELL_FORMS,
    WHITE_CELLS,
    Layout,
    Point,
    lay_out,
    stain,
)
from mht.phantoms.canvas import Field, Pixels, expose
from mht.phantoms.scene import Scene

_SPREAD = {None: 0.04, "mild": 0.12, "moderate": 0.18, "severe": 0.25}
_PALLOR = {None: (0.30, 0.5), "mild": (0.62, 0.75), "moderate": (0.78, 0.86), "severe": (0.92, 0.97)}


def paint(scene: Scene, side_px: int) -> Pixels:
    """The field of a scene as 8-bit RGB."""
    layout, colours = lay_out(scene.index, scene.seed), stain(scene.index, scene.seed)
    rng = scene.rng("stain")
    field = np.empty((3, side_px, side_px), dtype=np.float32)
    for plane, (low, high) in zip(field, ((0.92, 0.97), (0.89, 0.94), (0.90, 0.95)), strict=True):
        plane[:] = np.float32(255 * rng.uniform(low, high))
    shown = {entity.finding: entity for entity in scene.present}
    large = [
        at for name in WHITE_CELLS if name in shown for at in layout.places[name][: shown[name].count or 0]
    ]
    taken = {
        at for name in RED_CELL_FORMS if name in shown for at in layout.places[name][: shown[name].count or 0]
    }
    _red_cells(field, scene, [*layout.red_cells, *_reserved(layout)], large, taken)
    for name, entity in shown.items():
        cell_rng = scene.entity_rng(entity)
        for at in layout.places.get(name, ())[: entity.count or 0]:
            _press(field, at, cells.draw(name, side_px, colours, cell_rng))
    return expose(field, rng.uniform(1.5, 3.0), rng)


def _reserved(layout: Layout) -> list[Point]:
    """Where a red cell of another form could lie."""
    return [at for name in RED_CELL_FORMS for at in layout.places[name]]


def _red_cells(
    field: Field, scene: Scene, places: list[Point], large: list[Point], taken: set[Point]
) -> None:
    """Ordinary red cells, except where another cell lies; each place draws its own numbers whether used or not."""
    grade = {entity.finding: entity.severity for entity in scene.present}
    spread, pallor = _SPREAD[grade.get("anisocytosis")], _PALLOR[grade.get("hypochromia")]
    rng, colours = scene.rng("red cells"), stain(scene.index, scene.seed)
    for at in places:
        stamp = _red_cell(field.shape[1], spread, pallor, colours, rng)
        if at not in taken and all((at[0] - x) ** 2 + (at[1] - y) ** 2 > CLEARANCE**2 for x, y in large):
            _press(field, at, stamp)


def _red_cell(
    side_px: int, spread: float, pallor: tuple[float, float], colours: str, rng: random.Random
) -> Stamp:
    size = min(1.45, max(0.55, rng.gauss(1.0, spread)))
    depth = pallor[0] + (pallor[1] - pallor[0]) * rng.random()
    return cells.red_cell(side_px, round(size * 16), round(depth * 12), rng.randrange(6), colours)


def _press(field: Field, at: Point, stamp: Stamp) -> None:
    """Multiply a stamp into the field around a point, cut at the field's edge."""
    side, size = field.shape[1], stamp.shape[1]
    x, y = round(at[0] * side - size / 2), round(at[1] * side - size / 2)
    x0, y0, x1, y1 = max(0, x), max(0, y), min(side, x + size), min(side, y + size)
    if x0 < x1 and y0 < y1:
        field[:, y0:y1, x0:x1] *= stamp[:, y0 - y : y1 - y, x0 - x : x1 - x]
