"""What a fundus photograph can show, how often, together with what, and where."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from mht.phantoms.fundus.anatomy import (
    DISC_RADIUS,
    FRAME_MM,
    QUADRANTS,
    Anatomy,
    Point,
    draw_anatomy,
    spot_in,
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

# The disease that brought the patient; each brings its signs, with a chance for each.
DISEASES: dict[str, tuple[float, dict[str, float]]] = {
    "none": (0.24, {}),
    "diabetic retinopathy": (
        0.30,
        {
            "microaneurysm": 0.9,
            "retinal hemorrhage": 0.65,
            "hard exudate": 0.5,
            "cotton wool spot": 0.3,
            "laser scar": 0.25,
        },
    ),
    "macular degeneration": (0.18, {"drusen": 1.0, "retinal hemorrhage": 0.15}),
    "glaucoma": (0.14, {"optic disc cupping": 1.0, "drusen": 0.1}),
    "intracranial hypertension": (
        0.06,
        {"papilledema": 1.0, "retinal hemorrhage": 0.4, "cotton wool spot": 0.3},
    ),
    "nevus": (0.08, {"choroidal nevus": 1.0, "drusen": 0.2}),
}
FINDINGS = (
    "microaneurysm",
    "retinal hemorrhage",
    "hard exudate",
    "cotton wool spot",
    "laser scar",
    "drusen",
    "optic disc cupping",
    "papilledema",
    "choroidal nevus",
)
GRADES = {"mild": 0.5, "moderate": 0.32, "severe": 0.18}
CUP = {None: (0.30, 0.42), "mild": (0.52, 0.58), "moderate": (0.65, 0.72), "severe": (0.80, 0.88)}
DRUSEN = {"mild": 12, "moderate": 26, "severe": 45}
SWELLING = {"mild": 1.15, "moderate": 1.3, "severe": 1.5}
ABOUT_MACULA = {"macula": 0.55, **dict.fromkeys(QUADRANTS, 0.1125)}
ABROAD = {
    "superotemporal quadrant": 0.32,
    "inferotemporal quadrant": 0.32,
    "superonasal quadrant": 0.18,
    "inferonasal quadrant": 0.18,
}
NEAR = {"optic disc cupping": (), "drusen": ("hard exudate",), "hard exudate": ("drusen",)}
# Colours as they are drawn, with how often; blood is always red.
COLOURS: dict[str, dict[str, float]] = {
    "microaneurysm": {"red": 1.0},
    "retinal hemorrhage": {"red": 1.0},
    "hard exudate": {"yellow": 0.7, "white": 0.3},
    "cotton wool spot": {"white": 1.0},
    "drusen": {"yellow": 0.7, "white": 0.3},
    "laser scar": {"white": 0.6, "black": 0.4},
    "choroidal nevus": {"brown": 0.6, "blue": 0.25, "black": 0.15},
}
# Well-defined or not, where that differs from one to the next; with how often it is well-defined.
MARGINS = {"drusen": 0.55, "choroidal nevus": 0.6}
COURSES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("microaneurysm", "retinal hemorrhage", "hard exudate", "cotton wool spot"), CHANGES),
    "papilledema": CHANGES,
    **dict.fromkeys(("drusen", "optic disc cupping", "choroidal nevus"), ("unchanged", "increased")),
}


def compose(index: int, seed: int) -> Scene:
    """The scene of fundus photograph number `index`."""
    rng = aspect_rng("fundus", index, seed, "content")
    anatomy = draw_anatomy(aspect_rng("fundus", index, seed, "anatomy"))
    disease = pick_weighted(rng, {name: weight for name, (weight, _) in DISEASES.items()})
    names = [name for name, chance in DISEASES[disease][1].items() if rng.random() < chance]
    eye = "right" if anatomy.nasal > 0 else "left"
    made = [_MAKERS[name](name, eye, anatomy, rng) for name in names]
    made = [replace(entity, attributes=_look(entity.finding, rng)) for entity in made]
    present = followed(made, COURSES, aspect_rng("fundus", index, seed, "course"))
    blurred = {near for name in names for near in NEAR.get(name, ())}
    absent = tuple(name for name in FINDINGS if name not in names and name not in blurred)
    return Scene("fundus", "fundus photography", f"{eye} eye", present, absent, index, seed)


def _look(name: str, rng: random.Random) -> tuple[str, ...]:
    """Colour and margin."""
    out: list[str] = []
    if name in COLOURS:
        out.append(pick_weighted(rng, COLOURS[name]))
    if name == "laser scar":
        out.append("peripheral")
    if name in MARGINS:
        out.append("well-defined" if rng.random() < MARGINS[name] else "ill-defined")
    return tuple(out)


def spots(name: str, site: str, count: int, anatomy: Anatomy, rng: random.Random) -> list[Point]:
    """`count` points of a region, apart from each other."""
    out: list[Point] = []
    apart = {"retinal hemorrhage": 0.034, "cotton wool spot": 0.045, "drusen": 0.011}.get(name, 0.02)
    for _ in range(400):
        at = spot_in(anatomy, site, rng)
        if all((at[0] - x) ** 2 + (at[1] - y) ** 2 > apart**2 for x, y in out):
            out.append(at)
        if len(out) == count:
            break
    return out


def spots_rng(scene_rng: Callable[[str], random.Random], name: str, site: str | None) -> random.Random:
    """The generator of a finding's points, the same when composed and when drawn."""
    return scene_rng(f"{name}/{site}/spots")


def _counted(most: int, sites: dict[str, float]) -> Callable[[str, str, Anatomy, random.Random], Entity]:
    def make(name: str, eye: str, anatomy: Anatomy, rng: random.Random) -> Entity:
        site = pick_weighted(rng, sites)
        count = 1 + int(most * rng.random() ** 1.5)
        return Entity(name, eye, site, None, None, count, region_box(anatomy, site))

    return make


def region_box(anatomy: Anatomy, site: str) -> Box:
    """The frame of a region."""
    if site == "macula":
        x, y = anatomy.macula
        return unit_box(x - 0.12, y - 0.12, x + 0.12, y + 0.12)
    right = (anatomy.nasal > 0) == ("nasal" in site)
    down = site.startswith("infero")
    x0, x1 = (0.5, 0.95) if right else (0.05, 0.5)
    return unit_box(x0, 0.5 if down else 0.05, x1, 0.95 if down else 0.5)


def _drusen(name: str, eye: str, anatomy: Anatomy, rng: random.Random) -> Entity:
    return Entity(name, eye, "macula", pick_weighted(rng, GRADES), None, None, region_box(anatomy, "macula"))


def _disc(name: str, eye: str, anatomy: Anatomy, rng: random.Random) -> Entity:
    severity = pick_weighted(rng, GRADES)
    radius = DISC_RADIUS * (SWELLING[severity] * 1.15 if name == "papilledema" else 1.0)
    x, y = anatomy.disc
    return Entity(
        name, eye, None, severity, None, None, unit_box(x - radius, y - radius, x + radius, y + radius)
    )


def _laser(name: str, eye: str, anatomy: Anatomy, rng: random.Random) -> Entity:
    return Entity(name, eye, None, None, None, None, unit_box(0.05, 0.05, 0.95, 0.95))


def _nevus(name: str, eye: str, anatomy: Anatomy, rng: random.Random) -> Entity:
    site = pick_weighted(rng, ABROAD)
    x, y = spot_in(anatomy, site, rng)
    size_mm = round(rng.uniform(1.0, 3.2), 1)
    radius = size_mm / FRAME_MM / 2
    return Entity(name, eye, site, None, size_mm, 1, unit_box(x - radius, y - radius, x + radius, y + radius))


_MAKERS: dict[str, Callable[[str, str, Anatomy, random.Random], Entity]] = {
    "microaneurysm": _counted(11, ABOUT_MACULA),
    "retinal hemorrhage": _counted(7, ABROAD),
    "hard exudate": _counted(
        10, {"macula": 0.7, "superotemporal quadrant": 0.15, "inferotemporal quadrant": 0.15}
    ),
    "cotton wool spot": _counted(4, ABROAD),
    "laser scar": _laser,
    "drusen": _drusen,
    "optic disc cupping": _disc,
    "papilledema": _disc,
    "choroidal nevus": _nevus,
}
