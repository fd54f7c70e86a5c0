"""How tubes, lines and implants are drawn, at full size over the developed film."""

from __future__ import annotations

import random
from collections.abc import Callable

from mht.phantoms.canvas import Field, Strokes, curve
from mht.phantoms.chest_xray.anatomy import Anatomy, sign
from mht.phantoms.scene import Entity


def _catheter(field: Field, a: Anatomy, entity: Entity, rng: random.Random) -> None:
    """From the subclavian vein to the superior vena cava, which lies right of the midline."""
    s = sign(entity.side or "right")
    strokes = Strokes(field.shape[0])
    tip = (a.centre - 0.052, rng.uniform(0.40, 0.45))
    if s < 0:
        via = [
            (a.centre - 0.24, 0.20),
            (a.centre - 0.15, 0.235),
            (a.centre - 0.075, 0.27),
            (a.centre - 0.056, 0.34),
        ]
    else:
        via = [
            (a.centre + 0.24, 0.20),
            (a.centre + 0.13, 0.235),
            (a.centre + 0.02, 0.275),
            (a.centre - 0.045, 0.33),
        ]
    strokes.line(curve([*via, tip]), 0.0062)
    strokes.onto(field, 0.42)


def _endotracheal(field: Field, a: Anatomy, entity: Entity, rng: random.Random) -> None:
    strokes = Strokes(field.shape[0])
    x, end = a.centre + 0.006, rng.uniform(0.265, 0.295)
    for edge in (-0.011, 0.011):
        strokes.line([(x + edge, 0.0), (x + edge, end)], 0.0028, 0.75)
    strokes.line([(x + 0.004, 0.0), (x + 0.004, end)], 0.0045)
    strokes.onto(field, 0.5)


def _nasogastric(field: Field, a: Anatomy, entity: Entity, rng: random.Random) -> None:
    strokes = Strokes(field.shape[0])
    c = a.centre
    end = (c + rng.uniform(0.12, 0.17), a.dome["left"] + rng.uniform(0.08, 0.12))
    via = [(c - 0.012, 0.0), (c - 0.014, 0.25), (c + 0.012, 0.5), (c + 0.03, 0.66), (c + 0.07, 0.76)]
    strokes.line(curve([*via, end]), 0.0068, 0.9)
    strokes.onto(field, 0.45)


def _pacemaker(field: Field, a: Anatomy, entity: Entity, rng: random.Random) -> None:
    s, c = sign(entity.side or "left"), a.centre
    x, y = c + s * 0.255, 0.245
    case = Strokes(field.shape[0])
    rim = [
        (-0.05, -0.02),
        (-0.035, -0.045),
        (0.03, -0.045),
        (0.05, -0.02),
        (0.045, 0.03),
        (0.02, 0.05),
        (-0.04, 0.035),
    ]
    case.area(curve([(x + dx, y + dy) for dx, dy in [*rim, rim[0]]]))
    case.onto(field, 0.85, 0.97)
    leads = Strokes(field.shape[0])
    vein = [(c + s * 0.1, 0.225), (c - 0.03, 0.28), (c - 0.055, 0.40)]
    leads.line(curve([(x - s * 0.045, y - 0.01), *vein, (c - 0.075, 0.53), (c - 0.095, 0.5)]), 0.0055)
    tip = (c + 0.13, a.dome["left"] - 0.015)
    leads.line(curve([(x - s * 0.045, y - 0.01), *vein, (c - 0.045, 0.57), (c + 0.03, 0.655), tip]), 0.0055)
    leads.dot(tip, 0.006)
    leads.onto(field, 0.7)


def _wires(field: Field, a: Anatomy, entity: Entity, rng: random.Random) -> None:
    strokes = Strokes(field.shape[0])
    for number in range(rng.randint(5, 6)):
        x, y = a.centre + rng.uniform(-0.008, 0.008), 0.30 + number * 0.068
        wide, tall = rng.uniform(0.016, 0.021), rng.uniform(0.01, 0.014)
        loop = [(x - wide, y), (x, y - tall), (x + wide, y), (x, y + tall), (x - wide, y)]
        strokes.line(curve(loop, 5), 0.0042)
        strokes.line([(x, y + tall), (x + 0.004, y + tall + 0.012)], 0.0042)
    strokes.onto(field, 0.8)


def _chest_tube(field: Field, a: Anatomy, entity: Entity, rng: random.Random) -> None:
    s, c = sign(entity.side or "left"), a.centre
    strokes = Strokes(field.shape[0])
    path = curve(
        [
            (c + s * 0.46, 0.72),
            (c + s * 0.36, 0.6),
            (c + s * 0.3, 0.46),
            (c + s * 0.2, 0.3),
            (c + s * 0.14, 0.24),
        ]
    )
    strokes.line(path, 0.014, 0.5)
    strokes.line(path, 0.004)
    strokes.onto(field, 0.55)


PAINTERS: dict[str, Callable[[Field, Anatomy, Entity, random.Random], None]] = {
    "central venous catheter": _catheter,
    "endotracheal tube": _endotracheal,
    "nasogastric tube": _nasogastric,
    "pacemaker": _pacemaker,
    "sternotomy wires": _wires,
    "chest tube": _chest_tube,
}
