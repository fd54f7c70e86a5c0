"""The head without findings: the proportions of one patient at the level of the lateral ventricles.

Lengths are fractions of the frame, which is 240 mm wide; the forehead is up and the patient's left is on the
image's right. `u` is the distance from the midline, `v` the distance behind the middle of the head.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

FRAME_MM = 240.0
BRAIN_EDGE = 0.86
VENTRICLES, SULCI = (0.8, 1.15), (0.5, 1.0)
"""From the narrowest to the widest that is healthy."""

# u and v of the middle of each region
REGIONS: dict[str, tuple[tuple[float, float], tuple[float, float]]] = {
    "frontal lobe": ((0.09, 0.14), (-0.22, -0.17)),
    "temporal lobe": ((0.185, 0.205), (-0.04, 0.03)),
    "parietal lobe": ((0.16, 0.19), (0.10, 0.16)),
    "occipital lobe": ((0.07, 0.11), (0.24, 0.27)),
    "basal ganglia": ((0.095, 0.11), (-0.05, -0.02)),
    "thalamus": ((0.045, 0.055), (0.02, 0.035)),
}


@dataclass(frozen=True, slots=True)
class Anatomy:
    """One patient's head and one exposure."""

    x: float
    y: float
    half_width: float
    half_length: float
    egg: float
    ventricles: float
    sulci: float
    brightness: float
    scalp: float


def draw_anatomy(rng: random.Random) -> Anatomy:
    """A patient at random."""
    return Anatomy(
        x=rng.uniform(0.49, 0.51),
        y=rng.uniform(0.49, 0.51),
        half_width=rng.uniform(0.315, 0.345),
        half_length=rng.uniform(0.385, 0.42),
        egg=rng.uniform(0.10, 0.24),
        ventricles=rng.uniform(*VENTRICLES),
        sulci=rng.uniform(*SULCI),
        brightness=rng.uniform(-0.03, 0.03),
        scalp=rng.uniform(0.93, 0.955),
    )


def sign(side: str) -> int:
    """+1 towards the image's right, which is the patient's left."""
    return 1 if side == "left" else -1


def half_width_at(anatomy: Anatomy, v: float) -> float:
    """How far the brain reaches to the side at `v`."""
    t = v / (anatomy.half_length * BRAIN_EDGE)
    return anatomy.half_width * BRAIN_EDGE * (1 + anatomy.egg * v) * float(max(0.0, 1 - t * t) ** 0.5)
