"""Every term of the lexicon as a sequence of compared words, found in a text longest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from mht.knowledge.lexicon import lexicon
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
            if kind == "finding" and concept.kind == "study":
                continue  # read from the modality that the text names, not from a term of its own
            spoken = concept.noun if kind == "modality" else concept.term
            for term in (spoken, *concept.synonyms):
                yield normal_words(term), kind, concept.term
    for phrase, kind in lex.cues:
        yield normal_words(phrase), "cue", kind


@lru_cache(maxsize=1)
def _index() -> dict[str, tuple[Entry, ...]]:
    """First word -> the terms that start with it, longest first; the first claim on a sequence stands."""
    claimed: dict[tuple[str, ...], Entry] = {}
    for entry in _entries():
        claimed.setdefault(entry[0], entry)
    index: dict[str, list[Entry]] = {}
    for words, entry in claimed.items():
        index.setdefault(words[0], []).append(entry)
    return {first: tuple(sorted(group, key=lambda e: -len(e[0]))) for first, group in index.items()}


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
    i, n = 0, len(words)
    words = tuple(words)
    while i < n:
        entries = index.get(words[i])
        if entries is None:
            i += 1
            continue
        match = _longest(entries, words, i)
        if match is not None and match.last - i == 2 and words[i] in ("left", "right"):
            # "left ventricular shunt": a side and a finding, not a heart chamber and a shunt
            inner = _longest(index.get(words[i + 1], ()), words, i + 1)
            if inner is not None and inner.kind == "finding" and inner.last > match.last:
                match = Match("cue", words[i], i, i + 1)
        if match is not None:
            matches.append(match)
        i = i + 1 if match is None else match.last
    return _adjectives(words, matches)


def _adjectives(words: tuple[str, ...], matches: list[Match]) -> list[Match]:
    """`hyperintense mass` is one finding with an attribute, though `hyperintense` alone would be a finding."""
    for k in range(len(matches) - 2, -1, -1):
        one, other = matches[k], matches[k + 1]
        if one.kind != "finding" or one.last != other.first or other.kind not in _NOUN_PHRASE:
            continue
        term = attribute_words().get(words[one.first : one.last])
        if term is not None:
            matches[k] = Match("attribute", term, one.first, one.last)
    return matches


_NOUN_PHRASE = frozenset({"finding", "attribute", "severity"})


def _longest(entries: tuple[Entry, ...], words: tuple[str, ...], i: int) -> Match | None:
    for sequence, kind, value in entries:
        size = len(sequence)
        if size == 1 or words[i : i + size] == sequence:
            return Match(kind, value, i, i + size)
    return None


@lru_cache(maxsize=1 << 14)
def concept(text: str) -> tuple[str, str] | None:
    """The kind and concept that a whole phrase names, an article before it left out; None if it names none."""
    words = normal_words(text)
    if words and words[0] in ("a", "an", "the"):
        words = words[1:]
    for sequence, kind, value in _index().get(words[0], ()) if words else ():
        if sequence == words:
            return kind, value
    return None
