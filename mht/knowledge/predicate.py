"""What a clause says of a finding behind it: `the effusion is small`, `has increased`, `with irregular margins`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from mht.knowledge.lexicon import lexicon
from mht.knowledge.modifiers import SIDES, Modifiers, described
from mht.knowledge.vocabulary import Match

_IS = frozenset(
    {"is", "are", "was", "were", "appear", "appears", "has", "have", "which", "that", "be", "been"}
)
_BECAME = frozenset({"has", "have", "had", "is", "are", "was", "were", "been", "that", "remain"})
_TO_PLACE = frozenset({"of", "in", "at", "on", "the", "side"})
_EDGES = frozenset(
    {"margin", "border", "edge", "contour", "outline", "enhancement", "texture", "wall", "shape"}
)


def predicate(words: Sequence[str], at: Mapping[int, Match], finding: Match, got: Modifiers) -> Modifiers:
    """Graded words after a verb (`the effusion is small`, `is round and well-defined`, `has increased`)."""
    start = i = _past_place(words, at, finding.last)
    while i < len(words) and i - start < 3 and words[i] in _IS:
        i += 1
    if i == start:
        return _edged(words, at, finding, got)
    has = words[i - 1] in ("has", "have")
    while (match := at.get(i)) is not None or words[i : i + 1] == ("and",):
        if match is None:
            i += 1
            continue
        if has and not _owned(words, match):
            return got
        if match.kind == "severity":
            got = got if got.severity else replace(got, severity=match.value)
        elif match.kind == "attribute":
            got = described(got, match.value)
        else:
            return got
        i = match.last
    return got


def _owned(words: Sequence[str], match: Match) -> bool:
    """Whether `the mass has …` says it of the mass: it has increased, has ill-defined margins; not `has two foci`."""
    if match.kind != "attribute":
        return False
    edge = words[match.last : match.last + 1]
    return lexicon().attributes[match.value].scale == "change" or bool(edge and edge[0] in _EDGES)


def _past_place(words: Sequence[str], at: Mapping[int, Match], i: int) -> int:
    """The word behind the place that follows a finding: `consolidation [of the right lower lobe] is mild`."""
    start = i
    while i < len(words):
        match = at.get(i)
        if match is not None and (match.kind == "site" or match.value in SIDES):
            i = match.last
        elif words[i] in _TO_PLACE and match is None:
            i += 1
        else:
            return i
    return start


def changed(words: Sequence[str], clause: Sequence[Match], finding: Match, got: Modifiers) -> Modifiers:
    """What became of it, said behind it and before the next finding: `the effusion on the left has increased`."""
    for match in clause:
        if match.first < finding.last:
            continue
        if match.kind == "finding":
            return got
        said = words[match.first - 1] in _BECAME or words[match.last - 1] == "since"
        if said and match.kind == "attribute" and lexicon().attributes[match.value].scale == "change":
            return described(got, match.value)
    return got


def _edged(words: Sequence[str], at: Mapping[int, Match], finding: Match, got: Modifiers) -> Modifiers:
    """`a mass with irregular, ill-defined margins`."""
    if words[finding.last : finding.last + 1] != ("with",):
        return got
    i, taken = finding.last + 1, got
    while (match := at.get(i)) is not None or words[i : i + 1] in ((",",), ("and",)):
        if match is None:
            i += 1
            continue
        if match.kind != "attribute":
            return got
        taken = described(taken, match.value)
        i = match.last
    return taken if words[i : i + 1] and words[i] in _EDGES else got
