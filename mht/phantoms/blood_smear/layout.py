"""Where cells lie in one field of a smear: places are reserved for each finding, whether it is there or not.

So a cell that is taken out leaves every other cell where it was. Lengths are fractions of the frame.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mht.phantoms.scene import aspect_rng

FRAME_UM = 96.0
COLUMNS = 12
SPACING = 1.0 / COLUMNS
CLEARANCE = 0.108

Point = tuple[float, float]

# The most that a field holds of each: white cells, red cells of another form, platelets.
WHITE_CELLS = {"neutrophil": 4, "lymphocyte": 3, "monocyte": 1, "eosinophil": 2, "blast": 5}
RED_CELL_FORMS = {"schistocyte": 7, "target cell": 7, "sickle cell": 5, "malaria parasite": 6}
PLATELETS = {"platelet": 12}


@dataclass(frozen=True, slots=True)
class Layout:
    """The reserved places of each finding, and the places of ordinary red cells."""

    places: dict[str, tuple[Point, ...]]
    red_cells: tuple[Point, ...]


@lru_cache(maxsize=8)
def lay_out(index: int, seed: int) -> Layout:
    """The places of field number `index`."""
    rng = aspect_rng("blood_smear", index, seed, "layout")
    lattice = _lattice(rng)
    large = _apart(lattice, sum(WHITE_CELLS.values()))
    places: dict[str, tuple[Point, ...]] = {}
    _reserve(places, WHITE_CELLS, large)
    clear = _clear_of(lattice, large, CLEARANCE)
    inner = [at for at, is_clear in zip(lattice, clear, strict=True) if is_clear and _inside(at, 0.05)]
    _reserve(places, RED_CELL_FORMS, inner)
    taken = {at for name in RED_CELL_FORMS for at in places[name]}
    gaps = [(x + SPACING / 2, y + SPACING / 2) for x, y in lattice]
    clear = _clear_of(gaps, large, 0.1)
    gaps = [at for at, is_clear in zip(gaps, clear, strict=True) if is_clear and _inside(at, 0.03)]
    _reserve(places, PLATELETS, gaps)
    red = [at for at in lattice if at not in taken]
    return Layout(places, tuple(red[: len(red) - rng.randrange(8, 26)]))


def _clear_of(points: list[Point], others: list[Point], distance: float) -> list[bool]:
    """Which points are farther than `distance` from all the others."""
    a, b = np.array(points), np.array(others)
    squares = ((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=2)
    clear: list[bool] = (squares > distance**2).all(axis=1).tolist()
    return clear


def _lattice(rng: random.Random) -> list[Point]:
    shift_x, shift_y, jitter = rng.random(), rng.random(), SPACING * 0.24
    points = [
        (
            (column + shift_x + 0.5 * (row % 2) - 0.5) * SPACING + rng.uniform(-jitter, jitter),
            (row + shift_y) * SPACING + rng.uniform(-jitter, jitter),
        )
        for row in range(COLUMNS)
        for column in range(COLUMNS + 1)
    ]
    rng.shuffle(points)
    return points


def _inside(at: Point, margin: float) -> bool:
    return margin < at[0] < 1 - margin and margin < at[1] < 1 - margin


def _apart(points: list[Point], wanted: int) -> list[Point]:
    """The first `wanted` points that keep clear of each other and of the edge."""
    out: list[Point] = []
    for x, y in points:
        if not _inside((x, y), 0.085):
            continue
        if all((x - ox) * (x - ox) + (y - oy) * (y - oy) > 0.0289 for ox, oy in out):
            out.append((x, y))
            if len(out) == wanted:
                break
    return out


def _reserve(places: dict[str, tuple[Point, ...]], most: dict[str, int], points: list[Point]) -> None:
    """Deal the points out in turns, so that each finding gets some even where there are few."""
    hands: dict[str, list[Point]] = {name: [] for name in most}
    rest = iter(points)
    for turn in range(max(most.values())):
        for name, limit in most.items():
            if turn < limit:
                at = next(rest, None)
                hands[name] += [] if at is None else [at]
    places.update({name: tuple(hand) for name, hand in hands.items()})


def stain(index: int, seed: int) -> str:
    """How field number `index` is stained: "neutral" (pink and purple) or "acid" (orange and blue)."""
    return "acid" if aspect_rng("blood_smear", index, seed, "acidity").random() < 0.35 else "neutral"
