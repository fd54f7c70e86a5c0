"""A leap: where the image shows a finding, the premise names a disease that the text does not establish."""

from __future__ import annotations

import random

from mht.knowledge.lexicon import is_study
from mht.perturbations._swap import LEAP, SwapParams, swap
from mht.records import Edit, Reading, Subject

ABOUT = frozenset({Subject.STATED})


class Params(SwapParams):
    """See SwapParams."""


def perturb(reading: Reading, fact: int, rng: random.Random, params: Params) -> Edit | None:
    """A diagnosis in the place of a finding; None where none is denied or near it."""
    if is_study(reading.facts[fact].finding):
        return None
    return swap(reading, fact, rng, params, LEAP)
