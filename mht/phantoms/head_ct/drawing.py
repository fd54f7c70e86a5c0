"""How a head CT is drawn: the healthy slice in a brain window, then each finding into it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mht.phantoms.canvas import Field, Pixels, axes, enlarge, expose, grid_side, ramp, texture
from mht.phantoms.head_ct import findings, vessels
from mht.phantoms.head_ct.anatomy import BRAIN_EDGE, FRAME_MM, SULCI, VENTRICLES, Anatomy, draw_anatomy, sign
from mht.phantoms.head_ct.slice import Slice
from mht.phantoms.scene import Entity, Scene

_WIDER = {"mild": 1.6, "moderate": 2.2, "severe": 3.0}
_SHRUNKEN = {"mild": (1.4, 1.35), "moderate": (1.75, 1.8), "severe": (2.15, 2.4)}
"""Ventricles of hydrocephalus; ventricles and sulci of atrophy. No healthy head is as wide as the mildest."""
_OWN = 0.25
"""How much of a patient's own width is left in a grade, so that no two grades look alike."""


@dataclass(frozen=True, slots=True)
class _Fluid:
    """How wide the spaces are that hold cerebrospinal fluid, and how far the midline went."""

    ventricles: float
    sulci: float
    shift: float


def paint(scene: Scene, side_px: int) -> Pixels:
    """The slice of a scene as 8-bit grey."""
    anatomy = draw_anatomy(scene.rng("anatomy"))
    cut = _head(scene, anatomy, grid_side(side_px))
    if "contrast-enhanced" in scene.attributes:
        vessels.paint(cut, scene.rng("contrast"))
    late = []
    for entity in scene.present:
        if entity.finding in findings.PAINTERS:
            findings.PAINTERS[entity.finding](cut, entity, scene.entity_rng(entity))
        elif entity.finding in findings.FULL_SIZE_PAINTERS:
            late.append(entity)
    field = enlarge(_join(cut), side_px)
    for entity in late:
        findings.FULL_SIZE_PAINTERS[entity.finding](field, anatomy, entity, scene.entity_rng(entity))
    rng = scene.rng("grain")
    field *= np.float32(255)
    return expose(field, rng.uniform(2.5, 5.5), rng)


def _found(scene: Scene, finding: str) -> Entity | None:
    return next((entity for entity in scene.present if entity.finding == finding), None)


def _fluid(scene: Scene, anatomy: Anatomy) -> _Fluid:
    wide, sulci, shift = anatomy.ventricles, anatomy.sulci, 0.0
    hydrocephalus, atrophy = _found(scene, "hydrocephalus"), _found(scene, "cerebral atrophy")
    if hydrocephalus:
        wide = _graded(_WIDER[hydrocephalus.severity or "mild"], wide, VENTRICLES)
        sulci *= 0.5
    if atrophy:
        level, of_sulci = _SHRUNKEN[atrophy.severity or "mild"]
        wide, sulci = _graded(level, wide, VENTRICLES), _graded(of_sulci, sulci, SULCI)
    moved = _found(scene, "midline shift")
    if moved:
        shift = sign(moved.side or "left") * (moved.size_mm or 0.0) / FRAME_MM
    return _Fluid(wide, sulci, shift)


def _graded(level: float, own: float, healthy: tuple[float, float]) -> float:
    """The width of a grade in a patient whose own is `own`, of the range of the healthy."""
    return level * (1 + _OWN * (2 * own / sum(healthy) - 1))


def _head(scene: Scene, anatomy: Anatomy, n: int) -> Slice:
    x, y = axes(n)
    v = y - np.float32(anatomy.y)
    flat = x - np.float32(anatomy.x)
    across = flat / (np.float32(anatomy.half_width) * (1 + np.float32(anatomy.egg) * v))
    r = np.sqrt(across * across + (v * np.float32(1 / anatomy.half_length)) ** 2)
    fluid = _fluid(scene, anatomy)
    inside = np.clip(1 - r * r * np.float32(1 / BRAIN_EDGE**2), 0, 1)
    moved = flat - np.float32(fluid.shift) * np.minimum(inside * np.float32(1.2), 1)
    rng = scene.rng("tissue")
    folds = texture(n, 24, rng)
    brain = _tissue(r, moved, v, texture(n, 9, rng))
    sulci = ramp(np.float32(0.10 + 0.16 * fluid.sulci) - np.abs(folds), 0.25) * ramp(r - 0.74, 0.14)
    sylvian = np.abs(v + 0.045 - 0.35 * (np.abs(moved) - 0.2)) - np.float32(0.004 * fluid.sulci)
    sulci = np.maximum(sulci, ramp(-sylvian, 0.008) * ramp(np.abs(moved) - 0.15, 0.02))
    fissure = ramp(np.float32(0.0022 + 0.002 * fluid.sulci) - np.abs(moved), 0.006) * ramp(
        np.abs(v) - 0.15, 0.03
    )
    sulci = np.maximum(sulci, fissure)
    ventricles = _ventricles(moved, v, fluid.ventricles)
    return Slice(anatomy, r, flat, moved, v, brain, sulci, ventricles, ramp(BRAIN_EDGE - r, 0.012))


def _tissue(r: Field, moved: Field, v: Field, mottle: Field) -> Field:
    """Grey and white matter: a bright cortex, darker white matter, bright deep nuclei."""
    u = np.abs(moved)
    cortex = ramp(r + np.float32(0.025) * mottle - 0.70, 0.10)
    brain = np.float32(0.44) + np.float32(0.085) * cortex + np.float32(0.010) * mottle
    for (cu, cv), (ru, rv) in (((0.092, -0.035), (0.034, 0.065)), ((0.047, 0.028), (0.034, 0.048))):
        du, dv = (u - np.float32(cu)) * np.float32(1 / ru), (v - np.float32(cv)) * np.float32(1 / rv)
        brain += ramp(1 - du * du - dv * dv, 0.5) * np.float32(0.065)
    return np.asarray(brain, dtype=np.float32)


def _ventricles(moved: Field, v: Field, wide: float) -> Field:
    """The lateral ventricles' frontal horns and atria, and the third ventricle."""
    u = np.abs(moved)
    parts = (
        ((0.030 + 0.006 * wide, -0.105), (0.0155 * wide, 0.058), 0.30),
        ((0.068 + 0.010 * wide, 0.110), (0.0165 * wide, 0.062), -0.42),
        ((0.0, 0.005), (0.0055 * wide, 0.032), 0.0),
    )
    out = np.zeros(np.broadcast_shapes(u.shape, v.shape), dtype=np.float32)
    for (cu, cv), (ru, rv), lean in parts:
        dv = v - np.float32(cv)
        du = (u - np.float32(cu) + np.float32(lean) * dv) * np.float32(1 / ru)
        dv = dv * np.float32(1 / rv)
        np.maximum(out, ramp(1 - du * du - dv * dv, 0.5), out=out)
    return out


def _join(cut: Slice) -> Field:
    """Scalp, skull and brain put together as a brain window shows them."""
    a, r = cut.anatomy, cut.r
    fluid = np.maximum(cut.sulci * np.float32(0.8), cut.ventricles)
    brain = cut.brain + (np.float32(0.13) - cut.brain) * fluid
    falx = ramp(0.0016 - np.abs(cut.moved), 0.004) * ramp(np.abs(cut.v) - 0.17, 0.03)
    brain += falx * np.float32(0.22)
    if cut.contrast.size > 1:
        brain += (np.float32(0.86) - brain) * cut.contrast
    brain += (cut.blood_level - brain) * cut.blood
    field = brain * cut.inside
    skull = ramp(r - BRAIN_EDGE, 0.012) * ramp(a.scalp - r, 0.012)
    field += skull * (np.float32(0.97) - cut.crack)
    scalp = ramp(r - a.scalp, 0.008) * ramp(1.0 + cut.swelling - r, 0.015)
    field += scalp * (np.float32(0.30) + np.float32(2.2) * np.minimum(cut.swelling, 0.1))
    return np.asarray(field + a.brightness * cut.inside, dtype=np.float32)
