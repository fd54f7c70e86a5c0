"""A device or foreign body that is not there."""

from __future__ import annotations

import random

from mht.knowledge.lexicon import is_study
from mht.perturbations._swap import DEVICES, SwapParams, swap
from mht.records import Edit, Reading, Subject

ABOUT = frozenset({Subject.STATED})


class Params(SwapParams):
    """See SwapParams."""


def perturb(reading: Reading, fact: int, rng: random.Random, params: Params) -> Edit | None:
    """A device in the fact's slot; None where none can be called false."""
    if is_study(reading.facts[fact].finding):
        return None
    return swap(reading, fact, rng, params, DEVICES)
