"""The slots of a fact: what can be made false about it, and the value that stands in each.

Side, site, severity and the scales of `attributes.tsv` are slots by their own names. `size` holds a length from
GRID_MM, `presence` whether the finding is there at all, `change` what became of it since an earlier study, and
`belief:<topic>` what is true of every image of the study's modality (`misbeliefs.tsv`).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import replace
from functools import lru_cache

from mht.knowledge.lexicon import DEVICE, NORMAL, STUDY, Severity, is_study, lexicon
from mht.records import Fact, Reading

FINDING, SIDE, SITE, SEVERITY, SIZE, PRESENCE, CHANGE_SLOT = (
    "finding", "side", "site", "severity", "size", "presence", "change",
)  # fmt: skip
NUMBER, COLOUR = "number", "colour"
BELIEF = "belief:"
UNCOMPARED = "uncompared"
GRID_MM = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 120, 150, 200, 250, 300)
CLEARLY_OTHER = 1.9  # a length so many times another is another length, whoever measures
_EARLIER = re.compile(
    r"\b(?:previous|prior|earlier|follow|interval|compar|since|increas|decreas|progress|improv|resol|chang|stable"
    r"|regress|worsen|recur|residual|persist|unchang|evolv|serial|initial|current|enlarging|growing|grown|shrunk"
    r"|post-?(?:op|treat|ther|proc|surg|radi)|pre-?(?:op|treat|ther|proc|surg)"
    r"|(?:new|newly|post|after|before|later|now|today|months?|weeks?|days?|years?|hours?)\b)",
    re.IGNORECASE,
)


@lru_cache(maxsize=1)
def scales() -> tuple[str, ...]:
    """The attributes' scales, in the order of the table."""
    return tuple(dict.fromkeys(a.scale for a in lexicon().attributes.values()))


@lru_cache(maxsize=64)
def on_scale(scale: str) -> tuple[Severity, ...]:
    """The attributes of a scale, in the order of the table."""
    return tuple(a for a in lexicon().attributes.values() if a.scale == scale)


def attribute(fact: Fact, scale: str) -> str | None:
    """The fact's word on a scale."""
    if not fact.attributes:
        return None
    known = lexicon().attributes
    return next((term for term in fact.attributes if known[term].scale == scale), None)


@lru_cache(maxsize=4096)
def grid(size_mm: float) -> str:
    """The length of GRID_MM that is nearest by ratio, as the slot's value."""
    i = bisect_left(GRID_MM, size_mm)
    if i == 0 or i == len(GRID_MM):
        return str(GRID_MM[max(0, i - 1)])
    low, high = GRID_MM[i - 1], GRID_MM[i]
    return str(low if size_mm * size_mm < low * high else high)


def undated(reading: Reading) -> bool:
    """Whether nothing in the caption speaks of another point in time."""
    return _undated(reading.caption)


@lru_cache(maxsize=256)
def _undated(caption: str) -> bool:
    return _EARLIER.search(caption) is None


def belief(topic: str, modality: str | None) -> str | None:
    """What a topic says of a modality, None where it says nothing."""
    return next((b.value for b in lexicon().beliefs[topic] if modality in b.modalities), None)


def value_of(fact: Fact, slot: str, reading: Reading | None = None) -> str | None:
    """What stands in a slot; None where the text does not say. `change` of an undated reading is `uncompared`."""
    if slot in (FINDING, SIDE, SITE, SEVERITY, PRESENCE):
        found: str | None = getattr(fact, slot)
        return found
    if slot == SIZE:
        return grid(fact.size_mm) if fact.size_mm else None
    if slot.startswith(BELIEF):
        return belief(slot.removeprefix(BELIEF), study_modality(fact.finding))
    known = attribute(fact, slot)
    if known is None and slot == CHANGE_SLOT and reading is not None and undated(reading):
        return UNCOMPARED
    return known


def with_value(fact: Fact, slot: str, value: str) -> Fact:
    """The fact with another value in a slot."""
    if slot in (FINDING, SIDE, SITE, SEVERITY, PRESENCE):
        return replace(fact, **{slot: value})  # type: ignore[arg-type]
    if slot == SIZE:
        return replace(fact, size_mm=float(value))
    if slot.startswith(BELIEF):
        return fact
    kept = tuple(t for t in fact.attributes if lexicon().attributes[t].scale != slot)
    return replace(fact, attributes=ordered((*kept, value)))


def ordered(terms: tuple[str, ...]) -> tuple[str, ...]:
    """Attributes in the order of their scales."""
    known = lexicon().attributes
    return tuple(sorted(terms, key=lambda term: scales().index(known[term].scale)))


@lru_cache(maxsize=64)
def study_modality(finding: str) -> str | None:
    """The modality that a kind of image is an image of; None for a finding."""
    return next((m.term for m in lexicon().modalities.values() if m.noun == finding), None)


@lru_cache(maxsize=64)
def beliefs(finding: str) -> tuple[tuple[str, str], ...]:
    """(slot, value) of all that is true of every image of this kind."""
    modality = study_modality(finding)
    said = ((f"{BELIEF}{topic}", belief(topic, modality)) for topic in lexicon().beliefs)
    return tuple((slot, value) for slot, value in said if value is not None)


_OF_CELLS = frozenset({"smear", "histology"})


@lru_cache(maxsize=4096)
def can_change(finding: str) -> bool:
    """Whether it can be said of a finding that it grew or shrank: not of devices, nor of what a microscope counts."""
    known = lexicon().findings[finding]
    return known.kind not in (DEVICE, NORMAL, STUDY) and not known.modalities <= _OF_CELLS


def believed(reading: Reading, topic: str) -> frozenset[str]:
    """What a topic says of the kinds of image that the reading knows its image to be."""
    kinds = {study_modality(fact.finding) for fact in reading.facts if is_study(fact.finding)}
    return frozenset(value for kind in kinds if kind and (value := belief(topic, kind)) is not None)
