"""The wrong plane, view, sequence, phase or the like: a T1-weighted image is said to be T2-weighted."""

from __future__ import annotations

import random

from pydantic import BaseModel, ConfigDict, Field

from mht.knowledge.lexicon import STUDY_SCALES
from mht.perturbations._scale import rescale
from mht.records import Edit, Reading, Subject

ABOUT = frozenset({Subject.STUDY})


class Params(BaseModel):
    """`draws`: how often a fact is asked for such an edit; the words of a scale are in attributes.tsv."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    draws: int = Field(default=2, ge=1, le=200)


def perturb(reading: Reading, fact: int, rng: random.Random, params: Params) -> Edit | None:
    """The image with another plane, view, sequence, phase or the like; None where the text gives none."""
    return rescale(reading, fact, rng, "sequence", STUDY_SCALES)
