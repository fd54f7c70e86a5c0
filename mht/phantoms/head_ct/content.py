"""What a head CT can show, how often, together with what, and where."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from mht.phantoms.head_ct.anatomy import FRAME_MM, REGIONS, Anatomy, draw_anatomy, half_width_at, sign
from mht.phantoms.head_ct.density import FRESH, with_density
from mht.phantoms.scene import (
    CHANGES,
    REFERENCE_PX,
    Box,
    Entity,
    Scene,
    aspect_rng,
    followed,
    pick_weighted,
    unit_box,
)

LEADING = {
    "subdural hematoma": 0.19,
    "infarct": 0.17,
    "intraparenchymal hemorrhage": 0.15,
    "cerebral atrophy": 0.12,
    "subarachnoid hemorrhage": 0.11,
    "hydrocephalus": 0.08,
    "intracranial mass": 0.08,
    "epidural hematoma": 0.06,
    "calcification": 0.04,
}
FINDINGS = (
    *LEADING,
    "vasogenic edema",
    "intraventricular hemorrhage",
    "midline shift",
    "skull fracture",
    "scalp hematoma",
    "ventriculoperitoneal shunt",
)
SIDES = {"left": 0.5, "right": 0.5}
GRADES = {"mild": 0.55, "moderate": 0.3, "severe": 0.15}
AMOUNTS = {"small": 0.5, "moderate": 0.32, "large": 0.18}
LOBES = {"frontal lobe": 0.3, "parietal lobe": 0.25, "temporal lobe": 0.27, "occipital lobe": 0.18}
BLEED_SITES = {
    "basal ganglia": 0.4,
    "thalamus": 0.18,
    **{lobe: 0.42 * share for lobe, share in LOBES.items()},
}
EPIDURAL_SITES = {"temporal lobe": 0.6, "parietal lobe": 0.4}
HEMORRHAGES = (
    "subdural hematoma",
    "epidural hematoma",
    "intraparenchymal hemorrhage",
    "subarachnoid hemorrhage",
    "intraventricular hemorrhage",
)
SUBDURAL_MM = {"small": (5, 8), "moderate": (9, 14), "large": (15, 22)}
INFARCT_RADIUS = {"small": 0.045, "moderate": 0.07, "large": 0.1}

# Chance of a scan with contrast, by what is found first; blood and calcium are looked for without it.
CONTRAST = {"intracranial mass": 0.5, "infarct": 0.15, "hydrocephalus": 0.2, "cerebral atrophy": 0.15}
CONTRAST_OF_NORMAL = 0.25

COURSES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("subdural hematoma", "epidural hematoma", "intraparenchymal hemorrhage"), CHANGES),
    **dict.fromkeys(("subarachnoid hemorrhage", "intraventricular hemorrhage", "midline shift"), CHANGES),
    **dict.fromkeys(("hydrocephalus", "vasogenic edema", "intracranial mass", "scalp hematoma"), CHANGES),
    "cerebral atrophy": ("unchanged", "increased"),
}

# What an absent finding may be mistaken for: not denied where the other is present.
NEAR = {
    "cerebral atrophy": ("hydrocephalus",),
    "hydrocephalus": ("cerebral atrophy",),
    "vasogenic edema": ("infarct",),
    "infarct": ("vasogenic edema",),
}


def compose(index: int, seed: int) -> Scene:
    """The scene of head CT number `index`."""
    rng = aspect_rng("head_ct", index, seed, "content")
    anatomy = draw_anatomy(aspect_rng("head_ct", index, seed, "anatomy"))
    present: list[Entity] = []
    contrast = CONTRAST_OF_NORMAL
    if rng.random() < 0.76:
        side = pick_weighted(rng, SIDES)
        leading = pick_weighted(rng, LEADING)
        contrast = CONTRAST.get(leading, 0.0)
        present.append(_MAKERS[leading](leading, side, anatomy, rng))
        for name, other_side in _companions(present[0], side, rng):
            entity = _MAKERS[name](name, other_side, anatomy, rng)
            if name == "vasogenic edema" and present[0].box:
                entity = replace(entity, box=_wider(present[0].box, 0.2))
            present.append(entity)
        present += _shift(present, anatomy, rng)
    enhanced = rng.random() < contrast
    names = {entity.finding for entity in present}
    present = [with_density(entity, enhanced, not names.isdisjoint(FRESH), rng) for entity in present]
    blurred = {near for name in names for near in NEAR.get(name, ())}
    blurred |= {"infarct"} if any("chronic" in entity.attributes for entity in present) else set()
    absent = tuple(name for name in FINDINGS if name not in names and name not in blurred)
    told = followed(present, COURSES, aspect_rng("head_ct", index, seed, "course"))
    phase = "contrast-enhanced" if enhanced else "unenhanced"
    return Scene("head_ct", "CT", "axial", told, absent, index, seed, ("axial", phase))


def _companions(leading: Entity, side: str, rng: random.Random) -> list[tuple[str, str]]:
    other = "right" if side == "left" else "left"
    chances: dict[str, tuple[tuple[str, str, float], ...]] = {
        "subdural hematoma": (
            ("cerebral atrophy", side, 0.25),
            ("scalp hematoma", side, 0.25),
            ("subarachnoid hemorrhage", side, 0.15),
        ),
        "epidural hematoma": (("skull fracture", side, 0.7), ("scalp hematoma", side, 0.6)),
        "subarachnoid hemorrhage": (
            ("hydrocephalus", side, 0.3),
            ("intraventricular hemorrhage", side, 0.3),
            ("skull fracture", other, 0.1),
        ),
        "intraparenchymal hemorrhage": (
            ("intraventricular hemorrhage", side, 0.35),
            ("hydrocephalus", side, 0.15),
        ),
        "intracranial mass": (("vasogenic edema", side, 0.75), ("calcification", other, 0.08)),
        "infarct": (("cerebral atrophy", side, 0.3), ("calcification", other, 0.12)),
        "hydrocephalus": (("ventriculoperitoneal shunt", side, 0.45),),
        "cerebral atrophy": (("calcification", side, 0.15), ("infarct", side, 0.2)),
    }
    return [(name, at) for name, at, chance in chances.get(leading.finding, ()) if rng.random() < chance]


def _shift(present: list[Entity], anatomy: Anatomy, rng: random.Random) -> list[Entity]:
    """Midline shift, away from what takes up room; `side` is where the midline went."""
    millimetres = 0.0
    away = None
    for entity in present:
        push = 0.0
        if entity.finding in ("subdural hematoma", "epidural hematoma") and entity.severity != "small":
            push = (entity.size_mm or 0) * rng.uniform(0.3, 0.6)
        elif entity.finding in ("intraparenchymal hemorrhage", "intracranial mass"):
            push = max(0.0, ((entity.size_mm or 0) - 28) * 0.35)
        elif entity.finding == "infarct" and entity.severity == "large" and rng.random() < 0.5:
            push = rng.uniform(3, 7)
        if push > millimetres:
            millimetres, away = push, entity.side
    if away is None or millimetres < 3:
        return []
    size = float(round(min(millimetres, 14)))
    toward = "right" if away == "left" else "left"
    box = unit_box(anatomy.x - 0.28, anatomy.y - 0.36, anatomy.x + 0.28, anatomy.y + 0.36)
    return [Entity("midline shift", toward, None, None, size, None, box)]


def _wider(box: Box, reach: float) -> Box:
    """A square with the same middle, `reach` to each side."""
    x, y = (box[0] + box[2]) / 2 / REFERENCE_PX, (box[1] + box[3]) / 2 / REFERENCE_PX
    return unit_box(x - reach, y - reach, x + reach, y + reach)


def _around(anatomy: Anatomy, side: str, u: float, v: float, radius: float) -> Box:
    x, y = anatomy.x + sign(side) * u, anatomy.y + v
    return unit_box(x - radius, y - radius, x + radius, y + radius)


def _spot(anatomy: Anatomy, site: str, radius: float, rng: random.Random) -> tuple[float, float]:
    """A middle in the region from which `radius` stays inside the brain."""
    (u0, u1), (v0, v1) = REGIONS[site]
    u, v = rng.uniform(u0, u1), rng.uniform(v0, v1)
    return min(u, max(0.03, half_width_at(anatomy, v) - radius - 0.012)), v


def _subdural(name: str, side: str, anatomy: Anatomy, rng: random.Random) -> Entity:
    severity = pick_weighted(rng, AMOUNTS)
    size_mm = float(rng.randint(*SUBDURAL_MM[severity]))
    outer = half_width_at(anatomy, 0.0)
    xs = sorted((anatomy.x + sign(side) * outer * 0.35, anatomy.x + sign(side) * (outer + 0.01)))
    return Entity(
        name, side, None, severity, size_mm, None, unit_box(xs[0], anatomy.y - 0.3, xs[1], anatomy.y + 0.3)
    )


def _epidural(name: str, side: str, anatomy: Anatomy, rng: random.Random) -> Entity:
    site = pick_weighted(rng, EPIDURAL_SITES)
    severity = pick_weighted(rng, AMOUNTS)
    size_mm = float(rng.randint(*SUBDURAL_MM[severity]) + 4)
    v = rng.uniform(*REGIONS[site][1])
    outer = half_width_at(anatomy, v)
    xs = sorted((anatomy.x + sign(side) * (outer - size_mm / FRAME_MM), anatomy.x + sign(side) * outer))
    tall = epidural_height(size_mm)
    box = unit_box(xs[0], anatomy.y + v - tall, xs[1], anatomy.y + v + tall)
    return Entity(name, side, site.removesuffix(" lobe") + " region", severity, size_mm, None, box)


def epidural_height(size_mm: float) -> float:
    """Half the length of the lens along the skull."""
    return 0.06 + 1.1 * size_mm / FRAME_MM


def _sized(
    sites: dict[str, float], low: int, high: int
) -> Callable[[str, str, Anatomy, random.Random], Entity]:
    def make(name: str, side: str, anatomy: Anatomy, rng: random.Random) -> Entity:
        site = pick_weighted(rng, sites)
        top = min(high, 24) if site == "thalamus" else high
        size_mm = float(round(rng.triangular(low, top, low + 0.35 * (top - low))))
        radius = size_mm / FRAME_MM / 2
        u, v = _spot(anatomy, site, radius, rng)
        return Entity(name, side, site, None, size_mm, None, _around(anatomy, side, u, v, radius))

    return make


def _infarct(name: str, side: str, anatomy: Anatomy, rng: random.Random) -> Entity:
    site = pick_weighted(rng, LOBES)
    severity = pick_weighted(rng, AMOUNTS)
    radius = INFARCT_RADIUS[severity]
    u, v = _spot(anatomy, site, radius * 0.55, rng)
    return Entity(name, side, site, severity, None, None, _around(anatomy, side, u, v, radius))


def _subarachnoid(name: str, side: str, anatomy: Anatomy, rng: random.Random) -> Entity:
    side = "bilateral" if rng.random() < 0.45 else side
    c, w = anatomy.x, half_width_at(anatomy, 0.0)
    left, right = (c - w if side != "left" else c), (c + w if side != "right" else c)
    box = unit_box(left, anatomy.y - 0.37, right, anatomy.y + 0.37)
    return Entity(name, side, None, pick_weighted(rng, GRADES), None, None, box)


def _whole(name: str, _: str, anatomy: Anatomy, rng: random.Random) -> Entity:
    box = unit_box(anatomy.x - 0.28, anatomy.y - 0.35, anatomy.x + 0.28, anatomy.y + 0.35)
    return Entity(name, None, None, pick_weighted(rng, GRADES), None, None, box)


def _ventricular(name: str, _: str, anatomy: Anatomy, rng: random.Random) -> Entity:
    box = unit_box(anatomy.x - 0.16, anatomy.y + 0.02, anatomy.x + 0.16, anatomy.y + 0.22)
    return Entity(name, None, None, pick_weighted(rng, AMOUNTS), None, None, box)


def _calcification(name: str, side: str, anatomy: Anatomy, rng: random.Random) -> Entity:
    site = pick_weighted(rng, {"basal ganglia": 0.5, "frontal lobe": 0.25, "parietal lobe": 0.25})
    if site == "basal ganglia" and rng.random() < 0.6:
        box = unit_box(anatomy.x - 0.14, anatomy.y - 0.09, anatomy.x + 0.14, anatomy.y + 0.02)
        return Entity(name, "bilateral", site, None, None, None, box)
    u, v = _spot(anatomy, site, 0.02, rng)
    return Entity(name, side, site, None, None, None, _around(anatomy, side, u, v, 0.02))


def _edema(name: str, side: str, anatomy: Anatomy, rng: random.Random) -> Entity:
    return Entity(
        name, side, None, pick_weighted(rng, GRADES), None, None, _around(anatomy, side, 0.15, 0.0, 0.2)
    )


def _outside(name: str, side: str, anatomy: Anatomy, rng: random.Random) -> Entity:
    v = rng.uniform(-0.12, 0.16)
    u = half_width_at(anatomy, v) / 0.86 * (0.91 if name == "skull fracture" else 0.99)
    return Entity(name, side, None, None, None, None, _around(anatomy, side, u, v, 0.06))


def _shunt(name: str, side: str, anatomy: Anatomy, rng: random.Random) -> Entity:
    xs = sorted((anatomy.x + sign(side) * 0.02, anatomy.x + sign(side) * 0.34))
    return Entity(
        name, side, None, None, None, None, unit_box(xs[0], anatomy.y - 0.1, xs[1], anatomy.y + 0.3)
    )


_MAKERS: dict[str, Callable[[str, str, Anatomy, random.Random], Entity]] = {
    "subdural hematoma": _subdural,
    "epidural hematoma": _epidural,
    "intraparenchymal hemorrhage": _sized(BLEED_SITES, 12, 48),
    "intracranial mass": _sized(LOBES, 14, 46),
    "subarachnoid hemorrhage": _subarachnoid,
    "infarct": _infarct,
    "cerebral atrophy": _whole,
    "hydrocephalus": _whole,
    "intraventricular hemorrhage": _ventricular,
    "calcification": _calcification,
    "vasogenic edema": _edema,
    "skull fracture": _outside,
    "scalp hematoma": _outside,
    "ventriculoperitoneal shunt": _shunt,
}
