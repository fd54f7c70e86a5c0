"""Whole sentences with slots: what a slot asks of an entity, and what the filled sentence says."""

from __future__ import annotations

from mht.phantoms.scene import Entity

ADVERBS = {"mild": "mildly", "moderate": "moderately", "severe": "severely"}
_SLOTS = {
    "{side}": "side",
    "{site}": "site",
    "{grade}": "severity",
    "{a_grade}": "severity",
    "{adverb}": "severity",
    "{size}": "size_mm",
    "{count}": "count",
}


def said(text: str) -> frozenset[str]:
    """The details that the sentence's slots give."""
    return frozenset(detail for slot, detail in _SLOTS.items() if slot in text)


def fits(text: str, entity: Entity) -> bool:
    """Whether the entity has what the sentence's slots ask for.

    One side needs one side, an adverb needs a degree, and several need a sentence with a number, in the plural.
    """
    if any(getattr(entity, detail) is None for detail in said(text)):
        return False
    if "{side}" in text and entity.side == "bilateral":
        return False
    if entity.count is not None and ("{count}" in text) is (entity.count == 1):
        return False
    return "{adverb}" not in text or entity.severity in ADVERBS
