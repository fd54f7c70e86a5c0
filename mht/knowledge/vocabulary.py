"""Every term of the lexicon as a sequence of compared words, found in a text longest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from mht.knowledge.lexicon import GENERIC, lexicon, role
from mht.knowledge.spelling import normal_words


@dataclass(frozen=True, slots=True)
class Match:
    """A term in a text: what it is, which concept, and the words from `first` up to, not including, `last`."""

    kind: str
    value: str
    first: int
    last: int


Entry = tuple[tuple[str, ...], str, str]


def _entries() -> Iterable[Entry]:
    lex = lexicon()
    tables: tuple[tuple[str, Mapping[str, Any]], ...] = (
        ("finding", lex.findings),
        ("site", lex.sites),
        ("severity", lex.severities),
        ("modality", lex.modalities),
        ("attribute", lex.attributes),
    )
    for kind, table in tables:
        for concept in table.values():
            if concept.term == GENERIC or (kind == "finding" and concept.kind == "study"):
                continue  # read from the modality that the text names, not from a term of its own
            spoken = concept.noun if kind == "modality" else concept.term
            for term in (spoken, *concept.synonyms):
                yield normal_words(term), kind, concept.term
    for phrase, kind in lex.cues:
        yield normal_words(phrase), "cue", kind


@dataclass(frozen=True, slots=True)
class _Index:
    """Terms by their words, and by a term's first word the lengths that such terms have, longest first."""

    terms: Mapping[tuple[str, ...], tuple[str, str]]
    lengths: Mapping[str, tuple[int, ...]]


@lru_cache(maxsize=1)
def _index() -> _Index:
    """Every term; the first claim on a sequence of words stands."""
    terms: dict[tuple[str, ...], tuple[str, str]] = {}
    lengths: dict[str, set[int]] = {}
    for words, kind, value in _entries():
        terms.setdefault(words, (kind, value))
        lengths.setdefault(words[0], set()).add(len(words))
    return _Index(terms, {first: tuple(sorted(sizes, reverse=True)) for first, sizes in lengths.items()})


@lru_cache(maxsize=1)
def attribute_words() -> Mapping[tuple[str, ...], str]:
    """Every wording of an attribute, those that also name a finding or a modality among them."""
    known: dict[tuple[str, ...], str] = {}
    for concept in lexicon().attributes.values():
        for term in (concept.term, *concept.synonyms):
            known.setdefault(normal_words(term), concept.term)
    return known


def find(words: Sequence[str]) -> list[Match]:
    """The terms of a text, left to right, none inside another."""
    index = _index()
    matches: list[Match] = []
    words = tuple(words)
    lengths = index.lengths
    i, n = 0, len(words)
    while i < n:
        match = _longest(index, words, i) if words[i] in lengths else None
        if match is None and words[i] in _LETTERS and i + 1 < n and words[i + 1].isalpha():
            noun = _longest(index, words, i + 1)
            if noun is not None and noun.kind in ("finding", "site"):
                match = Match("cue", _LETTERS[words[i]], i, i + 1)  # "L chest drain"
        if match is None:
            i += 1
            continue
        if match.last - i > 1 and words[i] in _OPENING:
            # "left ventricular shunt", "no contrast extravasation": a side or a denial and what follows
            inner = _longest(index, words, i + 1)
            if inner is not None and inner.kind in ("finding", "site") and inner.last > match.last:
                match = Match("cue", _OPENING[words[i]], i, i + 1)
        matches.append(match)
        i = match.last
    return _adjectives(words, _shared_heads(words, _parts_of_sided(words, matches)))


def _parts_of_sided(words: tuple[str, ...], matches: list[Match]) -> list[Match]:
    """`the neck of the left femur` is the femoral neck on the left."""
    kept: list[Match] = []
    for match in matches:
        side = kept[-1] if kept else None
        if match.kind == "site" and side and side.value in ("left", "right") and side.last == match.first:
            head = side.first - (3 if words[side.first - 1] == "the" else 2)
            if head >= 0 and words[head + 1] == "of":
                known = _index().terms.get((words[head], "of", "the", *words[match.first : match.last]))
                if known is not None and known[0] == "site":
                    kept = [m for m in kept if not m.first <= head < m.last]
                    match = Match(*known, match.first, match.last)
        kept.append(match)
    return kept


def _shared_heads(words: tuple[str, ...], matches: list[Match]) -> list[Match]:
    """`vascular or perineural invasion` names two: the first shares the last word of the second."""
    found: list[Match] = []
    for match in matches:
        first = match.first - 2
        if (
            match.kind == "finding"
            and match.last - match.first > 1
            and first >= 0
            and words[first + 1] in _OR
        ):
            known = _index().terms.get((words[first], words[match.last - 1]))
            taken = any(m.first <= first < m.last and m.kind == "finding" for m in found)
            if known is not None and known[0] == "finding" and not taken:
                found = [m for m in found if not m.first <= first < m.last]
                found.append(Match(*known, first, first + 1))
        found.append(match)
    return sorted(found, key=lambda m: m.first)


def _adjectives(words: tuple[str, ...], matches: list[Match]) -> list[Match]:
    """`hyperintense mass` is one finding with an attribute, though `hyperintense` alone would be a finding."""
    for k in range(len(matches) - 2, -1, -1):
        one = matches[k]
        if one.kind != "finding" or not _noun_follows(words, matches, k):
            continue
        term = attribute_words().get(words[one.first : one.last])
        if term is not None:
            matches[k] = Match("attribute", term, one.first, one.last)
    return matches


_OPENING = {"left": "left", "right": "right", "no": "deny", "without": "deny"}
_LETTERS = {"l": "left", "r": "right"}
_OR = frozenset({"or", "and", "nor"})
_GAP = 2  # `crescent-shaped`
_NOUN_PHRASE = frozenset({"finding", "attribute", "severity"})
_PART_OF_PHRASE = frozenset({"site", "left", "right", "bilateral"})


@lru_cache(maxsize=1)
def _plain() -> frozenset[str]:
    """Words that part two phrases and are no adjective."""
    return role("break") | role("within") | role("verb") | role("break_left") | role("filler")


def _noun_follows(words: tuple[str, ...], matches: list[Match], k: int) -> bool:
    """Whether a noun comes next, with nothing but its place before it: `hyperintense left temporal lesion`."""
    end = matches[k].last
    for other in matches[k + 1 :]:
        gap = words[end : other.first]
        if len(gap) > _GAP or not all(word.isalpha() and word not in _plain() for word in gap):
            return False
        if other.kind in _NOUN_PHRASE:
            return True
        if other.kind != "site" and other.value not in _PART_OF_PHRASE:
            return False
        end = other.last
    return False


def _longest(index: _Index, words: tuple[str, ...], i: int) -> Match | None:
    left = len(words) - i
    for size in index.lengths.get(words[i], ()):
        if size > left:
            continue
        known = index.terms.get(words[i : i + size])
        if known is not None:
            return Match(*known, i, i + size)
    return None


@lru_cache(maxsize=1 << 14)
def concept(text: str) -> tuple[str, str] | None:
    """The kind and concept that a whole phrase names, an article before it left out; None if it names none."""
    words = normal_words(text)
    if words and words[0] in ("a", "an", "the"):
        words = words[1:]
    return _index().terms.get(words)
