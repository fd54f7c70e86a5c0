"""A change that was not seen: an effusion is said to have grown since an earlier study that nobody speaks of."""

from __future__ import annotations

import random
from functools import lru_cache

from pydantic import BaseModel, ConfigDict, Field

from mht.knowledge.presence import PRESENT
from mht.knowledge.slots import CHANGE_SLOT, can_change, on_scale, value_of
from mht.perturbations._scale import exchange
from mht.records import Edit, Reading, Subject

ABOUT = frozenset({Subject.STATED})


class Params(BaseModel):
    """`draws`: how often a fact is asked for such an edit; the words of change are in attributes.tsv."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    draws: int = Field(default=2, ge=1, le=200)


@lru_cache(maxsize=8)
def _others(value: str) -> tuple[str, ...]:
    return tuple(a.term for a in on_scale(CHANGE_SLOT) if a.term != value)


def perturb(reading: Reading, fact: int, rng: random.Random, params: Params) -> Edit | None:
    """The fact with another change, or with one where no earlier study is known; None where the text leaves it open."""
    stated = reading.facts[fact]
    if stated.presence != PRESENT or not can_change(stated.finding):
        return None
    before = value_of(stated, CHANGE_SLOT, reading)
    if before is None:
        return None
    return exchange(reading, Edit("temporal", fact, CHANGE_SLOT, before, before, 1, 1), _others, rng)
