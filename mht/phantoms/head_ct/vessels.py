"""What contrast medium fills: the sinus behind, the falx, the choroid plexus, vessels of the cortex."""

from __future__ import annotations

import random

import numpy as np

from mht.phantoms.canvas import Field, ramp, texture
from mht.phantoms.head_ct.anatomy import BRAIN_EDGE
from mht.phantoms.head_ct.slice import Slice


def paint(cut: Slice, rng: random.Random) -> None:
    """Fill the slice's vessels, each in the rows that hold it."""
    a, u, v = cut.anatomy, np.abs(cut.moved), cut.v
    back = a.half_length * BRAIN_EDGE
    spots = texture(cut.r.shape[0], 64, rng)
    out = ramp(spots - 1.5, 0.35) * ramp(cut.r - 0.66, 0.06) * np.float32(0.8)
    rows = _rows(v, back - 0.09, back + 0.03)
    sinus = ramp(0.6 * (v[rows] - np.float32(back - 0.075)) - u[rows], 0.006) * ramp(
        v[rows] - (back - 0.07), 0.006
    )
    _lay(out, rows, sinus)
    rows = _rows(v, -back - 0.01, 0.035 - back)
    _lay(out, rows, ramp(0.011 - np.sqrt(u[rows] ** 2 + (v[rows] + np.float32(back - 0.014)) ** 2), 0.005))
    rows = _rows(v, 0.08, 0.15)
    plexus = 1 - ((u[rows] - np.float32(0.074)) / 0.009) ** 2 - ((v[rows] - np.float32(0.115)) / 0.026) ** 2
    _lay(out, rows, ramp(plexus, 0.4))
    rows = _rows(v, -0.085, 0.03)
    sylvian = np.abs(v[rows] + 0.045 - 0.35 * (u[rows] - 0.2))
    _lay(out, rows, ramp(0.005 - sylvian, 0.006) * ramp(u[rows] - 0.15, 0.02) * ramp(spots[rows] + 0.3, 0.6))
    for rows in (_rows(v, -1.0, -0.15), _rows(v, 0.15, 1.0)):
        _lay(out, rows, ramp(0.0024 - u[rows], 0.004) * ramp(np.abs(v[rows]) - 0.17, 0.03) * np.float32(0.75))
    cut.contrast = out


def _rows(v: Field, low: float, high: float) -> slice:
    """The rows between two heights."""
    first, last = np.searchsorted(v[:, 0], (low, high))
    return slice(int(first), int(last))


def _lay(out: Field, rows: slice, share: Field) -> None:
    np.maximum(out[rows], share, out=out[rows])
