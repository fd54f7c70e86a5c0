"""The wrong attribute: a well-defined mass is said to be ill-defined, a hyperdense one hypodense."""

from __future__ import annotations

import random
from functools import lru_cache

from pydantic import BaseModel, ConfigDict

from mht.knowledge.lexicon import STUDY_SCALES
from mht.knowledge.slots import CHANGE_SLOT, COLOUR, NUMBER, scales
from mht.perturbations._scale import rescale
from mht.records import Edit, Reading, Subject

ABOUT = frozenset({Subject.STATED})


class Params(BaseModel):
    """No settings: the words of a scale are in attributes.tsv."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@lru_cache(maxsize=1)
def _scales() -> tuple[str, ...]:
    """All scales but those that another kind of hallucination is about."""
    others = {*STUDY_SCALES, CHANGE_SLOT, COLOUR, NUMBER}
    return tuple(scale for scale in scales() if scale not in others)


def perturb(reading: Reading, fact: int, rng: random.Random, params: Params) -> Edit | None:
    """The fact with another margin, density, signal or the like; None where the text gives none."""
    return rescale(reading, fact, rng, "attribute", _scales())
