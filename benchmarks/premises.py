"""What a pair's premise claims, put together from its columns: the slot, the span and the rest of the premise.

Nothing that pairing or its checks read is asked. Words become terms by the lexicon's vocabulary alone, wherever they
stand, and a word that is left over makes the premise unread.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any

from mht.knowledge.lexicon import lexicon, overlaps
from mht.knowledge.slots import FINDING, PRESENCE, SEVERITY, SIDE, SITE, SIZE
from mht.knowledge.spelling import normal_words
from mht.knowledge.vocabulary import Match, attribute_words, find
from mht.records import Pair

SIDES = {"left": "left", "right": "right", "both": "bilateral"}
_DENY = "deny"
_IDLE = {
    "a",
    "an",
    "the",
    "on",
    "in",
    "at",
    "of",
    "to",
    "that",
    "has",
    "have",
    "-",
    "sided",
    "side",
    "region",
    "about",
}
_IDLE |= {"measuring", "earlier", "study", "over"}
_LENGTH = re.compile(r"(\d+(?:\.\d+)?) (mm|cm)\b")


@dataclass(frozen=True, slots=True)
class Claim:
    """What a phrase says in the lexicon's terms; None where it does not say."""

    finding: str | None = None
    presence: str | None = None
    side: str | None = None
    site: str | None = None
    severity: str | None = None
    size_mm: float | None = None
    attributes: tuple[str, ...] = ()


@lru_cache(maxsize=1 << 14)
def flat(text: str) -> Claim | None:
    """Every word of a noun phrase as a term, wherever it stands; None for two of a kind or a word that is none."""
    words = normal_words(_LENGTH.sub(" ", text))
    matches = find(words)
    covered = {i for match in matches for i in range(match.first, match.last)}
    told = [_told(match) for match in matches]
    if any(word not in _IDLE for i, word in enumerate(words) if i not in covered) or None in told:
        return None
    claim: Claim | None = Claim(size_mm=_length(text))
    for one in told:
        claim = _merged(claim, one) if claim and one else None
    return claim


def _length(text: str) -> float | None:
    found = _LENGTH.search(text)
    return float(found[1]) * (10 if found[2] == "cm" else 1) if found else None


def _told(match: Match) -> Claim | None:
    """What one term says; None for a word that has no place in a noun phrase."""
    if match.kind == "attribute":
        return Claim(attributes=(match.value,))
    if match.kind == "modality":
        return Claim(finding=lexicon().modalities[match.value].noun)
    if match.kind in ("finding", "site", "severity"):
        detail: dict[str, Any] = {match.kind: match.value}
        return Claim(**detail)
    if match.value in SIDES:
        return Claim(side=SIDES[match.value])
    return Claim(presence="absent") if match.value == _DENY else None


def _merged(one: Claim, other: Claim) -> Claim | None:
    """Both together; None where both give the same detail. Of a site and what holds it, the narrower counts."""
    if one.site and other.site and overlaps(one.site, other.site):
        within = one.site if other.site in lexicon().site_ancestors[one.site] else other.site
        one, other = replace(one, site=within), replace(other, site=None)
    names = [f.name for f in fields(Claim) if f.name != "attributes"]
    if any(getattr(one, name) is not None and getattr(other, name) is not None for name in names):
        return None
    given = {name: value for name in names if (value := getattr(other, name)) is not None}
    return replace(one, attributes=one.attributes + other.attributes, **given)


_GIVES = {
    FINDING: "finding",
    SIDE: "side",
    SITE: "site",
    SEVERITY: "severity",
    SIZE: "size_mm",
    PRESENCE: "finding",
}


def claim_of(pair: Pair) -> Claim | None:
    """The premise: the span says what the slot asks for, the rest says the rest. None where it cannot be read so."""
    at = pair.span_start - pair.question.find(pair.premise)
    around = pair.premise[:at] + " " + pair.premise[at + len(pair.span) :]
    known = attribute_words().get(normal_words(pair.span.removeprefix("a ").removeprefix("an ")))
    attribute = known is not None and pair.slot not in _GIVES
    span, rest = Claim(attributes=(str(known),)) if attribute else flat(pair.span), flat(around)
    if span is None or rest is None or not getattr(span, _GIVES.get(pair.slot, "attributes")):
        return None
    claim = _merged(rest, span)
    return claim if claim is not None and claim.finding is not None else None
