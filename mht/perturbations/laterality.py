"""The wrong side: what stands on the left is said to stand on the right."""

from __future__ import annotations

import random

from pydantic import BaseModel, ConfigDict

from mht.knowledge.presence import PRESENT
from mht.knowledge.truth import left_open
from mht.records import Edit, Reading, Subject

ABOUT = frozenset({Subject.STATED, Subject.STUDY})
OTHER = {"left": "right", "right": "left"}


class Params(BaseModel):
    """No settings: a side has one other side."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def perturb(reading: Reading, fact: int, rng: random.Random, params: Params) -> Edit | None:
    """The fact with its side swapped; None where it has no one side, or the other side may be true as well."""
    stated = reading.facts[fact]
    if stated.presence != PRESENT or stated.side not in OTHER:
        return None
    after = OTHER[stated.side]
    if left_open(reading, fact, "side", after):
        return None
    return Edit("laterality", fact, "side", stated.side, after, 1.0, 1.0)
