"""The chest without findings: proportions of one patient, and where each finding lies in it.

Lengths are fractions of the frame, which is 380 mm wide; y grows downwards; `u` is the distance from the
midline. The patient's left is on the image's right.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mht.phantoms.canvas import Field, axes

FRAME_MM = 380.0

# u and y of the middle of each region of a lung
REGIONS: dict[tuple[str, str], tuple[tuple[float, float], tuple[float, float]]] = {
    ("right", "upper lobe"): ((0.13, 0.23), (0.23, 0.37)),
    ("right", "middle lobe"): ((0.17, 0.26), (0.49, 0.57)),
    ("right", "lower lobe"): ((0.17, 0.27), (0.60, 0.66)),
    ("left", "upper lobe"): ((0.14, 0.23), (0.23, 0.38)),
    ("left", "lingula"): ((0.24, 0.28), (0.49, 0.55)),
    ("left", "lower lobe"): ((0.25, 0.29), (0.62, 0.67)),
}
EFFUSION_LEVEL = {"small": 0.735, "moderate": 0.60, "large": 0.36}
PNEUMOTHORAX_GAP = {"small": 0.045, "moderate": 0.09, "large": 0.16}
HEART_RATIO = {None: (0.41, 0.47), "mild": (0.53, 0.56), "moderate": (0.59, 0.63), "severe": (0.67, 0.73)}


@dataclass(frozen=True, slots=True)
class Anatomy:
    """One patient's chest and one exposure."""

    centre: float
    apex: float
    base: float
    half_width: float
    dome: dict[str, float]
    heart_roll: float
    tilt: float
    rib_offset: float
    rib_spacing: float
    exposure: float
    contrast: float
    breasts: bool
    marker: bool


def draw_anatomy(rng: random.Random) -> Anatomy:
    """A patient at random."""
    dome_right = rng.uniform(0.66, 0.70)
    return Anatomy(
        centre=rng.uniform(0.485, 0.515),
        apex=rng.uniform(0.11, 0.14),
        base=rng.uniform(0.815, 0.845),
        half_width=rng.uniform(0.345, 0.385),
        dome={"right": dome_right, "left": dome_right + rng.uniform(0.015, 0.035)},
        heart_roll=rng.random(),
        tilt=rng.uniform(0.42, 0.62),
        rib_offset=rng.random(),
        rib_spacing=rng.uniform(0.073, 0.082),
        exposure=rng.uniform(-0.05, 0.05),
        contrast=rng.uniform(0.92, 1.08),
        breasts=rng.random() < 0.45,
        marker=rng.random() < 0.8,
    )


def sign(side: str) -> int:
    """+1 towards the image's right, which is the patient's left."""
    return 1 if side == "left" else -1


@lru_cache(maxsize=8)
def _wall_shape(side: int) -> Field:
    t = np.clip((axes(side)[1] - 0.12) / (0.83 - 0.12), 0.0, 1.06)
    return np.asarray((1 - np.abs(1 - t) ** 2.6) ** 0.6 * (0.93 + 0.07 * t), dtype=np.float32)


def wall(anatomy: Anatomy, side: int) -> Field:
    """How far from the midline the lung reaches, a column over y."""
    shift = round((anatomy.apex - 0.12) * side)
    rows = np.clip(np.arange(side) - shift, 0, side - 1)
    return np.asarray(_wall_shape(side)[rows] * np.float32(anatomy.half_width))


def wall_at(anatomy: Anatomy, y: float) -> float:
    """The same at one height."""
    return float(wall(anatomy, 128)[min(127, int(y * 128)), 0])


def heart_ratio(anatomy: Anatomy, severity: str | None) -> float:
    """The heart's width over the chest's."""
    low, high = HEART_RATIO[severity]
    return low + (high - low) * anatomy.heart_roll


@dataclass(frozen=True, slots=True)
class Heart:
    """The cardiac ellipse: its middle, its half axes and the cosine and sine of its long axis."""

    x: float
    y: float
    long: float
    short: float
    cosine: float
    sine: float


def heart(anatomy: Anatomy, severity: str | None) -> Heart:
    """The heart whose width is the wanted share of the chest's."""
    half = heart_ratio(anatomy, severity) * anatomy.half_width
    sine = anatomy.tilt
    cosine = float((1 - sine * sine) ** 0.5)
    short = min(0.155 + 0.25 * max(0.0, half - 0.16), half * 0.92)
    long = ((half**2 - (short * sine) ** 2) ** 0.5) / cosine
    lowest = (long**2 * sine**2 + short**2 * cosine**2) ** 0.5
    dome = (anatomy.dome["right"] + anatomy.dome["left"]) / 2
    return Heart(anatomy.centre + half * 0.34, dome + 0.055 - lowest, long, short, cosine, sine)
