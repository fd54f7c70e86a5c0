"""A caption to its facts: finding, presence, side, site, severity and size, each with its place in the text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

from mht.knowledge.context import on_image, places
from mht.knowledge.examined import examined_place
from mht.knowledge.lengths import owned_lengths
from mht.knowledge.lexicon import (
    ANYWHERE,
    CHANGE,
    DEVICE,
    NORMAL,
    STUDY_SCALES,
    WHOLE,
    is_study,
    lexicon,
    role,
)
from mht.knowledge.modifiers import Modifiers
from mht.knowledge.normality import with_normals
from mht.knowledge.plain import plain_text
from mht.knowledge.presence import ABSENT, PRESENT, UNCERTAIN, is_idle, presences
from mht.knowledge.slots import ordered
from mht.knowledge.spelling import normal_words, tokens
from mht.knowledge.study import Study, studies, unnamed
from mht.knowledge.vocabulary import Match, attribute_words, concept, find
from mht.records import Fact, Reading

_BOUNDARY = frozenset(".;:!?•·")
_DEFINITE = frozenset({"the", "this", "these", "its"})
_ARTICLE_REACH = 3
Token = tuple[str, int, int]


def _clauses(words: Sequence[str], matches: list[Match]) -> Iterator[tuple[int, int, list[Match]]]:
    """The stretches between full stops, semicolons and words such as `but`, with their matches."""
    hedged = {m.first for m in matches if m.value == "hedge"}  # "a lesion of the liver but probably a cyst"
    stops = [m.first for m in matches if m.kind == "cue" and m.value == "stop" and m.last not in hedged]
    edges = sorted({0, len(words), *stops, *(i + 1 for i, word in enumerate(words) if word in _BOUNDARY)})
    k = 0
    for first, last in pairwise(edges):
        clause = []
        while k < len(matches) and matches[k].first < last:
            clause.append(matches[k])
            k += 1
        if clause:
            yield first, last, clause


def _compose(finding: str, got: Modifiers, region: str | None) -> tuple[str, str | None]:
    """A general finding at a site that makes it a special one, and the site if it still says more than the name.

    A mass of the right lung is a lung mass on the right; one of the right upper lobe keeps its lobe.
    """
    lex = lexicon()
    regional = finding not in role("placed")
    place = got.site or (region if regional else None)
    if place is None:
        return finding, got.site
    for step in (f"={place}", *lex.site_ancestors[place]):
        special = lex.compositions.get((finding, step))
        if special is not None:
            named = step.lstrip("=") in lex.findings[special].where
            told = (
                got.site == step.lstrip("=") and named and (lex.findings[special].sided or got.side is None)
            )
            return special, None if told else got.site
    return finding, got.site


def _region(matches: list[Match]) -> str | None:
    """The part of the body that the first place or place-bound finding of the text lies in."""
    lex = lexicon()
    for match in matches:
        if match.kind == "site":
            return _part(match.value)
        if match.kind == "finding":
            where = lex.findings[match.value].where - {ANYWHERE}
            roots = {_part(place.lstrip("=")) for place in where}
            if len(roots) == 1:
                return roots.pop()
    return None


def _part(site: str) -> str:
    """The part of the body; the face and the scalp apart from the head, of which a lesion would be one of the brain."""
    *_, part = chain = lexicon().site_ancestors[site]
    return next(
        (
            own
            for own in ("temporal bone", "thyroid gland", "globe", "face", "ear", "scalp", "breast")
            if own in chain
        ),
        part,
    )


def modality_of(text: str | None) -> str | None:
    """The modality that a metadata value or a text names first; None where it names none."""
    if not text:
        return None
    known = concept(text)
    if known is not None and known[0] == "modality":
        return known[1]
    return next((m.value for m in find(normal_words(text)) if m.kind == "modality"), None)


def read_facts(caption: str, modality: str | None = None) -> Reading:
    """The statements of a caption, in the order of the text.

    `modality` is what the metadata says, in any wording; it wins over the text. A finding said twice of one place is
    kept once. Nothing is guessed: what the text does not say is None.
    """
    found_tokens = tokens(caption)
    words = tuple(token[0] for token in found_tokens)
    matches = with_normals(words, plain_text(words, find(words)))
    facts = _findings(caption, found_tokens, words, matches)
    kind = modality_of(modality) or next((m.value for m in matches if m.kind == "modality"), None)
    found = [
        *_consistent(facts),
        *(_study_fact(caption, found_tokens, s) for s in _pictures(words, matches, modality)),
    ]
    if modality is not None:
        found = _by_metadata(found, modality, kind)
    return Reading(caption=caption, facts=tuple(sorted(found, key=lambda f: f.start)), modality=kind)


def _findings(
    caption: str, found_tokens: Sequence[Token], words: tuple[str, ...], matches: list[Match]
) -> dict[Key, Fact]:
    """What is said to be there or not, each of one place once."""
    facts: dict[Key, Fact] = {}
    image = examined_place(words, matches)
    region = image.site or _region(matches)
    for first, last, clause in _clauses(words, matches):
        states = presences(words, clause, last)
        taken = places(words, clause, (first, last))
        sizes = owned_lengths(caption, clause, found_tokens, (first, last))
        for match in clause:
            if match.first not in states:
                continue
            got = on_image(taken[match.first], match, image)
            start, end = found_tokens[match.first][1], found_tokens[match.last - 1][2]
            finding, site = _compose(match.value, got, region)
            fact = Fact(
                finding=finding,
                text=caption[start:end],
                start=start,
                end=end,
                presence=states[match.first],
                side=got.side,
                site=site,
                severity=got.severity,
                size_mm=sizes.get(match.first),
                attributes=_attributes(words, match, got.attributes),
            )
            if not _says_nothing(fact):
                _add(fact, facts, words, match)
    return facts


def _says_nothing(fact: Fact) -> bool:
    """`an enlarged image`, a change of nothing named; and what is idle."""
    placeless = fact.site is None and lexicon().findings[fact.finding].kind == CHANGE
    return (placeless and not _stands_alone(fact)) or is_idle(fact.finding, fact.presence)


def _add(fact: Fact, facts: dict[Key, Fact], words: Sequence[str], match: Match) -> None:
    """Put the fact to the others, or what it says to the one that it speaks of again."""
    if _said_before(fact, facts):
        return
    earlier = _referent(fact, facts, words, match) if facts else None
    if earlier is not None:
        facts[earlier] = _merged(facts[earlier], fact)
    else:
        facts.setdefault((fact.finding, fact.presence, fact.side, fact.site), fact)


def _by_metadata(found: list[Fact], modality: str, kind: str | None) -> list[Fact]:
    """Of the kinds of image only the one that the metadata name; it stands at no place in the text if not there."""
    own = lexicon().modalities[kind].noun if kind else None
    found = [f for f in found if not is_study(f.finding) or f.finding == own]
    if own is not None and not any(is_study(f.finding) for f in found):
        found.append(Fact(own, modality, 0, 0, PRESENT))
    return found


Key = tuple[str, str, str | None, str | None]


def _consistent(facts: Mapping[Key, Fact]) -> Iterator[Fact]:
    """The facts without `no (other) abnormality` where there is one."""
    abnormal = any(map(_abnormal, facts.values()))
    return (fact for fact in facts.values() if fact.finding != WHOLE or not abnormal)


def _abnormal(fact: Fact) -> bool:
    return fact.presence != ABSENT and lexicon().findings[fact.finding].kind not in (NORMAL, DEVICE)


def _stands_alone(fact: Fact) -> bool:
    """`an angiogram without stenosis`: what needs no place to be understood."""
    return fact.finding in role("alone")


def _said_before(fact: Fact, facts: dict[Key, Fact]) -> bool:
    """Whether a bare mention says no more than an earlier one of the same finding."""
    bare = not (fact.side or fact.site or fact.severity or fact.size_mm or fact.attributes)
    return bare and any(key[:2] == (fact.finding, fact.presence) for key in facts)


def _referent(fact: Fact, facts: dict[Key, Fact], words: Sequence[str], match: Match) -> Key | None:
    """The fact that a later mention speaks of again: `a mass of the liver … the mass is hyperdense`."""
    if fact.presence != PRESENT or not _DEFINITE.intersection(
        words[max(0, match.first - _ARTICLE_REACH) : match.first]
    ):
        return None
    kin = [key for key in facts if key[1] == PRESENT and match.value in lexicon().ancestors[key[0]]]
    return kin[0] if len(kin) == 1 and _compatible(facts[kin[0]], fact) else None


def _compatible(one: Fact, other: Fact) -> bool:
    """Whether two facts of a finding contradict each other in nothing."""
    known = lexicon().attributes
    scales = {known[term].scale: term for term in one.attributes}
    return (
        all(getattr(other, name) in (None, getattr(one, name)) for name in ("side", "site"))
        and None in (one.severity, other.severity, None if one.severity == other.severity else "")
        and None in (one.size_mm, other.size_mm)
        and all(scales.get(known[term].scale, term) == term for term in other.attributes)
    )


def _merged(one: Fact, other: Fact) -> Fact:
    return replace(
        one,
        severity=one.severity or other.severity,
        size_mm=one.size_mm or other.size_mm,
        attributes=ordered(tuple(dict.fromkeys((*one.attributes, *other.attributes)))),
    )


def _attributes(words: Sequence[str], match: Match, around: tuple[str, ...]) -> tuple[str, ...]:
    """The attributes around a finding with the one that its own wording may hold: `displaced fracture`."""
    own = (
        _within(tuple(words[match.first : match.last]), match.value) if match.last - match.first > 1 else None
    )
    if own is not None:
        scale = lexicon().attributes[own].scale
        around = (*(t for t in around if lexicon().attributes[t].scale != scale), own)
    return ordered(around) if len(around) > 1 else around


@lru_cache(maxsize=1 << 14)
def _within(wording: tuple[str, ...], finding: str) -> str | None:
    """The attribute that a finding's wording opens with, where the rest alone names the finding."""
    for size in (1, 2):
        term = attribute_words().get(wording[:size])
        named = (
            normal_words(finding)[:size] == wording[:size]
        )  # `central venous catheter` says nothing of a place
        if term is None or named or lexicon().attributes[term].scale in STUDY_SCALES:
            continue
        rest = find(wording[size:])
        if len(rest) == 1 and rest[0].last == len(wording) - size and rest[0].value == finding:
            return term
    return None


def _pictures(words: Sequence[str], matches: list[Match], modality: str | None) -> list[Study]:
    """What the text says that the image is; where neither it nor the metadata name a kind, how it was taken."""
    named = list(studies(words, matches))
    if named or modality is not None:
        return named
    picture = unnamed(words, matches)
    return [] if picture is None else [picture]


def _study_fact(caption: str, found: Sequence[Token], study: Study) -> Fact:
    start, end = found[study.match.first][1], found[study.match.last - 1][2]
    return Fact(
        finding=lexicon().modalities[study.modality].noun,
        text=caption[start:end],
        start=start,
        end=end,
        presence=UNCERTAIN if study.open else PRESENT,
        side=study.side,
        site=study.region,
        attributes=study.attributes,
    )


__all__ = ["ABSENT", "PRESENT", "UNCERTAIN", "modality_of", "read_facts"]
