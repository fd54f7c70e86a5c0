"""The wrong size: a nodule of 8 mm is said to measure 3 cm. Lengths that readers might confuse are left alone."""

from __future__ import annotations

import random
from functools import lru_cache

from pydantic import BaseModel, ConfigDict, Field

from mht.knowledge.presence import PRESENT
from mht.knowledge.slots import CLEARLY_OTHER, GRID_MM, SIZE, value_of
from mht.perturbations._scale import exchange
from mht.records import Edit, Reading, Subject

ABOUT = frozenset({Subject.STATED})


class Params(BaseModel):
    """`draws`: how often a fact is asked for such an edit. `max_ratio`: how many times the true length the false one
    is at the most, and the other way round.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    draws: int = Field(default=2, ge=1, le=200)
    max_ratio: float = Field(default=4.0, ge=2.5, le=20.0)


@lru_cache(maxsize=256)
def _other_sizes(value: str, max_ratio: float) -> tuple[str, ...]:
    own = float(value)
    return tuple(str(mm) for mm in GRID_MM if 1.1 * CLEARLY_OTHER <= max(mm / own, own / mm) <= max_ratio)


def perturb(reading: Reading, fact: int, rng: random.Random, params: Params) -> Edit | None:
    """The fact with another length, in mm; None where the text gives none or another fact may have that length."""
    stated = reading.facts[fact]
    if stated.presence != PRESENT or not stated.size_mm:
        return None
    before = str(value_of(stated, SIZE))
    start = Edit("size", fact, SIZE, before, before, 1, 1)
    return exchange(reading, start, lambda own: _other_sizes(own, params.max_ratio), rng)
