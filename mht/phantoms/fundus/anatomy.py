"""The eye's back without findings: where disc, macula and quadrants lie in a photograph of 45 degrees.

Lengths are fractions of the frame, which is 14 mm wide on the retina. The disc lies towards the nose: in a
photograph of the right eye on the image's right, in one of the left eye on the image's left.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

FRAME_MM = 14.0
FIELD_RADIUS = 0.47
DISC_RADIUS = 0.062

Point = tuple[float, float]

QUADRANTS = (
    "superotemporal quadrant",
    "inferotemporal quadrant",
    "superonasal quadrant",
    "inferonasal quadrant",
)


@dataclass(frozen=True, slots=True)
class Anatomy:
    """One eye and one exposure. `nasal` is +1 where the nose is on the image's right (a right eye)."""

    nasal: int
    disc: Point
    macula: Point
    tree: int
    red: float
    green: float
    blue: float
    tessellation: float
    glare: float


def draw_anatomy(rng: random.Random) -> Anatomy:
    """An eye at random."""
    nasal = rng.choice((-1, 1))
    disc = (0.5 + nasal * rng.uniform(0.235, 0.255), rng.uniform(0.475, 0.495))
    return Anatomy(
        nasal=nasal,
        disc=disc,
        macula=(disc[0] - nasal * 0.315, disc[1] + 0.03),
        tree=rng.randrange(8),
        red=rng.uniform(0.74, 0.88),
        green=rng.uniform(0.30, 0.42),
        blue=rng.uniform(0.10, 0.18),
        tessellation=rng.uniform(0.01, 0.035),
        glare=rng.uniform(0.0, 0.06),
    )


def spot_in(anatomy: Anatomy, site: str, rng: random.Random) -> Point:
    """A point of a region: within 1.4 mm of the fovea, or in a quadrant and off the disc and the macula."""
    if site == "macula":
        angle, away = rng.uniform(0, 2 * math.pi), 0.02 + 0.075 * rng.random() ** 0.5
        return anatomy.macula[0] + away * math.cos(angle), anatomy.macula[1] + away * math.sin(angle)
    right = anatomy.nasal if "nasal" in site else -anatomy.nasal
    down = 1 if site.startswith("infero") else -1
    angle, away = math.radians(rng.uniform(28, 66)), rng.uniform(0.22, 0.36)
    return 0.5 + right * away * math.cos(angle), 0.5 + down * away * math.sin(angle)
