"""A popular misbelief about the kind of image: that MR exposes to radiation, that bone is bright on it."""

from __future__ import annotations

import random
from functools import lru_cache

from pydantic import BaseModel, ConfigDict, Field

from mht.knowledge.lexicon import is_study, lexicon
from mht.knowledge.presence import PRESENT
from mht.knowledge.slots import BELIEF, beliefs
from mht.records import Edit, Reading, Subject

ABOUT = frozenset({Subject.STUDY})


class Params(BaseModel):
    """`draws`: how often a fact is asked for such an edit; the beliefs are in misbeliefs.tsv."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    draws: int = Field(default=1, ge=1, le=200)


@lru_cache(maxsize=256)
def _others(topic: str, value: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(b.value for b in lexicon().beliefs[topic] if b.value != value))


def perturb(reading: Reading, fact: int, rng: random.Random, params: Params) -> Edit | None:
    """What is true of images of another kind, said of this one; None for a fact that does not say what it is.

    `backward` takes all kinds of image to have as many topics; they differ by one at the most.
    """
    stated = reading.facts[fact]
    if stated.presence != PRESENT or not is_study(stated.finding):
        return None
    topics = beliefs(stated.finding)
    kinds = {f.finding for f in reading.facts if is_study(f.finding)}
    if not topics or len(kinds) > 1:
        return None
    slot, before = topics[int(rng.random() * len(topics))]
    others = _others(slot.removeprefix(BELIEF), before)
    after = others[int(rng.random() * len(others))]
    chance = 1 / (len(topics) * len(others))
    return Edit("misbelief", fact, slot, before, after, chance, chance)
