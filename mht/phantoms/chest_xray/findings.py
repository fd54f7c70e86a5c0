"""How each finding in the lungs, the pleura and the ribs changes the film."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np

from mht.phantoms.canvas import Field, axes, ellipse, ramp, texture
from mht.phantoms.chest_xray.anatomy import EFFUSION_LEVEL, PNEUMOTHORAX_GAP, sign
from mht.phantoms.chest_xray.film import Film
from mht.phantoms.chest_xray.nodules import paint_round
from mht.phantoms.scene import REFERENCE_PX, Entity


def _half(film: Film, side: str | None) -> Field:
    """1 on the patient's `side` of the midline, as a row; 1 everywhere for both."""
    x, _ = axes(film.lung.shape[0])
    if side == "bilateral":
        return np.ones_like(x)
    return ramp((x - np.float32(film.anatomy.centre)) * sign(side or "left"), 0.004)


def _middle(entity: Entity) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = entity.box or (0, 0, 0, 0)
    scale = 2 * REFERENCE_PX
    return (x0 + x1) / scale, (y0 + y1) / scale, (x1 - x0) / scale, (y1 - y0) / scale


def _effusion(film: Film, entity: Entity, rng: random.Random) -> None:
    """Fluid with a meniscus that climbs the chest wall and hides the diaphragm."""
    _, y = axes(film.lung.shape[0])
    level = EFFUSION_LEVEL[entity.severity or "small"] + rng.uniform(-0.012, 0.012)
    rise = 0.07 if entity.severity != "small" else 0.045
    along = np.clip(film.u / film.anatomy.half_width, 0, 1)
    line = level + 0.035 - (rise + 0.035) * along * along * along
    fluid = ramp(y - line, 0.03) * ramp(film.reach + 0.004 - film.u, 0.012) * ramp(0.90 - y, 0.05)
    fluid *= _half(film, entity.side) * ramp(film.u - 0.03, 0.02)
    film.air *= 1 - np.float32(0.96) * fluid
    film.vessels = film.vessels * (1 - fluid)
    film.haze += fluid * np.float32(0.15)


def _consolidation(film: Film, entity: Entity, rng: random.Random) -> None:
    n = film.lung.shape[0]
    x, y, rx, ry = _middle(entity)
    patch = ellipse(n, (x, y), (rx, ry)) + np.float32(0.22) * (texture(n, 22, rng) - 1)
    film.haze += np.clip(patch * np.float32(1.5), 0, 0.9) * np.float32(0.26)


def _atelectasis(film: Film, entity: Entity, rng: random.Random) -> None:
    """Plates: short, nearly level, dense lines just above the diaphragm."""
    x, y = axes(film.lung.shape[0])
    sides = ("left", "right") if entity.side == "bilateral" else (entity.side or "left",)
    for side in sides:
        for _ in range(3 if entity.severity == "moderate" else 2):
            u = rng.uniform(0.19, 0.24)
            middle_x = film.anatomy.centre + sign(side) * u
            middle_y = film.anatomy.dome[side] - rng.uniform(0.03, 0.1)
            slope = rng.uniform(-0.35, 0.35)
            away = np.abs(y - middle_y - slope * (x - middle_x))
            length = rng.uniform(0.05, 0.085)
            plate = ramp(np.float32(0.0045) - away, 0.007) * ramp(length - np.abs(x - middle_x), 0.03)
            film.haze += plate * (1 - film.cardiac) * np.float32(0.16)
        if entity.severity == "moderate":
            base = ramp(y - film.dome + 0.09, 0.12) * _half(film, side)
            film.haze += base * np.float32(0.08)


def _edema(film: Film, entity: Entity, rng: random.Random) -> None:
    """Haze that spreads from both hila, and fuller vessels."""
    n = film.lung.shape[0]
    strength = {"mild": 0.07, "moderate": 0.13, "severe": 0.2}[entity.severity or "mild"]
    wings = np.clip(ellipse(n, (film.anatomy.centre, 0.47), (0.34, 0.30)), 0, 1)
    film.haze += wings * (1 + np.float32(0.35) * texture(n, 26, rng)) * np.float32(strength)
    film.vessels = film.vessels * np.float32(1 + 4 * strength)


def _emphysema(film: Film, entity: Entity, rng: random.Random) -> None:
    """More air, fewer vessels; the flat diaphragm is drawn with the chest."""
    strength = {"mild": 0.06, "moderate": 0.12, "severe": 0.18}[entity.severity or "mild"]
    film.air *= np.float32(1 + strength)
    film.vessels = film.vessels * np.float32(1 - 3 * strength)


def _pneumothorax(film: Film, entity: Entity, rng: random.Random) -> None:
    """Air without vessels outside the pleural line of a lung that has come away from the wall."""
    _, y = axes(film.lung.shape[0])
    severity = entity.severity or "small"
    gap = PNEUMOTHORAX_GAP[severity]
    fade = {"small": 0.5, "moderate": 0.68, "large": 1.2}[severity]
    apex = film.anatomy.apex
    width = gap * np.clip((fade - y) / (fade - apex), 0, 1) ** 0.5
    edge = film.reach - width
    top = apex + gap * 0.9
    inner = np.minimum(edge - film.u, (y - top) * np.float32(1.0) + film.u * np.float32(-0.25) + 0.03)
    half = _half(film, entity.side) * ramp(film.u - 0.05, 0.01)
    outside = (1 - ramp(inner, 0.008)) * half
    film.vessels = film.vessels * (1 - outside)
    film.air *= 1 + np.float32(0.22) * outside
    line = ramp(0.003 - np.abs(inner), 0.005) * half * ramp(width, 0.01)
    film.haze += line * np.float32(0.2)
    if severity == "large":
        film.haze += (1 - outside) * half * np.float32(0.07)


def _fracture(film: Film, entity: Entity, rng: random.Random) -> None:
    """A piece of one posterior rib with a dark line through it, and a step where the ends have moved apart."""
    x, y = axes(film.lung.shape[0])
    cx, cy, _, _ = _middle(entity)
    away = (x - np.float32(cx)) * sign(entity.side or "left")
    outer = ramp(away, 0.004)
    step = np.float32(0.02 if "displaced" in entity.attributes else 0.0)
    across = np.abs(y - np.float32(cy) - np.float32(0.3) * away - step * (outer - np.float32(0.5)))
    near = ramp(0.03 - np.abs(away), 0.012)
    piece = ramp(0.0125 - across, 0.004) * near
    edge = ramp(0.0022 - np.abs(across - np.float32(0.0105)), 0.003) * near
    gap = ramp(0.0026 - np.abs(away + np.float32(0.25) * (y - np.float32(cy))), 0.003) * ramp(
        0.018 - across, 0.006
    )
    film.bones = film.bones * (1 - np.float32(0.7) * piece)
    film.dense += (piece * np.float32(0.085) + edge * np.float32(0.06)) * (1 - gap)
    film.dense -= gap * np.float32(0.13)


PAINTERS: dict[str, Callable[[Film, Entity, random.Random], None]] = {
    "pleural effusion": _effusion,
    "consolidation": _consolidation,
    "pulmonary nodule": paint_round,
    "lung mass": paint_round,
    "atelectasis": _atelectasis,
    "pulmonary edema": _edema,
    "emphysema": _emphysema,
    "pneumothorax": _pneumothorax,
    "rib fracture": _fracture,
}
