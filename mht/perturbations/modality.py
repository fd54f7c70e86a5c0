"""The wrong kind of image: a CT image is said to be an MR image."""

from __future__ import annotations

import random

from pydantic import Field

from mht.knowledge.lexicon import is_study
from mht.knowledge.presence import PRESENT
from mht.perturbations._swap import MODALITY, SwapParams, swap
from mht.records import Edit, Reading, Subject

ABOUT = frozenset({Subject.STUDY})


class Params(SwapParams):
    """See SwapParams; `draws`: how often a fact is asked for such an edit."""

    draws: int = Field(default=2, ge=1, le=200)


def perturb(reading: Reading, fact: int, rng: random.Random, params: Params) -> Edit | None:
    """Another kind of image; None for a fact that does not say what the image is."""
    stated = reading.facts[fact].finding
    kinds = {f.finding for f in reading.facts if f.presence == PRESENT and is_study(f.finding)}
    if kinds != {stated}:
        return None  # an image of two kinds at once may be called either
    return swap(reading, fact, rng, params, MODALITY)
