"""A finding that is not there: what reports deny, what goes along with the true one, what looks like it, or any."""

from __future__ import annotations

import random

from mht.knowledge.lexicon import is_study
from mht.perturbations._swap import EXISTENCE, SwapParams, swap
from mht.records import Edit, Reading, Subject

ABOUT = frozenset({Subject.STATED})


class Params(SwapParams):
    """See SwapParams."""


def perturb(reading: Reading, fact: int, rng: random.Random, params: Params) -> Edit | None:
    """Another finding in the fact's slot; None where no other one can be called false."""
    if is_study(reading.facts[fact].finding):
        return None
    return swap(reading, fact, rng, params, EXISTENCE)
