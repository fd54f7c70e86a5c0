"""Where a reply says something else than its reference: another side, length, number, place, grade or finding.

A matter that only one of the two speaks of is no contradiction, nor is one that either denies: that is `_stand.py`'s.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from mht.evaluation.judges._lengths import MM, before, number
from mht.evaluation.judges._text import Text
from mht.knowledge.lexicon import NORMAL, STUDY, lexicon, related
from mht.knowledge.presence import ABSENT, PRESENT
from mht.knowledge.slots import CLEARLY_OTHER, NUMBER, SEVERITY, SIDE, SITE, SIZE
from mht.knowledge.truth import DENIED, UNSAID, World, apart, world
from mht.records import Fact, Reading

_SIDES = frozenset({"left", "right"})
_REACH = 3
_SLOTS = {SIDE: "side", SITE: "site", SEVERITY: "grade", SIZE: "size", NUMBER: "count"}

MOST_AGAINST = (5.0, 5.0, 5.0, 6.0)
"""The most that the released judge gave on each scale to the six of 1,117 replies with another side or length."""


def flatly(values: Mapping[str, float]) -> bool:
    """Whether by these features the reply names another side, number or length than the reference."""
    named = values["against_sides"] or values["against_side"] or values["against_count"]
    return bool(named) or values["against_length"] >= math.log(CLEARLY_OTHER)


def against(truth: Text, reply: Text, stated: Reading, claimed: Reading) -> dict[str, float]:
    """By kind, how often the reply contradicts the reference; `against_length` is the log of the ratio of lengths."""
    slots = _slots(stated, claimed)
    return {
        **{f"against_{name}": slots.count(name) for name in (*_SLOTS.values(), "word")},
        "against_sides": _sides_apart(truth, reply),
        "against_length": _lengths_apart(_lengths(truth), _lengths(reply)),
        **_substituted(stated, claimed),
    }


def _sides_apart(truth: Text, reply: Text) -> float:
    """1 where each affirms one side alone, and not the same; else how many things each has on another side."""
    one, other = _sided(truth), _sided(reply)
    if one[""] and other[""] and not one[""] & other[""]:
        return 1.0
    return sum(not one[thing] & other[thing] for thing in one.keys() & other.keys() if thing)


def _sided(text: Text) -> dict[str, frozenset[str]]:
    """The affirmed sides of each thing that a side is said of; of all things by the name ""."""
    found: dict[str, set[str]] = {"": set()}
    for i, word in enumerate(text.words):
        if word not in _SIDES or text.negated[i]:
            continue
        found[""].add(word)
        for j in range(i + 1, min(i + 1 + _REACH, len(text.words))):
            if text.words[j] in _SIDES or not text.words[j][0].isalnum():
                break
            if text.stems[j]:
                found.setdefault(text.stems[j], set()).add(word)
    return {thing: frozenset(sides) for thing, sides in found.items()}


def _lengths(text: Text) -> list[float]:
    """The affirmed lengths, mm; of `3 x 4 cm` the last."""
    words = text.words
    found = []
    for i, word in enumerate(words):
        at = before(words, i)
        length = number(words[at]) if word == MM and at >= 0 and not text.negated[at] else None
        if length:
            found.append(length)
    return found


def _lengths_apart(one: Sequence[float], other: Sequence[float]) -> float:
    """The log of the ratio of the two lengths that are nearest to each other; 0 where either has none."""
    return min((abs(math.log(a / b)) for a in one for b in other), default=0.0)


def _slots(stated: Reading, claimed: Reading) -> list[str]:
    """What of each claimed finding stands otherwise in the reference: of its facts about it, by the nearest."""
    found: list[str] = []
    for claim in _affirmed(claimed.facts):
        kin = [apart(claim, f) for f in _affirmed(stated.facts) if related(claim.finding, f.finding)]
        if kin:
            found.extend(_SLOTS.get(slot, "word") for slot in min(kin, key=len))
    return found


def _affirmed(facts: Iterable[Fact]) -> Iterator[Fact]:
    return (fact for fact in facts if fact.presence != ABSENT)


def _substituted(stated: Reading, claimed: Reading) -> dict[str, float]:
    """Abnormal findings of each that the other does not know: how many, the fewer of the two; and whether all."""
    missed, added = _unknown(stated, world(claimed)), _unknown(claimed, world(stated))
    return {
        "against_finding": min(sum(missed), sum(added)),
        "against_findings_all": bool(missed and added and all(missed) and all(added)),
    }


def _unknown(reading: Reading, ground: World) -> list[bool]:
    kinds = lexicon().findings
    return [
        ground.status(fact.finding) in (UNSAID, DENIED)
        for fact in reading.facts
        if fact.presence == PRESENT and kinds[fact.finding].kind not in (STUDY, NORMAL)
    ]
