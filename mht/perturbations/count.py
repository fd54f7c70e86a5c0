"""The wrong number: one nodule is said to be many."""

from __future__ import annotations

import random

from pydantic import BaseModel, ConfigDict, Field

from mht.perturbations._scale import rescale
from mht.records import Edit, Reading, Subject

ABOUT = frozenset({Subject.STATED})
_SCALES = ("number",)


class Params(BaseModel):
    """`draws`: how often a fact is asked for such an edit; the words of a scale are in attributes.tsv."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    draws: int = Field(default=2, ge=1, le=200)


def perturb(reading: Reading, fact: int, rng: random.Random, params: Params) -> Edit | None:
    """The fact with another number; None where the text gives none."""
    return rescale(reading, fact, rng, "count", _SCALES)
