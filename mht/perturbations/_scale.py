"""Another value of the same kind in a fact's slot: the edit that several kinds of hallucination are made of."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache

from mht.knowledge.lexicon import Severity, related
from mht.knowledge.presence import PRESENT
from mht.knowledge.slots import NUMBER, attribute, on_scale
from mht.knowledge.truth import left_open, per_reading
from mht.records import Edit, Reading

Others = Callable[[str], Sequence[str]]
"""The values that a value may be mistaken for; if one is another's, that one is the other's."""


def far(terms: Sequence[Severity], own: str, distance: int) -> tuple[str, ...]:
    """The words that lie at least so many ranks from one's own, in the order of the table."""
    rank = next(t.rank for t in terms if t.term == own)
    return tuple(t.term for t in terms if abs(t.rank - rank) >= distance)


def exchange(reading: Reading, start: Edit, others: Others, rng: random.Random) -> Edit | None:
    """The edit with one of the other values of its `before`, each as likely; None where there is none.

    `start.forward` is the chance of the slot. A value that another fact of the same finding leaves open is not
    drawn; it is left open in the mirrored reading as well, but for the way back.
    """
    choices = _settled(reading, start, others(start.before))
    if not choices:
        return None
    after = choices[int(rng.random() * len(choices))] if len(choices) > 1 else choices[0]
    back = {*_settled(reading, start, others(after)), start.before}
    share = start.forward
    return replace(start, after=after, forward=share / len(choices), backward=share / len(back))


def _settled(reading: Reading, edit: Edit, values: Sequence[str]) -> Sequence[str]:
    if not _has_kin(reading, edit.fact):
        return values
    return tuple(value for value in values if not left_open(reading, edit.fact, edit.slot, value))


@per_reading
def _has_kin(reading: Reading, fact: int) -> bool:
    """Whether another fact is about the same finding, or a kind of it."""
    own = reading.facts[fact].finding
    return any(i != fact and related(own, other.finding) for i, other in enumerate(reading.facts))


@lru_cache(maxsize=1024)
def _on_scale(scale: str, own: str) -> tuple[str, ...]:
    """The words of a scale that exclude one's own. Two to five may well be called multiple."""
    excluding = far(on_scale(scale), own, 2)
    if scale != NUMBER or own == "single":
        return excluding
    return ("single",) if own == "multiple" else tuple(term for term in excluding if term != "multiple")


def rescale(
    reading: Reading, fact: int, rng: random.Random, type_: str, scales: tuple[str, ...]
) -> Edit | None:
    """One of the fact's words on the scales for another one that excludes it; None where it has no such word."""
    stated = reading.facts[fact]
    if stated.presence != PRESENT or not stated.attributes:
        return None
    said = [Edit(type_, fact, s, term, term, 1, 1) for s in scales if (term := attribute(stated, s))]
    said = [e for e in said if _settled(reading, e, _on_scale(e.slot, e.before))]
    if not said:
        return None
    start = said[int(rng.random() * len(said))] if len(said) > 1 else said[0]
    start = replace(start, forward=1 / len(said))
    return exchange(reading, start, lambda own: _on_scale(start.slot, own), rng)
