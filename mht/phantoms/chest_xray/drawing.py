"""How a chest film is drawn: the healthy chest, then each finding over it."""

from __future__ import annotations

import random
from functools import lru_cache

import numpy as np

from mht.phantoms.canvas import (
    Field,
    Pixels,
    Strokes,
    axes,
    ellipse,
    enlarge,
    expose,
    grid_side,
    ramp,
    texture,
)
from mht.phantoms.chest_xray import devices, findings
from mht.phantoms.chest_xray.anatomy import Anatomy, draw_anatomy, heart, wall
from mht.phantoms.chest_xray.content import rib_bend
from mht.phantoms.chest_xray.film import Film
from mht.phantoms.chest_xray.vessels import markings
from mht.phantoms.scene import Scene


def paint(scene: Scene, side_px: int) -> Pixels:
    """The film of a scene as 8-bit grey."""
    anatomy = draw_anatomy(scene.rng("anatomy"))
    film = _chest(scene, anatomy, grid_side(side_px))
    for entity in scene.present:
        if entity.finding in findings.PAINTERS:
            findings.PAINTERS[entity.finding](film, entity, scene.entity_rng(entity))
    field = enlarge(_develop(film), side_px)
    for entity in scene.present:
        if entity.finding in devices.PAINTERS:
            devices.PAINTERS[entity.finding](field, anatomy, entity, scene.entity_rng(entity))
    if anatomy.marker:
        _marker(field, side_px)
    rng = scene.rng("grain")
    field *= np.float32(255)
    return expose(field, rng.uniform(1.5, 4.0), rng)


def _chest(scene: Scene, anatomy: Anatomy, n: int) -> Film:
    x, y = axes(n)
    u = np.abs(x - np.float32(anatomy.centre))
    reach = wall(anatomy, n)
    dome = _domes(scene, anatomy, n)
    lung = ramp(reach - u, 0.016) * ramp(dome - y, 0.012) * ramp(u - 0.045, 0.03)
    severity = next((e.severity for e in scene.present if e.finding == "cardiomegaly"), None)
    h = heart(anatomy, severity)
    cardiac = ramp(ellipse(n, (h.x, h.y), (h.long, h.short), (h.cosine, h.sine)), 0.16)
    rng = scene.rng("markings")
    return Film(
        anatomy,
        u,
        reach,
        dome,
        lung,
        cardiac,
        _soft_tissue(anatomy, n, rng),
        markings(n, rng),
        _bones(anatomy, n),
    )


def _domes(scene: Scene, anatomy: Anatomy, n: int) -> Field:
    """The height of the diaphragm, a row over x; hyperinflation flattens and lowers it."""
    x, _ = axes(n)
    flat = {"mild": 0.25, "moderate": 0.55, "severe": 0.85}
    emphysema = next((flat[e.severity or "mild"] for e in scene.present if e.finding == "emphysema"), 0.0)
    offset = x - np.float32(anatomy.centre)
    u = np.abs(offset)
    leftness = ramp(offset, 0.14)
    side = anatomy.dome["right"] + (anatomy.dome["left"] - anatomy.dome["right"]) * leftness
    away = (u - 0.16) / 0.2
    bend = 0.11 * np.clip(away, 0, 2) ** 2 + 0.035 * np.clip(-away, 0, 1) ** 2
    return np.asarray(side + emphysema * 0.06 + bend * (1 - 0.55 * emphysema), dtype=np.float32)


@lru_cache(maxsize=4)
def _shoulders(n: int) -> Field:
    _, y = axes(n)
    slope = np.clip((y - 0.045) / 0.16, 0, 1)
    return np.asarray(0.112 + 0.345 * slope**0.62 + 0.03 * np.clip(y - 0.09, 0, 0.6), dtype=np.float32)


def _soft_tissue(anatomy: Anatomy, n: int, rng: random.Random) -> Field:
    """Trunk and breasts, which are smooth enough for half the grid."""
    half = max(1, n // 2)
    tissue = _body(anatomy, half, rng)
    if anatomy.breasts:
        tissue += _breasts(anatomy, half)
    return enlarge(tissue, n)


def _body(anatomy: Anatomy, n: int, rng: random.Random) -> Field:
    """Soft tissue: the trunk's outline, thinner towards the flank, with shoulder blades and upper arms."""
    x, y = axes(n)
    u = np.abs(x - np.float32(anatomy.centre))
    width = _shoulders(n) * np.float32(anatomy.half_width / 0.37)
    thick = np.float32(0.40) + np.float32(0.10) * ramp(anatomy.half_width + 0.05 - u, 0.12)
    body = ramp(width - u, 0.035) * thick
    flank = ramp(u - (anatomy.half_width + 0.05 + 0.03 * y), 0.035) * ramp(y - 0.4, 0.12)
    body *= 1 - np.float32(0.45) * flank
    body += np.float32(0.012) * texture(n, 7, rng)
    blade = np.abs(u - (np.float32(anatomy.half_width - 0.035) - 0.25 * (y - 0.3)))
    border = ramp(0.004 - blade, 0.008) * ramp(y - 0.22, 0.06) * ramp(0.5 - y, 0.1)
    inside = ramp(u - (anatomy.half_width - 0.035 - 0.25 * (y - 0.3)), 0.01) * ramp(
        0.5 - 0.4 * (u - 0.3) - y, 0.06
    )
    body += border * np.float32(0.03) + inside * ramp(y - 0.2, 0.05) * np.float32(0.03)
    for mirror in (-1, 1):
        head = ellipse(n, (anatomy.centre + mirror * (anatomy.half_width + 0.06), 0.215), (0.06, 0.055))
        body += ramp(head, 0.45) * np.float32(0.07) * ramp(width - u, 0.02)
    return np.asarray(body, dtype=np.float32)


@lru_cache(maxsize=1)
def _rib_profiles() -> tuple[Field, Field]:
    """Brightness across one rib spacing, behind and in front: a plate with bright cortical edges."""
    t = np.linspace(-0.5, 0.5, 256, endpoint=False)
    plate = np.clip((0.24 - np.abs(t)) / 0.05, 0, 1)
    edge = np.clip(1 - np.abs(np.abs(t) - 0.2) / 0.05, 0, 1)
    lower = np.clip(1 - np.abs(t - 0.2) / 0.05, 0, 1)
    return (
        np.asarray(0.55 * plate + 0.3 * edge + 0.2 * lower, dtype=np.float32),
        np.asarray(0.5 * plate + 0.2 * edge, dtype=np.float32),
    )


def _bones(anatomy: Anatomy, n: int) -> Field:
    x, y = axes(n)
    u = np.abs(x - np.float32(anatomy.centre))
    behind, front = _rib_profiles()
    start = anatomy.apex + 0.01 + (anatomy.rib_offset * 0.5 - 0.5) * anatomy.rib_spacing
    bend = np.asarray(rib_bend(0.0) - 0.10 * u + 1.05 * u * u, dtype=np.float32)
    phase = (y - start - bend) * np.float32(256 / anatomy.rib_spacing)
    bones = behind.take(phase.astype(np.int32) & 255) * ramp(u - 0.035, 0.03)
    phase = (y - start + 0.55 * u - 0.03) * np.float32(256 / anatomy.rib_spacing / 1.12)
    cartilage = ramp(u - 0.13 - 0.1 * (y - 0.3), 0.06) * ramp(y - 0.2, 0.05)
    bones += front.take(phase.astype(np.int32) & 255) * cartilage * np.float32(0.8)
    bones *= ramp(wall(anatomy, n) + 0.012 - u, 0.02) * ramp(0.93 - y, 0.1)
    return np.asarray(bones, dtype=np.float32)


@lru_cache(maxsize=1)
def _vertebra() -> Field:
    t = np.linspace(0, 1, 256, endpoint=False)
    return np.asarray(1 - 0.45 * np.clip((0.12 - np.minimum(t, 1 - t)) / 0.06, 0, 1), dtype=np.float32)


def _develop(film: Film) -> Field:
    """Add up what stopped the beam and turn it to brightness; a shoulder keeps the densest parts below white."""
    a, n = film.anatomy, film.lung.shape[0]
    x, y = axes(n)
    u = film.u
    pedicle = ramp(0.062 + 0.03 * ramp(y - 0.38, 0.2) - u, 0.03) * ramp(y - 0.16, 0.14)
    knob = ramp(ellipse(n, (a.centre + 0.056, 0.30), (0.040, 0.046)), 0.6)
    middle = np.maximum(np.maximum(film.cardiac, pedicle), knob)
    above = ramp(film.dome - y, 0.012)
    lung = film.lung * (1 - np.float32(0.95) * middle)
    field = film.body + np.float32(0.13) * middle * above
    field += (1 - above) * ramp(film.reach + 0.03 - u, 0.06) * np.float32(0.17)
    field -= lung * (np.float32(0.315) + np.float32(0.06) * (y - 0.35)) * film.air
    field += film.vessels * lung * np.float32(0.13)
    field += film.haze * lung
    field += film.bones * (np.float32(0.018) + np.float32(0.052) * lung)
    spine = ramp(0.045 - u, 0.02) * _vertebra().take((y * 256 * 15).astype(np.int32) & 255)
    field += spine * (np.float32(0.075) - np.float32(0.035) * film.cardiac)
    trachea = ramp(0.02 - np.abs(x - a.centre - 0.006), 0.014) * ramp(0.335 - y, 0.03)
    field -= trachea * np.float32(0.11)
    bubble = ellipse(n, (a.centre + 0.17, a.dome["left"] + 0.055), (0.05, 0.028))
    field -= ramp(bubble, 0.7) * np.float32(0.10) * (1 - above)
    field += film.dense
    _clavicles(field, a)
    field = (field - 0.06 + a.exposure * 0.6) * np.float32(1.7 * a.contrast)
    np.maximum(field, 0, out=field)
    return np.asarray(field / (1 + np.float32(0.28) * field * field), dtype=np.float32)


def _clavicles(field: Field, anatomy: Anatomy) -> None:
    """Both collar bones, in the rows that hold them."""
    n = field.shape[0]
    rows = slice(int(n * 0.08), int(n * 0.34) + 1)
    x, y = axes(n)
    y = y[rows]
    u = np.abs(x - np.float32(anatomy.centre))
    t = np.clip(u / 0.36, 0, 1)
    mid = np.float32(anatomy.apex + 0.10) - 0.17 * u + 0.16 * t * (t - 0.5) * (1 - t) * 4
    across = np.abs(y - mid)
    band = ramp(0.013 - across, 0.008) * np.float32(0.07)
    band += ramp(0.003 - np.abs(across - 0.011), 0.005) * np.float32(0.04)
    field[rows] += band * (ramp(u - 0.035, 0.02) * ramp(0.36 - u, 0.05))


def _breasts(anatomy: Anatomy, n: int) -> Field:
    left = ellipse(n, (anatomy.centre - 0.22, 0.6), (0.15, 0.145))
    right = ellipse(n, (anatomy.centre + 0.22, 0.6), (0.15, 0.145))
    shade = np.clip(left, 0, 0.5) + np.clip(right, 0, 0.5)
    _, y = axes(n)
    return np.asarray(shade * ramp(y - 0.56, 0.2) * np.float32(0.16), dtype=np.float32)


def _marker(field: Field, side_px: int) -> None:
    """The technologist's letter L on the patient's left."""
    strokes = Strokes(side_px)
    strokes.line([(0.925, 0.06), (0.925, 0.10), (0.95, 0.10)], 0.009)
    strokes.onto(field, 0.9)
