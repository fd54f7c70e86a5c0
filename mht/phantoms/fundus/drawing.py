"""How a fundus photograph is drawn: retina, disc and macula as colour, vessels as shade, lesions as spots."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mht.phantoms.canvas import Field, Pixels, axes, ellipse, enlarge, expose, grid_side, ramp, texture
from mht.phantoms.fundus import lesions, vessels
from mht.phantoms.fundus.anatomy import DISC_RADIUS, FIELD_RADIUS, Anatomy, draw_anatomy
from mht.phantoms.fundus.content import CUP, SWELLING
from mht.phantoms.scene import Scene

Colours = NDArray[np.float32]


def paint(scene: Scene, side_px: int) -> Pixels:
    """The photograph of a scene as 8-bit RGB."""
    anatomy = draw_anatomy(scene.rng("anatomy"))
    planes = _retina(scene, anatomy, grid_side(side_px))
    field = np.stack([enlarge(plane, side_px) for plane in planes])
    field *= np.float32(255)
    lesions.paint_under(field, scene, anatomy)
    _shade(field, scene, anatomy)
    lesions.paint_over(field, scene, anatomy)
    field *= _aperture(side_px)
    rng = scene.rng("grain")
    return expose(field, rng.uniform(1.5, 3.0), rng)


def _retina(scene: Scene, a: Anatomy, n: int) -> list[Field]:
    """Brightness of red, green and blue on the grid, before vessels."""
    shown = {entity.finding: entity.severity for entity in scene.present}
    rng = scene.rng("retina")
    choroid = texture(n, 22, rng) * np.float32(a.tessellation)
    light = 1 - np.float32(0.35) * (1 - np.clip(ellipse(n, (0.5, 0.5), (0.62, 0.62)), 0, 1)) + choroid
    dark = np.clip(ellipse(n, a.macula, (0.13, 0.12)), 0, 1)
    light = light * (1 - np.float32(0.30) * dark * dark)
    glare = np.clip(ellipse(n, (a.disc[0] - a.nasal * 0.05, a.disc[1]), (0.30, 0.42)), 0, 1) * np.float32(
        a.glare
    )
    planes = [light * np.float32(base) + glare for base in (a.red, a.green, a.blue)]
    planes[1] = planes[1] * (1 - np.float32(0.22) * dark)
    _disc(planes, a, n, shown.get("optic disc cupping"), shown.get("papilledema"), scene)
    return planes


def _disc(
    planes: list[Field], a: Anatomy, n: int, cupped: str | None, swollen: str | None, scene: Scene
) -> None:
    """The optic disc with its pale cup; a swollen one is larger, blurred and without a cup."""
    swell = SWELLING.get(swollen or "", 1.0)
    radii = (DISC_RADIUS * 0.92 * swell, DISC_RADIUS * swell)
    edge = 0.22 if not swollen else 0.9
    disc = ramp(ellipse(n, a.disc, radii) + np.float32(0.25 if swollen else 0.0), edge)
    low, high = CUP[cupped]
    ratio = low + (high - low) * scene.rng("cup").random()
    cup = ramp(ellipse(n, a.disc, (radii[0] * ratio, radii[1] * ratio)), 0.35)
    pale = cup * np.float32(0.0 if swollen else 1.0)
    for plane, rim, bowl in zip(planes, (0.95, 0.66, 0.34), (1.0, 0.92, 0.70), strict=True):
        plane += (np.float32(rim) - plane) * disc * np.float32(0.92 if not swollen else 0.8)
        plane += (np.float32(bowl) - plane) * disc * pale * np.float32(0.9)


def _shade(field: Colours, scene: Scene, a: Anatomy) -> None:
    """Lay the vessels over the retina; they hide less of a swollen disc."""
    side = field.shape[1]
    tree = vessels.tree(side, a.tree)
    disc_x = a.disc[0] if a.nasal > 0 else 1 - a.disc[0]
    x = round((vessels.DISC[0] - disc_x + vessels.MARGIN) * side)
    y = round((vessels.DISC[1] - a.disc[1] + vessels.MARGIN) * side)
    part = tree[y : y + side, x : x + side]
    if a.nasal < 0:
        part = part[:, ::-1]
    for plane, depth in zip(field, (0.36, 0.62, 0.55), strict=True):
        plane *= 1 - part * np.float32(depth)


@lru_cache(maxsize=4)
def _aperture(side_px: int) -> Field:
    """The round mask of the camera with the flat cut above and below."""
    x, y = axes(side_px)
    r = np.sqrt((x - 0.5) ** 2 + (y - 0.5) ** 2)
    mask = ramp(FIELD_RADIUS - r, 0.006) * ramp(0.445 - np.abs(y - 0.5), 0.005)
    return np.asarray(mask, dtype=np.float32)
