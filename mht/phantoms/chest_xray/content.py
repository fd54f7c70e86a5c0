"""What a chest film can show, how often, together with what, and where."""

from __future__ import annotations

import random
from collections.abc import Callable

from mht.phantoms.chest_xray.anatomy import (
    EFFUSION_LEVEL,
    FRAME_MM,
    PNEUMOTHORAX_GAP,
    REGIONS,
    Anatomy,
    draw_anatomy,
    heart,
    sign,
    wall_at,
)
from mht.phantoms.scene import CHANGES, Box, Entity, Scene, aspect_rng, followed, pick_weighted, unit_box

# The leading finding of an abnormal film; the weights fall off as in a reading room.
LEADING = {
    "pleural effusion": 0.22,
    "cardiomegaly": 0.17,
    "consolidation": 0.14,
    "atelectasis": 0.11,
    "pulmonary edema": 0.08,
    "pneumothorax": 0.08,
    "pulmonary nodule": 0.07,
    "emphysema": 0.05,
    "lung mass": 0.05,
    "rib fracture": 0.03,
}
DEVICES = (
    "central venous catheter",
    "endotracheal tube",
    "nasogastric tube",
    "pacemaker",
    "sternotomy wires",
    "chest tube",
)
FINDINGS = (*LEADING, *DEVICES)

SIDES = {"right": 0.5, "left": 0.5}
AMOUNTS = {"small": 0.55, "moderate": 0.32, "large": 0.13}
GRADES = {"mild": 0.55, "moderate": 0.31, "severe": 0.14}
RIGHT_LOBES = {"lower lobe": 0.45, "upper lobe": 0.35, "middle lobe": 0.2}
LEFT_LOBES = {"lower lobe": 0.47, "upper lobe": 0.38, "lingula": 0.15}

# With the first, the second comes along with this chance; the same side where both have one.
COMPANIONS: dict[str, tuple[tuple[str, float], ...]] = {
    "pleural effusion": (("atelectasis", 0.45), ("cardiomegaly", 0.2)),
    "cardiomegaly": (("pulmonary edema", 0.22), ("pleural effusion", 0.28)),
    "pulmonary edema": (("cardiomegaly", 0.55), ("pleural effusion", 0.45)),
    "consolidation": (("pleural effusion", 0.22), ("atelectasis", 0.12)),
    "pneumothorax": (("rib fracture", 0.25), ("emphysema", 0.12)),
    "rib fracture": (("pneumothorax", 0.3), ("pleural effusion", 0.15)),
    "emphysema": (("pulmonary nodule", 0.15),),
    "lung mass": (("pulmonary nodule", 0.2), ("pleural effusion", 0.25)),
    "atelectasis": (("pleural effusion", 0.2),),
}
INTENSIVE_CARE = {"central venous catheter": 0.7, "endotracheal tube": 0.55, "nasogastric tube": 0.5}
ONE_SIDED = {
    "pneumothorax",
    "pulmonary nodule",
    "lung mass",
    "rib fracture",
    "consolidation",
    "pacemaker",
    "central venous catheter",
    "chest tube",
}
# Said to be absent, these would blur the line to what is there.
NEAR = {
    "pulmonary nodule": ("lung mass",),
    "lung mass": ("pulmonary nodule", "consolidation"),
    "consolidation": ("lung mass", "pulmonary nodule"),
}
# What an earlier film may be compared for.
COURSES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("pleural effusion", "consolidation", "atelectasis", "pulmonary edema"), CHANGES),
    **dict.fromkeys(("pneumothorax", "pulmonary nodule", "lung mass"), CHANGES),
    "cardiomegaly": ("unchanged", "unchanged", "increased"),
}
NODULES = {"1": 0.74, "2": 0.12, "3": 0.09, "4": 0.05}
# Half the side of the square that holds several nodules, in radii of one.
GROUP_RADII = {1: 1.0, 2: 2.7, 3: 3.0, 4: 3.2}
# The least diameters on which a margin, a contour and calcium can be told.
MARGIN_MM, CONTOUR_MM, CALCIUM_MM = 11, 14, 8


def compose(index: int, seed: int) -> Scene:
    """The scene of chest film number `index`."""
    rng = aspect_rng("chest_xray", index, seed, "content")
    anatomy = draw_anatomy(aspect_rng("chest_xray", index, seed, "anatomy"))
    intensive = rng.random() < 0.2
    names = _names(rng, intensive)
    side = pick_weighted(rng, SIDES)
    present = tuple(_entity(name, side, anatomy, rng) for name in names)
    blurred = {near for name in names for near in NEAR.get(name, ())}
    absent = tuple(name for name in FINDINGS if name not in names and name not in blurred)
    view = "AP" if intensive else rng.choice(("PA", "PA", "PA", "AP"))
    present = followed(present, COURSES, aspect_rng("chest_xray", index, seed, "course"))
    return Scene("chest_xray", "x-ray", view, present, absent, index, seed, (view,))


def _names(rng: random.Random, intensive: bool) -> list[str]:
    names: list[str] = []
    if intensive or rng.random() < 0.72:
        names.append(pick_weighted(rng, LEADING))
        for name, chance in COMPANIONS.get(names[0], ()):
            if rng.random() < chance:
                names.append(name)
        if rng.random() < 0.15:
            extra = pick_weighted(rng, LEADING)
            names += [extra] if extra not in names else []
    if intensive:
        names += [device for device, chance in INTENSIVE_CARE.items() if rng.random() < chance]
    if "pneumothorax" in names and rng.random() < 0.3:
        names.append("chest tube")
    heart_trouble = "cardiomegaly" in names
    if rng.random() < (0.25 if heart_trouble else 0.04):
        names.append("pacemaker")
    if rng.random() < (0.25 if heart_trouble else 0.04):
        names.append("sternotomy wires")
    return names


def _entity(name: str, side: str, anatomy: Anatomy, rng: random.Random) -> Entity:
    """One finding with its particulars; one-sided findings of a film share the side more often than not."""
    if name == "pacemaker":
        side = "left" if rng.random() < 0.9 else "right"
    elif name == "central venous catheter":
        side = "right" if rng.random() < 0.75 else "left"
    elif name not in ("chest tube", "rib fracture") and rng.random() < 0.15:
        side = pick_weighted(rng, SIDES)
    return _MAKERS[name](name, side, anatomy, rng)


def _span(side: str | None, anatomy: Anatomy, outer: float, top: float, bottom: float) -> Box:
    """A box over one half of the chest, or over both."""
    c = anatomy.centre
    left = c - outer if side in ("right", "bilateral") else c
    right = c + outer if side in ("left", "bilateral") else c
    return unit_box(left, top, right, bottom)


def _effusion(name: str, side: str, anatomy: Anatomy, rng: random.Random) -> Entity:
    side = "bilateral" if rng.random() < 0.3 else side
    severity = pick_weighted(
        rng, AMOUNTS if side != "bilateral" else {"small": 0.7, "moderate": 0.27, "large": 0.03}
    )
    box = _span(side, anatomy, anatomy.half_width * 1.02, EFFUSION_LEVEL[severity] - 0.09, 0.90)
    return Entity(name, side, None, severity, box=box)


def _heart(name: str, _: str, anatomy: Anatomy, rng: random.Random) -> Entity:
    severity = pick_weighted(rng, GRADES)
    h = heart(anatomy, severity)
    wide = (h.long**2 * h.cosine**2 + h.short**2 * h.sine**2) ** 0.5
    tall = (h.long**2 * h.sine**2 + h.short**2 * h.cosine**2) ** 0.5
    return Entity(name, None, None, severity, box=unit_box(h.x - wide, h.y - tall, h.x + wide, h.y + tall))


def _lobe_point(
    side: str, site: str, anatomy: Anatomy, rng: random.Random, radius: float
) -> tuple[float, float]:
    (u0, u1), (y0, y1) = REGIONS[side, site]
    y = rng.uniform(y0, y1)
    u = min(rng.uniform(u0, u1), wall_at(anatomy, y) - radius - 0.012)
    return anatomy.centre + sign(side) * u, y


def _patch(name: str, side: str, anatomy: Anatomy, rng: random.Random) -> Entity:
    site = pick_weighted(rng, RIGHT_LOBES if side == "right" else LEFT_LOBES)
    severity = pick_weighted(rng, GRADES)
    radius = {"mild": 0.055, "moderate": 0.075, "severe": 0.1}[severity]
    x, y = _lobe_point(side, site, anatomy, rng, radius * 0.6)
    return Entity(name, side, site, severity, box=unit_box(x - radius, y - radius, x + radius, y + radius))


def _round(low_mm: int, high_mm: int) -> Callable[[str, str, Anatomy, random.Random], Entity]:
    def make(name: str, side: str, anatomy: Anatomy, rng: random.Random) -> Entity:
        site = pick_weighted(rng, RIGHT_LOBES if side == "right" else LEFT_LOBES)
        size_mm = float(round(rng.triangular(low_mm, high_mm, low_mm + 0.3 * (high_mm - low_mm))))
        count = int(pick_weighted(rng, NODULES)) if name == "pulmonary nodule" else 1
        if count > 1:
            size_mm = float(rng.randint(6, 12))
        reach = size_mm / FRAME_MM / 2 * GROUP_RADII[count]
        x, y = _lobe_point(side, site, anatomy, rng, reach)
        box = unit_box(x - reach, y - reach, x + reach, y + reach)
        return Entity(name, side, site, None, size_mm, count, box, _look(name, size_mm, rng))

    return make


def _look(name: str, size_mm: float, rng: random.Random) -> tuple[str, ...]:
    """Margin, contour and calcium of something round, as far as its size lets them be seen."""
    out: list[str] = []
    spiculated = rng.random() < 0.45
    if size_mm >= MARGIN_MM:
        out.append("well-defined" if rng.random() < (0.35 if spiculated else 0.6) else "ill-defined")
    if size_mm >= CONTOUR_MM:
        out.append("spiculated" if spiculated else "smooth")
    if name == "pulmonary nodule" and size_mm >= CALCIUM_MM:
        calcified = rng.random() < (0.1 if "spiculated" in out else 0.45)
        out.append("calcified" if calcified else "non-calcified")
    return tuple(out)


def _atelectasis(name: str, side: str, anatomy: Anatomy, rng: random.Random) -> Entity:
    side = "bilateral" if rng.random() < 0.3 else side
    severity = "mild" if rng.random() < 0.75 else "moderate"
    box = _span(side, anatomy, anatomy.half_width * 0.95, 0.56, anatomy.dome["left"] + 0.04)
    return Entity(name, side, "base", severity, box=box, attributes=("linear",))


def _both(name: str, _: str, anatomy: Anatomy, rng: random.Random) -> Entity:
    severity = pick_weighted(rng, GRADES)
    box = _span("bilateral", anatomy, anatomy.half_width, anatomy.apex, anatomy.base)
    return Entity(name, "bilateral", None, severity, box=box)


def _pneumothorax(name: str, side: str, anatomy: Anatomy, rng: random.Random) -> Entity:
    severity = pick_weighted(rng, AMOUNTS)
    size_mm = float(round(PNEUMOTHORAX_GAP[severity] * FRAME_MM))
    bottom = {"small": 0.5, "moderate": 0.68, "large": anatomy.base}[severity]
    box = _span(side, anatomy, anatomy.half_width, anatomy.apex - 0.01, bottom)
    return Entity(name, side, "apex" if severity == "small" else None, severity, size_mm, box=box)


def _fracture(name: str, side: str, anatomy: Anatomy, rng: random.Random) -> Entity:
    rib = rng.randint(3, 8)
    u = rng.uniform(0.19, 0.26)
    x, y = anatomy.centre + sign(side) * u, rib_y(anatomy, rib, u)
    box = unit_box(x - 0.03, y - 0.03, x + 0.03, y + 0.03)
    displacement = rng.choice(("displaced", "non-displaced"))
    return Entity(name, side, f"{ORDINALS[rib]} rib", None, None, 1, box, (displacement,))


ORDINALS = {3: "third", 4: "fourth", 5: "fifth", 6: "sixth", 7: "seventh", 8: "eighth"}


def rib_y(anatomy: Anatomy, rib: int, u: float) -> float:
    """The height of the middle of a posterior rib at a distance from the midline."""
    return anatomy.apex + 0.01 + (rib - 2 + anatomy.rib_offset * 0.5) * anatomy.rib_spacing + rib_bend(u)


def rib_bend(u: float) -> float:
    """How far below its head a posterior rib lies at `u`."""
    return -0.10 * u + 1.05 * u * u


def _device(side_of: bool, top: float, bottom: float, inner: float, outer: float) -> Callable[..., Entity]:
    def make(name: str, side: str, anatomy: Anatomy, rng: random.Random) -> Entity:
        c, s = anatomy.centre, sign(side) if side_of else 1
        x0, x1 = sorted((c + s * inner, c + s * outer))
        return Entity(name, side if side_of else None, box=unit_box(x0, top, x1, bottom))

    return make


_MAKERS: dict[str, Callable[[str, str, Anatomy, random.Random], Entity]] = {
    "pleural effusion": _effusion,
    "cardiomegaly": _heart,
    "consolidation": _patch,
    "atelectasis": _atelectasis,
    "pulmonary edema": _both,
    "pneumothorax": _pneumothorax,
    "pulmonary nodule": _round(6, 28),
    "emphysema": _both,
    "lung mass": _round(32, 65),
    "rib fracture": _fracture,
    "central venous catheter": _device(True, 0.0, 0.56, -0.09, 0.26),
    "endotracheal tube": _device(False, 0.0, 0.32, -0.03, 0.03),
    "nasogastric tube": _device(False, 0.0, 0.86, -0.06, 0.2),
    "pacemaker": _device(True, 0.1, 0.74, -0.14, 0.32),
    "sternotomy wires": _device(False, 0.26, 0.72, -0.03, 0.03),
    "chest tube": _device(True, 0.2, 0.74, 0.05, 0.47),
}
