"""Normal for abnormal: where something is wrong, the premise says that all is well."""

from __future__ import annotations

import random

from mht.knowledge.lexicon import is_study
from mht.perturbations._swap import NORMALITY, SwapParams, swap
from mht.records import Edit, Reading, Subject

ABOUT = frozenset({Subject.STATED})


class Params(SwapParams):
    """See SwapParams."""


def perturb(reading: Reading, fact: int, rng: random.Random, params: Params) -> Edit | None:
    """A normal statement that the fact contradicts; None where the lexicon has none."""
    if is_study(reading.facts[fact].finding):
        return None
    return swap(reading, fact, rng, params, NORMALITY)
