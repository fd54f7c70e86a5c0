"""The wrong grade: a small effusion is said to be large. Neighbouring grades are left alone: readers differ there."""

from __future__ import annotations

import random
from functools import lru_cache

from pydantic import BaseModel, ConfigDict, Field

from mht.knowledge.lexicon import lexicon
from mht.knowledge.presence import PRESENT
from mht.knowledge.slots import SEVERITY
from mht.perturbations._scale import exchange, far
from mht.records import Edit, Reading, Subject

ABOUT = frozenset({Subject.STATED})


class Params(BaseModel):
    """`min_distance`: how many ranks of its scale the false grade lies from the true one, at the least."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    min_distance: int = Field(default=2, ge=1, le=4)


@lru_cache(maxsize=256)
def _far(term: str, distance: int) -> tuple[str, ...]:
    """The grades of the same scale that lie far enough, in the order of the table."""
    grades = lexicon().severities
    return far([g for g in grades.values() if g.scale == grades[term].scale], term, distance)


def perturb(reading: Reading, fact: int, rng: random.Random, params: Params) -> Edit | None:
    """The fact with another grade of its scale; None where it has no grade or another fact may bear it out."""
    stated = reading.facts[fact]
    if stated.presence != PRESENT or stated.severity is None:
        return None
    start = Edit("severity", fact, SEVERITY, stated.severity, stated.severity, 1, 1)
    return exchange(reading, start, lambda own: _far(own, params.min_distance), rng)
