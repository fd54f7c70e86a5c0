"""Normal statements that are shared: `liver, spleen and pancreas are unremarkable`, `normal brain and ventricles`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mht.knowledge.lexicon import lexicon, role
from mht.knowledge.vocabulary import Match, concept

NORMAL = "normal"
_SAYS = frozenset({"normal", "unremarkable"})
_BE = frozenset({"is", "are", "was", "were", "appear", "appears", "remain", "remains"})
_JOINS = frozenset({",", "and"})
_ARTICLES = frozenset({"the", "both"})
_NAME_WORDS, _OF_REACH = 3, 4
_LUNG_ENDS = frozenset({"lung base", "lung apex"})
_ENDS_OF = frozenset({"base", "apex"})
_LUNG = frozenset({"lung", "lobe", "hemithorax", "thorax", "chest"})


def with_normals(words: Sequence[str], matches: list[Match]) -> list[Match]:
    """The matches with one more for each organ that shares a normal statement; a site that it names gives way."""
    if _SAYS.isdisjoint(words):
        return matches
    found = [m for i, word in enumerate(words) if word in _SAYS for m in _shared(words, i)]
    stated = {i for m in matches if m.kind == "finding" for i in range(m.first, m.last)}
    found = [m for m in found if stated.isdisjoint(range(m.first, m.last))]
    if not found:
        return matches
    held = {i for m in found for i in range(m.first, m.last)}
    kept = [m for m in matches if held.isdisjoint(range(m.first, m.last))]
    return sorted(kept + found, key=lambda m: m.first)


def plain_text(words: Sequence[str], matches: list[Match]) -> list[Match]:
    """The matches without what a running text does not say: letter codes of modalities, and what is normal elsewhere."""
    return [m for m in matches if not (_code(words, m) or _elsewhere(words, m) or _end_of_another(words, m))]


def _code(words: Sequence[str], match: Match) -> bool:
    """`400 mg`, `Dr.`: the codes that metadata use are other words in a text."""
    return match.kind == "modality" and match.last - match.first == 1 and words[match.first] in role("code")


def _end_of_another(words: Sequence[str], match: Match) -> bool:
    """`the base of the fifth metatarsal`, `the apex of the tooth`: no part of the lung."""
    if match.value not in _LUNG_ENDS or match.last - match.first > 1 or words[match.first] not in _ENDS_OF:
        return False
    after = words[match.last : match.last + _OF_REACH]
    return after[:1] == ("of",) and _LUNG.isdisjoint(after)


def _elsewhere(words: Sequence[str], match: Match) -> bool:
    """`isointense to normal brain`: only what something is compared with, or a part between others."""
    if match.kind != "finding" or lexicon().findings[match.value].kind != NORMAL:
        return False
    i = match.first - 1
    if match.value == "clear lungs" and i >= 0 and words[i] in ("left", "right"):
        return True  # one of the two says nothing of the other
    while i >= 0 and words[i] in _ARTICLES:
        i -= 1
    return i >= 0 and words[i] in role("compared")


def _shared(words: Sequence[str], at: int) -> Iterator[Match]:
    """The organs of the list that stands after `normal`, or before a verb and `normal`."""
    if at and words[at - 1] in _BE:
        yield from _back(words, at - 1)
    elif at and (at + 1 == len(words) or not words[at + 1].isalpha()):
        yield from _back(words, at)  # "both ovaries unremarkable."
    elif not at or words[at - 1] != "not":
        yield from _on(words, at + 1)


def _on(words: Sequence[str], i: int) -> Iterator[Match]:
    while True:
        i += i < len(words) and words[i] in _ARTICLES
        named = next((m for size in range(_NAME_WORDS, 0, -1) if (m := _organ(words, i, i + size))), None)
        if named is None:
            return
        yield named
        i = named.last
        if i >= len(words) or words[i] not in _JOINS:
            return
        i += 1 + (words[i + 1 : i + 2] == ("and",))


def _back(words: Sequence[str], end: int) -> Iterator[Match]:
    while True:
        named = next((m for size in range(_NAME_WORDS, 0, -1) if (m := _organ(words, end - size, end))), None)
        if named is None:
            return
        yield named
        end = named.first
        end -= end > 0 and words[end - 1] in _ARTICLES
        if end <= 0 or words[end - 1] not in _JOINS:
            return
        end -= 1 + (words[end - 2 : end - 1] == (",",) and words[end - 1] == "and")


def _organ(words: Sequence[str], first: int, last: int) -> Match | None:
    """The stretch as an organ whose normal state has a name."""
    if first < 0 or last > len(words):
        return None
    known = concept(" ".join((NORMAL, *words[first:last])))
    if known is None or known[0] != "finding" or lexicon().findings[known[1]].kind != NORMAL:
        return None
    return Match("finding", known[1], first, last)
