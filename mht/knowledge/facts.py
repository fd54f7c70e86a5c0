"""A caption to its facts: finding, presence, side, site, severity and size, each with its place in the text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from mht.knowledge.attachment import Modifiers, modifiers
from mht.knowledge.lexicon import ANYWHERE, CHANGE, is_study, lexicon
from mht.knowledge.presence import ABSENT, PRESENT, UNCERTAIN, presences
from mht.knowledge.spelling import normal_words, tokens
from mht.knowledge.study import Study, studies
from mht.knowledge.vocabulary import Match, concept, find
from mht.records import Fact, Reading

_BOUNDARY = frozenset(".;:!?•·")
_SIZE = re.compile(
    r"(?<![\d.])(\d*\.?\d+)(?:\s*(?:mm|cm)?\s*[x×*]\s*(\d*\.?\d+))?(?:\s*(?:mm|cm)?\s*[x×*]\s*(\d*\.?\d+))?"
    r"\s*-?\s*(mm|cm|millimet|centimet)(?![23²³])",
    re.IGNORECASE,
)
_MM = {"m": 1.0, "c": 10.0}
_SIZE_REACH = 40


def _clauses(words: Sequence[str], matches: list[Match]) -> Iterator[tuple[int, int, list[Match]]]:
    """The stretches between full stops, semicolons and words such as `but`, with their matches."""
    stops = [m.first for m in matches if m.kind == "cue" and m.value == "stop"]
    edges = sorted({0, len(words), *stops, *(i + 1 for i, word in enumerate(words) if word in _BOUNDARY)})
    k = 0
    for first, last in pairwise(edges):
        clause = []
        while k < len(matches) and matches[k].first < last:
            clause.append(matches[k])
            k += 1
        if clause:
            yield first, last, clause


def _sizes(caption: str) -> list[tuple[int, int, float]]:
    """Every length in the text as (start, end, largest dimension in mm)."""
    if "m" not in caption:
        return []
    found = []
    for m in _SIZE.finditer(caption):
        numbers = [float(m[i]) for i in (1, 2, 3) if m[i]]
        found.append((m.start(), m.end(), max(numbers) * _MM[m[4][0].lower()]))
    return found


def _size_near(sizes: list[tuple[int, int, float]], start: int, end: int, stop: int) -> float | None:
    """The length that stands nearest to the finding, not past the end of its clause."""
    near = [(min(abs(start - b), abs(a - end)), mm) for a, b, mm in sizes if b <= stop]
    near = [pair for pair in near if pair[0] <= _SIZE_REACH]
    return min(near)[1] if near else None


def _compose(finding: str, got: Modifiers, region: str | None) -> tuple[str, str | None]:
    """A general finding at a site that makes it a special one, and the site if it still says more than the name.

    A mass of the right lung is a lung mass on the right; one of the right upper lobe keeps its lobe.
    """
    lex = lexicon()
    place = got.site or region
    if place is None:
        return finding, got.site
    chain = lex.site_ancestors[place]
    for step in chain[:1] if lex.findings[finding].kind == CHANGE else chain:
        special = lex.compositions.get((finding, step))
        if special is not None:
            told = got.site == step and (lex.findings[special].sided or got.side is None)
            return special, None if told else got.site
    return finding, got.site


def _region(matches: list[Match]) -> str | None:
    """The part of the body that the first place or place-bound finding of the text lies in."""
    lex = lexicon()
    for match in matches:
        if match.kind == "site":
            return lex.site_ancestors[match.value][-1]
        if match.kind == "finding":
            where = lex.findings[match.value].where - {ANYWHERE}
            roots = {lex.site_ancestors[place.lstrip("=")][-1] for place in where}
            if len(roots) == 1:
                return roots.pop()
    return None


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
    matches = find(words)
    sizes = _sizes(caption)
    facts: dict[tuple[object, ...], Fact] = {}
    region = _region(matches)
    for first, last, clause in _clauses(words, matches):
        states = presences(words, clause, last)
        for match in clause:
            if match.kind != "finding":
                continue
            got = modifiers(words, clause, match, (first, last))
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
                size_mm=_size_near(sizes, start, end, found_tokens[last - 1][2]) if sizes else None,
            )
            if fact.site is None and lexicon().findings[fact.finding].kind == CHANGE:
                continue  # "an enlarged image": a change of nothing named is no finding
            facts.setdefault((fact.finding, fact.presence, fact.side, fact.site), fact)
    kind = modality_of(modality) or next((m.value for m in matches if m.kind == "modality"), None)
    found = [*facts.values(), *(_study_fact(caption, found_tokens, s) for s in studies(words, matches))]
    if modality is not None:
        own = lexicon().modalities[kind].noun if kind else None
        found = [f for f in found if not is_study(f.finding) or f.finding == own]
    return Reading(caption=caption, facts=tuple(sorted(found, key=lambda f: f.start)), modality=kind)


def _study_fact(caption: str, found: list[tuple[str, int, int]], study: Study) -> Fact:
    start, end = found[study.match.first][1], found[study.match.last - 1][2]
    return Fact(
        finding=lexicon().modalities[study.modality].noun,
        text=caption[start:end],
        start=start,
        end=end,
        presence=PRESENT,
        side=study.side,
        site=study.region,
    )


__all__ = ["ABSENT", "PRESENT", "UNCERTAIN", "modality_of", "read_facts"]
