"""What contrast medium fills: the sinus behind, the falx, the choroid plexus, vessels of the cortex."""

from __future__ import annotations

import random

import numpy as np

from mht.phantoms.canvas import Field, ramp, texture
from mht.phantoms.head_ct.anatomy import BRAIN_EDGE
from mht.phantoms.head_ct.slice import Slice


def paint(cut: Slice, rng: random.Random) -> None:
    """Fill the slice's vessels."""
    a, u = cut.anatomy, np.abs(cut.moved)
    back = a.half_length * BRAIN_EDGE
    sinus = ramp(0.03 * (cut.v - np.float32(back - 0.075)) / 0.05 - u, 0.006) * ramp(
        cut.v - (back - 0.07), 0.006
    )
    front = ramp(0.011 - np.hypot(u, cut.v + np.float32(back - 0.014)), 0.005)
    falx = ramp(np.float32(0.0024) - u, 0.004) * ramp(np.abs(cut.v) - 0.17, 0.03) * np.float32(0.75)
    plexus = ramp(1 - ((u - 0.074) / 0.009) ** 2 - ((cut.v - 0.115) / 0.026) ** 2, 0.4)
    spots = texture(cut.r.shape[0], 64, rng)
    cortical = ramp(spots - 1.5, 0.35) * ramp(cut.r - 0.66, 0.06) * np.float32(0.8)
    sylvian = np.abs(cut.v + 0.045 - 0.35 * (u - 0.2))
    branches = ramp(0.005 - sylvian, 0.006) * ramp(u - 0.15, 0.02) * ramp(spots + 0.3, 0.6)
    cut.contrast = _most(sinus, front, falx, plexus, cortical, branches)


def _most(first: Field, *others: Field) -> Field:
    out = first
    for other in others:
        out = np.maximum(out, other)
    return np.asarray(out, dtype=np.float32)
