"""What a field of a blood smear can show, how often and together with what."""

from __future__ import annotations

import random
from dataclasses import replace

from mht.phantoms.blood_smear.layout import (
    PLATELETS,
    RED_CELL_FORMS,
    WHITE_CELLS,
    Layout,
    Point,
    lay_out,
    stain,
)
from mht.phantoms.scene import (
    CHANGES,
    Box,
    Entity,
    Scene,
    aspect_rng,
    followed,
    pick_weighted,
    unit_box,
)

CELLS = {**WHITE_CELLS, **RED_CELL_FORMS, **PLATELETS}
ALL_OVER = ("anisocytosis", "hypochromia")
FINDINGS = (*CELLS, *ALL_OVER)

# What the slide was looked at for; each disorder brings its cells, with a chance for each.
DISORDERS: dict[str, tuple[float, dict[str, float]]] = {
    "none": (0.30, {}),
    "iron deficiency": (0.17, {"hypochromia": 0.95, "anisocytosis": 0.75, "target cell": 0.2}),
    "leukemia": (0.15, {"blast": 1.0, "anisocytosis": 0.25}),
    "malaria": (0.12, {"malaria parasite": 1.0, "anisocytosis": 0.2}),
    "microangiopathy": (0.10, {"schistocyte": 1.0, "anisocytosis": 0.45}),
    "sickle cell disease": (0.09, {"sickle cell": 1.0, "target cell": 0.6, "anisocytosis": 0.3}),
    "liver disease": (0.07, {"target cell": 1.0, "anisocytosis": 0.2}),
}
# Chance of a field with the cell, where nothing is wrong; and in the disorders that drive it out.
USUAL = {"neutrophil": 0.6, "lymphocyte": 0.45, "monocyte": 0.15, "eosinophil": 0.14, "platelet": 0.8}
FEWER = {
    "leukemia": ("neutrophil", "eosinophil", "platelet"),
    "microangiopathy": ("platelet",),
    "malaria": ("platelet",),
}
GRADES = {"mild": 0.5, "moderate": 0.33, "severe": 0.17}
REACH = {**dict.fromkeys(WHITE_CELLS, 0.075), **dict.fromkeys(RED_CELL_FORMS, 0.042), "platelet": 0.017}
# What each stain makes of red cells, and of nuclei and platelets.
COLOURS = {"neutral": ("pink", "purple"), "acid": ("orange", "blue")}
COLOURED = {
    **dict.fromkeys(("schistocyte", "target cell", "sickle cell"), 0),
    **dict.fromkeys(("blast", "lymphocyte", "platelet", "malaria parasite"), 1),
}
COURSES = dict.fromkeys(("blast", "malaria parasite", "schistocyte", "target cell", "anisocytosis"), CHANGES)


def compose(index: int, seed: int) -> Scene:
    """The scene of blood smear number `index`."""
    rng = aspect_rng("blood_smear", index, seed, "content")
    layout = lay_out(index, seed)
    disorder = pick_weighted(rng, {name: weight for name, (weight, _) in DISORDERS.items()})
    chances = dict(USUAL)
    for name in FEWER.get(disorder, ()):
        chances[name] *= 0.35
    chances.update(DISORDERS[disorder][1])
    made = [_entity(name, layout, rng) for name, chance in chances.items() if rng.random() < chance]
    colours = COLOURS[stain(index, seed)]
    made = [
        replace(entity, attributes=(colours[COLOURED[entity.finding]],))
        if entity.finding in COLOURED
        else entity
        for entity in made
    ]
    present = followed(made, COURSES, aspect_rng("blood_smear", index, seed, "course"))
    names = {entity.finding for entity in present}
    absent = tuple(name for name in FINDINGS if name not in names)
    return Scene("blood_smear", "microscopy", None, present, absent, index, seed)


def _entity(name: str, layout: Layout, rng: random.Random) -> Entity:
    if name in ALL_OVER:
        return Entity(name, severity=pick_weighted(rng, GRADES))
    most = len(layout.places[name])
    count = min(most, 1 + int(most * rng.random() ** 1.6))
    return Entity(name, count=count, box=_around(layout.places[name][:count], REACH[name]))


def _around(places: tuple[Point, ...], reach: float) -> Box:
    """The box that holds all the cells."""
    xs, ys = [x for x, _ in places], [y for _, y in places]
    return unit_box(min(xs) - reach, min(ys) - reach, max(xs) + reach, max(ys) + reach)
