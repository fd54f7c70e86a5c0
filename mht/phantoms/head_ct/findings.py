"""How each finding changes the slice."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

import numpy as np

from mht.phantoms.canvas import Field, Strokes, ramp, texture
from mht.phantoms.head_ct.anatomy import BRAIN_EDGE, FRAME_MM, Anatomy, half_width_at, sign
from mht.phantoms.head_ct.content import INFARCT_RADIUS, epidural_height
from mht.phantoms.head_ct.slice import Slice
from mht.phantoms.scene import REFERENCE_PX, Entity

# Brightness of blood and of masses; fresh blood is as bright as `Slice` has it.
_BLOOD = {"hyperdense": None, "isodense": 0.49, "hypodense": 0.26}
_MASS = {
    "hyperdense": 0.68,
    "isodense": 0.53,
    "hypodense": 0.29,
    "enhancing": 0.76,
    "ring-enhancing": 0.80,
    "non-enhancing": 0.30,
}
_GRADE = {"mild": 0.35, "moderate": 0.6, "severe": 0.9}


def _middle(entity: Entity, anatomy: Anatomy) -> tuple[float, float]:
    """The box's middle, relative to the middle of the head."""
    x0, y0, x1, y1 = entity.box or (0, 0, 0, 0)
    return (x0 + x1) / 2 / REFERENCE_PX - anatomy.x, (y0 + y1) / 2 / REFERENCE_PX - anatomy.y


def _half(cut: Slice, side: str | None) -> Field:
    if side not in ("left", "right"):
        return np.ones_like(cut.flat)
    return ramp(cut.flat * np.float32(sign(side)) - np.float32(0.012), 0.006)


def _disc(cut: Slice, entity: Entity, radius: float, ragged: float, rng: random.Random) -> Field:
    """1 in the middle, 0 on a circle of `radius`, with an uneven edge."""
    x, y = _middle(entity, cut.anatomy)
    dx, dy = cut.flat - np.float32(x), cut.v - np.float32(y)
    uneven = texture(cut.r.shape[0], 14, rng) * np.float32(ragged)
    inside: Field = 1 - (dx * dx + dy * dy) * np.float32(1 / radius**2) + uneven
    return inside


def _level(entity: Entity, levels: Mapping[str, float | None]) -> float | None:
    """How bright the first of its attributes that is on the table makes the entity."""
    return next((levels[term] for term in entity.attributes if term in levels), None)


def _subdural(cut: Slice, entity: Entity, rng: random.Random) -> None:
    """A crescent along the skull, thickest at its middle; between fresh and old only its membrane is seen."""
    s, a = sign(entity.side or "left"), cut.anatomy
    middle = rng.uniform(-0.04, 0.04)
    along = (cut.v - np.float32(middle)) * np.float32(1 / 0.27)
    thickness = np.clip(1 - along * along, 0, 1) * np.float32((entity.size_mm or 0) / FRAME_MM)
    depth = (BRAIN_EDGE - cut.r) * np.float32(a.half_width)
    within = ramp(thickness, 0.004) * ramp(cut.flat * s - 0.03, 0.02)
    level = _level(entity, _BLOOD)
    if level is None or "isodense" not in entity.attributes:
        cut.add_blood(ramp(thickness - depth, 0.006) * within, level)
        return
    membrane = ramp(0.003 - np.abs(thickness - depth - np.float32(0.002)), 0.005)
    cut.add_blood(ramp(thickness - depth, 0.006) * within, np.float32(level) + membrane * np.float32(0.2))


def _epidural(cut: Slice, entity: Entity, rng: random.Random) -> None:
    """A lens against the skull."""
    s, a = sign(entity.side or "left"), cut.anatomy
    _, v = _middle(entity, a)
    size = (entity.size_mm or 0) / FRAME_MM
    tall = epidural_height(entity.size_mm or 0)
    edge = half_width_at(a, v)
    du = (cut.flat * s - np.float32(edge)) * np.float32(1 / size)
    dv = (cut.v - np.float32(v)) * np.float32(1 / tall)
    cut.add_blood(ramp(1 - du * du - dv * dv, 0.12))


def _parenchymal(cut: Slice, entity: Entity, rng: random.Random) -> None:
    """A clot in a rim of oedema; long after, a cavity."""
    radius = (entity.size_mm or 0) / FRAME_MM / 2
    rim = _disc(cut, entity, radius * 1.45, 0.1, rng)
    if "chronic" not in entity.attributes:
        cut.brain -= np.clip(rim * 2, 0, 1) * np.float32(0.10)
    clot = ramp(_disc(cut, entity, radius, 0.05, rng), 0.25)
    cut.add_blood(clot, _level(entity, _BLOOD))
    _displace(cut, clot)


def _displace(cut: Slice, lesion: Field) -> None:
    """No fluid where a lesion is."""
    cut.sulci = cut.sulci * (1 - lesion)
    cut.ventricles = cut.ventricles * (1 - lesion)


def _subarachnoid(cut: Slice, entity: Entity, rng: random.Random) -> None:
    """Blood in the sulci instead of fluid."""
    share = _GRADE[entity.severity or "mild"]
    patches = ramp(texture(cut.r.shape[0], 5, rng) + np.float32(2.2 * share - 0.9), 0.5)
    if entity.side == "bilateral":
        patches = np.maximum(patches, patches[:, ::-1])
    blood = np.minimum(cut.sulci * np.float32(1.4), 1) * _half(cut, entity.side) * patches
    cut.add_blood(blood * np.float32(0.55 + 0.45 * share))


def _intraventricular(cut: Slice, entity: Entity, rng: random.Random) -> None:
    """Blood that has settled in the back of the ventricles."""
    level = {"small": 0.13, "moderate": 0.08, "large": -0.02}[entity.severity or "small"]
    cut.add_blood(cut.ventricles * ramp(cut.v - level, 0.01) * np.float32(0.9))


def _infarct(cut: Slice, entity: Entity, rng: random.Random) -> None:
    """A wedge in which grey and white matter are alike: grey and swollen at first, later like fluid and shrunken."""
    chronic = "chronic" in entity.attributes
    area = _disc(cut, entity, INFARCT_RADIUS[entity.severity or "small"], 0.22, rng)
    area = ramp(area, 0.3 if chronic else 0.6) * _half(cut, entity.side)
    cut.brain += (np.float32(0.20 if chronic else 0.33) - cut.brain) * area * np.float32(0.9)
    if not chronic:
        cut.sulci = cut.sulci * (1 - np.float32(0.8) * area)


def _mass(cut: Slice, entity: Entity, rng: random.Random) -> None:
    """A lump with a sharp or a faded edge; after contrast bright as a whole, in its rim, or not at all."""
    radius = (entity.size_mm or 0) / FRAME_MM / 2
    soft = "ill-defined" in entity.attributes
    inside = _disc(cut, entity, radius, 0.16 if soft else 0.03, rng)
    body = ramp(inside - np.float32(0.2 if soft else 0.0), 1.3 if soft else 0.14)
    level = _level(entity, _MASS) or _MASS["hyperdense"]
    if cut.contrast.size > 1:
        cut.contrast = cut.contrast * (1 - body)
    cut.brain += (np.float32(level) - cut.brain) * body
    if "ring-enhancing" in entity.attributes:
        core = ramp(inside - np.float32(0.48), 0.3)
        cut.brain += (np.float32(_MASS["hypodense"]) - cut.brain) * core
    _displace(cut, body)


def _edema(cut: Slice, entity: Entity, rng: random.Random) -> None:
    """Fingers of dark white matter; the cortex is spared."""
    share = _GRADE[entity.severity or "mild"]
    near = ramp(_disc(cut, entity, 0.10 + 0.06 * share, 0.35, rng), 0.3)
    near = near * ramp(cut.flat * np.float32(sign(entity.side or "left")) - 0.03, 0.05)
    white = ramp(0.73 - cut.r, 0.06) * ramp(np.float32(0.50) - cut.brain, 0.03)
    cut.brain -= near * white * np.float32(0.13)


def _calcification(cut: Slice, entity: Entity, rng: random.Random) -> None:
    both = entity.side == "bilateral"
    for s in (-1, 1) if both else (0,):
        x, y = _middle(entity, cut.anatomy)
        x = s * 0.095 if both else x
        for _ in range(rng.randint(2, 4)):
            cx, cy = x + rng.uniform(-0.012, 0.012), y + rng.uniform(-0.012, 0.012)
            radius = rng.uniform(0.005, 0.011)
            inside = 1 - ((cut.flat - cx) ** 2 + (cut.v - cy) ** 2) * np.float32(1 / radius**2)
            share = ramp(inside, 0.8)
            cut.blood_level = np.maximum(cut.blood_level, np.minimum(share * np.float32(1.2), 0.98))
            cut.add_blood(share)


def _fracture(cut: Slice, entity: Entity, rng: random.Random) -> None:
    """A dark line through the skull."""
    s = sign(entity.side or "left")
    _, v = _middle(entity, cut.anatomy)
    lean = rng.uniform(-0.5, 0.5)
    line = np.abs(cut.v - v - lean * (cut.flat * s - half_width_at(cut.anatomy, v)))
    cut.crack = ramp(0.009 - line, 0.004) * _half(cut, entity.side) * np.float32(0.75)


def _scalp(cut: Slice, entity: Entity, rng: random.Random) -> None:
    """A bulge of the scalp."""
    _, v = _middle(entity, cut.anatomy)
    along = (cut.v - np.float32(v)) * np.float32(1 / rng.uniform(0.09, 0.14))
    bulge = np.clip(1 - along * along, 0, 1) * np.float32(rng.uniform(0.055, 0.085))
    cut.swelling = bulge * _half(cut, entity.side)


def _shunt(field: Field, anatomy: Anatomy, entity: Entity, rng: random.Random) -> None:
    """A bright catheter from behind into the lateral ventricle."""
    s = sign(entity.side or "right")
    strokes = Strokes(field.shape[0])
    start = (anatomy.x + s * 0.265, anatomy.y + 0.215)
    end = (anatomy.x + s * 0.045, anatomy.y - rng.uniform(0.04, 0.08))
    strokes.line([start, (anatomy.x + s * 0.1, anatomy.y + 0.08), end], 0.009)
    strokes.dot(start, 0.014)
    strokes.onto(field, 0.95)


PAINTERS: dict[str, Callable[[Slice, Entity, random.Random], None]] = {
    "subdural hematoma": _subdural,
    "epidural hematoma": _epidural,
    "intraparenchymal hemorrhage": _parenchymal,
    "subarachnoid hemorrhage": _subarachnoid,
    "intraventricular hemorrhage": _intraventricular,
    "infarct": _infarct,
    "intracranial mass": _mass,
    "vasogenic edema": _edema,
    "calcification": _calcification,
    "skull fracture": _fracture,
    "scalp hematoma": _scalp,
}
FULL_SIZE_PAINTERS: dict[str, Callable[[Field, Anatomy, Entity, random.Random], None]] = {
    "ventriculoperitoneal shunt": _shunt
}
