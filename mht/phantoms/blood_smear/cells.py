"""The cells of a smear as stamps: how much light of each colour passes, 1 where there is no cell.

A stamp is float32 of shape (3, n, n). Sizes are micrometres.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mht.phantoms.blood_smear.layout import FRAME_UM
from mht.phantoms.canvas import Field, ramp, texture

Stamp = NDArray[np.float32]
Colour = tuple[float, float, float]

RED_CELL_UM = 7.4


@dataclass(frozen=True, slots=True)
class Palette:
    """What one stain takes out of red, green and blue light: in red cells, in nuclei, in platelets and parasites.

    `cytoplasm` scales what the cytoplasm of white cells takes out.
    """

    name: str
    hemoglobin: Colour
    chromatin: Colour
    granules: Colour
    parasite: Colour
    cytoplasm: Colour


PALETTES = {
    "neutral": Palette(
        "neutral",
        (0.10, 0.40, 0.37),
        (0.58, 0.76, 0.40),
        (0.42, 0.56, 0.26),
        (0.50, 0.66, 0.20),
        (1.0, 1.0, 1.0),
    ),
    "acid": Palette(
        "acid",
        (0.05, 0.33, 0.58),
        (0.82, 0.68, 0.34),
        (0.66, 0.46, 0.16),
        (0.80, 0.60, 0.10),
        (1.25, 0.9, 0.9),
    ),
}


@lru_cache(maxsize=64)
def _plane(side_px: int, extent_um: float) -> tuple[Field, Field, float]:
    """x and y in micrometres around the middle of a square stamp, and one pixel's width."""
    pixel = FRAME_UM / side_px
    n = max(4, math.ceil(extent_um / pixel))
    at = ((np.arange(n, dtype=np.float32) + 0.5) - np.float32(n / 2)) * np.float32(pixel)
    return np.asarray(at[None, :], dtype=np.float32), np.asarray(at[:, None], dtype=np.float32), pixel


def _tinted(share: Field, colour: Colour) -> Stamp:
    return 1 - share * np.asarray(colour, dtype=np.float32)[:, None, None]


def _disc(x: Field, y: Field, pixel: float, radius: float) -> Field:
    return ramp(np.float32(radius) - np.sqrt(x * x + y * y), pixel * 1.6)


@lru_cache(maxsize=4096)
def red_cell(side_px: int, size: int, pallor: int, form: int, stain: str) -> Stamp:
    """A red cell of `size` sixteenths of the usual diameter, `pallor` twelfths pale in the middle, one of six forms."""
    rng = random.Random(form)
    radius = RED_CELL_UM / 2 * size / 16
    x, y, pixel = _plane(side_px, round(radius * 2.5, 2))
    turn, squeeze = rng.uniform(0, math.pi), rng.uniform(0.9, 1.0)
    along = x * np.float32(math.cos(turn)) + y * np.float32(math.sin(turn))
    across = (y * np.float32(math.cos(turn)) - x * np.float32(math.sin(turn))) * np.float32(1 / squeeze)
    r = np.sqrt(along * along + across * across) * np.float32(1 / radius)
    dip = np.clip(1 - (r * np.float32(1 / (0.45 + 0.035 * pallor))) ** 2, 0, 1)
    body = ramp(1 - r, pixel * 1.6 / radius) * (np.float32(0.92) + 0.12 * r - dip * np.float32(pallor / 12))
    return _tinted(np.asarray(body, dtype=np.float32), PALETTES[stain].hemoglobin)


def _white_cell(
    side_px: int,
    diameter: float,
    cytoplasm: Colour,
    lobes: list[tuple[float, float, float]],
    palette: Palette,
    rng: random.Random,
) -> Stamp:
    x, y, pixel = _plane(side_px, 16.0)
    n = x.shape[1]
    mottle = texture(max(n, 64), 16, rng)[:n, :n]
    uneven = np.float32(0.25) * texture(max(n, 64), 4, rng)[:n, :n]
    cell = ramp(np.float32(diameter / 2) + uneven - np.sqrt(x * x + y * y), pixel * 2)
    nucleus = np.zeros_like(cell)
    for cx, cy, radius in lobes:
        np.maximum(nucleus, _disc(x - cx, y - cy, pixel, radius), out=nucleus)
    nucleus *= np.float32(0.95) + np.float32(0.07) * mottle
    body = cell * (np.float32(0.9) + np.float32(0.12) * mottle) * (1 - np.minimum(nucleus, 1))
    red, green, blue = (one * scale for one, scale in zip(cytoplasm, palette.cytoplasm, strict=True))
    tinted = _tinted(np.clip(body, 0, 1.2), (red, green, blue))
    return tinted * _tinted(np.clip(nucleus, 0, 1.2), palette.chromatin)


def _neutrophil(side_px: int, palette: Palette, rng: random.Random) -> Stamp:
    lobes, angle = [], rng.uniform(0, 2 * math.pi)
    for _ in range(rng.randint(3, 5)):
        lobes.append((2.5 * math.cos(angle), 2.5 * math.sin(angle), rng.uniform(1.45, 1.9)))
        middle = angle + 0.5
        lobes.append((2.5 * math.cos(middle), 2.5 * math.sin(middle), 0.55))
        angle += 1.05
    return _white_cell(side_px, rng.uniform(11.8, 13.2), (0.10, 0.24, 0.14), lobes, palette, rng)


def _eosinophil(side_px: int, palette: Palette, rng: random.Random) -> Stamp:
    angle = rng.uniform(0, 2 * math.pi)
    lobes = [(2.4 * math.cos(a), 2.4 * math.sin(a), 2.2) for a in (angle, angle + 2.2)]
    stamp = _white_cell(side_px, rng.uniform(12.2, 13.4), (0.06, 0.34, 0.36), lobes, palette, rng)
    x, y, pixel = _plane(side_px, 16.0)
    for _ in range(45):
        a, r = rng.uniform(0, 2 * math.pi), 5.6 * rng.random() ** 0.5
        cx, cy = r * math.cos(a), r * math.sin(a)
        if all((cx - lx) ** 2 + (cy - ly) ** 2 > 5.0 for lx, ly, _ in lobes):
            stamp *= _tinted(_disc(x - cx, y - cy, pixel, 0.5), (0.04, 0.42, 0.48))
    return stamp


def _lymphocyte(side_px: int, palette: Palette, rng: random.Random) -> Stamp:
    off = rng.uniform(0.3, 0.7)
    return _white_cell(side_px, rng.uniform(9.4, 10.6), (0.36, 0.24, 0.06), [(off, 0.2, 4.0)], palette, rng)


def _monocyte(side_px: int, palette: Palette, rng: random.Random) -> Stamp:
    angle = rng.uniform(0, 2 * math.pi)
    lobes = [(2.3 * math.cos(angle + a), 2.3 * math.sin(angle + a), 2.7) for a in (-1.0, -0.35, 0.35, 1.0)]
    return _white_cell(side_px, rng.uniform(14.2, 15.2), (0.26, 0.26, 0.14), lobes, palette, rng)


def _blast(side_px: int, palette: Palette, rng: random.Random) -> Stamp:
    """A large round nucleus with pale nucleoli and a thin blue rim."""
    lobes = [(rng.uniform(-0.4, 0.4), rng.uniform(-0.4, 0.4), rng.uniform(5.3, 5.8))]
    stamp = _white_cell(side_px, rng.uniform(13.4, 14.8), (0.50, 0.38, 0.06), lobes, palette, rng)
    x, y, pixel = _plane(side_px, 16.0)
    for _ in range(rng.randint(1, 3)):
        pale = _disc(x - rng.uniform(-2.8, 2.8), y - rng.uniform(-2.8, 2.8), pixel, rng.uniform(0.8, 1.2))
        stamp = stamp + (np.float32(0.78) - stamp) * pale * np.float32(0.45)
    return stamp


def _turned(side_px: int, extent: float, rng: random.Random) -> tuple[Field, Field, float]:
    x, y, pixel = _plane(side_px, extent)
    turn = rng.uniform(0, 2 * math.pi)
    cosine, sine = np.float32(math.cos(turn)), np.float32(math.sin(turn))
    return x * cosine + y * sine, y * cosine - x * sine, pixel


def _schistocyte(side_px: int, palette: Palette, rng: random.Random) -> Stamp:
    """A helmet or a triangle, without central pallor."""
    x, y, pixel = _turned(side_px, 8.4, rng)
    if rng.random() < 0.5:
        inside = np.minimum(3.3 - np.sqrt(x * x + y * y), y + np.float32(rng.uniform(0.1, 0.9)))
        bite = np.sqrt(x * x + (y + 1.6) ** 2) - 1.5
        inside = np.minimum(inside, bite)
    else:
        edges = (y + 1.6, 1.75 * x - y + 2.3, -1.75 * x - y + 2.3)
        inside = np.minimum(np.minimum(edges[0], edges[1] * 0.5), edges[2] * 0.5)
    return _tinted(ramp(inside, pixel * 2), palette.hemoglobin)


def _target(side_px: int, palette: Palette, rng: random.Random) -> Stamp:
    x, y, pixel = _plane(side_px, 9.2)
    r = np.sqrt(x * x + y * y)
    rim = ramp(3.75 - r, pixel * 1.6) * ramp(r - 2.5, 0.7)
    centre = ramp(1.25 - r, 0.7)
    floor = ramp(3.75 - r, pixel * 1.6) * np.float32(0.25)
    return _tinted(np.maximum(np.maximum(rim, centre), floor), palette.hemoglobin)


def _sickle(side_px: int, palette: Palette, rng: random.Random) -> Stamp:
    """A crescent with pointed ends."""
    x, y, pixel = _turned(side_px, 12.0, rng)
    outer = 5.2 - np.sqrt(x * x + (y - 3.2) ** 2)
    inner = np.sqrt(x * x + (y - 4.9) ** 2) - rng.uniform(4.7, 5.0)
    return _tinted(ramp(np.minimum(outer, inner), pixel * 2), palette.hemoglobin)


def _infected(side_px: int, palette: Palette, rng: random.Random) -> Stamp:
    """A red cell with a ring of parasite and its chromatin dot."""
    cell = red_cell(side_px, 16, 3, rng.randrange(6), palette.name).copy()
    x, y, pixel = _plane(side_px, round(RED_CELL_UM / 2 * 2.5, 2))
    angle = rng.uniform(0, 2 * math.pi)
    cx, cy = 1.1 * math.cos(angle), 1.1 * math.sin(angle)
    radius = rng.uniform(0.95, 1.2)
    r = np.sqrt((x - cx) ** 2 + (y - cy) ** 2)
    cell *= _tinted(ramp(0.24 - np.abs(r - radius), 0.25), palette.parasite)
    cell *= _tinted(_disc(x - cx - radius, y - cy, pixel, 0.52), palette.chromatin)
    return cell


def _platelet(side_px: int, palette: Palette, rng: random.Random) -> Stamp:
    x, y, _ = _turned(side_px, 4.2, rng)
    n = x.shape[1]
    r = np.sqrt(x * x + (y * np.float32(rng.uniform(1.0, 1.4))) ** 2)
    speckle = np.float32(0.85) + np.float32(0.2) * texture(max(n, 32), 12, rng)[:n, :n]
    return _tinted(np.clip(ramp(rng.uniform(1.15, 1.6) - r, 0.5) * speckle, 0, 1.2), palette.granules)


_DRAWERS: dict[str, Callable[[int, Palette, random.Random], Stamp]] = {
    "neutrophil": _neutrophil,
    "lymphocyte": _lymphocyte,
    "monocyte": _monocyte,
    "eosinophil": _eosinophil,
    "blast": _blast,
    "schistocyte": _schistocyte,
    "target cell": _target,
    "sickle cell": _sickle,
    "malaria parasite": _infected,
    "platelet": _platelet,
}


def draw(finding: str, side_px: int, stain: str, rng: random.Random) -> Stamp:
    """One cell of the finding's kind in a stain of PALETTES."""
    return _DRAWERS[finding](side_px, PALETTES[stain], rng)
