"""A flipped negation: what the text denies is said to be there, what it states is said to be absent."""

from __future__ import annotations

import random

from pydantic import BaseModel, ConfigDict

from mht.knowledge.lexicon import NORMAL, is_study, lexicon
from mht.knowledge.presence import ABSENT, PRESENT
from mht.knowledge.slots import PRESENCE
from mht.knowledge.truth import denied_outright
from mht.records import Edit, Reading, Subject

ABOUT = frozenset({Subject.STATED, Subject.DENIED})


class Params(BaseModel):
    """No settings: a statement has one negation."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def perturb(reading: Reading, fact: int, rng: random.Random, params: Params) -> Edit | None:
    """The fact denied where it is stated, and stated where it is denied; None where the text leaves it open."""
    stated = reading.facts[fact]
    if is_study(stated.finding) or lexicon().findings[stated.finding].kind == NORMAL:
        return None
    if stated.presence == PRESENT:
        return Edit("negation", fact, PRESENCE, PRESENT, ABSENT, 1.0, 1.0)
    if not denied_outright(reading, fact):
        return None
    return Edit("negation", fact, PRESENCE, ABSENT, PRESENT, 1.0, 1.0)
