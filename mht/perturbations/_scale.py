"""Another word of the same scale in a fact's slot: the edit that several kinds of hallucination are made of."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import lru_cache

from mht.knowledge.lexicon import Severity
from mht.knowledge.presence import PRESENT
from mht.knowledge.slots import attribute, on_scale
from mht.knowledge.truth import left_open
from mht.records import Edit, Reading


def far(terms: Sequence[Severity], own: str, distance: int) -> tuple[str, ...]:
    """The words that lie at least so many ranks from one's own, in the order of the table."""
    rank = next(t.rank for t in terms if t.term == own)
    return tuple(t.term for t in terms if abs(t.rank - rank) >= distance)


@lru_cache(maxsize=1024)
def _choices(scale: str, own: str, left_out: tuple[str, ...]) -> tuple[str, ...]:
    return far([t for t in on_scale(scale) if t.term not in left_out], own, 2)


def rescale(
    reading: Reading,
    fact: int,
    rng: random.Random,
    type_: str,
    scales: tuple[str, ...],
    left_out: tuple[str, ...] = (),
) -> Edit | None:
    """One of the fact's words on the scales for another one that excludes it; None where it has no such word.

    A word left open by another fact of the same finding is not drawn, and neither is its inverse proposed there.
    """
    stated = reading.facts[fact]
    if stated.presence != PRESENT or not stated.attributes:
        return None
    said = [(s, t) for s in scales if (t := attribute(stated, s)) is not None and t not in left_out]
    if not said:
        return None
    scale, before = said[int(rng.random() * len(said))] if len(said) > 1 else said[0]
    choices = _choices(scale, before, left_out)
    if not choices:
        return None
    after = choices[int(rng.random() * len(choices))]
    if left_open(reading, fact, scale, after):
        return None
    back = _choices(scale, after, left_out)
    share = 1 / len(said)
    return Edit(type_, fact, scale, before, after, share / len(choices), share / len(back))
