"""Normal statements that are shared: `liver, spleen and pancreas are unremarkable`, `normal brain and ventricles`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mht.knowledge.lexicon import WHOLE, lexicon
from mht.knowledge.vocabulary import Match, concept

NORMAL = "normal"
_SAYS = frozenset({"normal", "unremarkable", "intact"})
_BE = frozenset({"is", "are", "was", "were", "appear", "appears", "remain", "remains"})
_JOINS = frozenset({",", "and"})
_ARTICLES = frozenset({"the", "both"})
_FEATURES = frozenset(
    {"size", "echotexture", "appearance", "caliber", "shape", "morphology", "thickness", "position"}
)
_NAME_WORDS = 3


def with_normals(words: Sequence[str], matches: list[Match]) -> list[Match]:
    """The matches with one more for each organ that shares a normal statement; a site that it names gives way."""
    if _SAYS.isdisjoint(words):
        return matches
    found = [m for i, word in enumerate(words) if word in _SAYS for m in _shared(words, i)]
    found += _whole(words, matches)
    stated = {i for m in matches if m.kind == "finding" for i in range(m.first, m.last)}
    found = [m for m in found if stated.isdisjoint(range(m.first, m.last))]
    if not found:
        return matches
    held = {i for m in found for i in range(m.first, m.last)}
    kept = [m for m in matches if held.isdisjoint(range(m.first, m.last))]
    return sorted(kept + found, key=lambda m: m.first)


def _shared(words: Sequence[str], at: int) -> Iterator[Match]:
    """The organs of the list that stands after `normal`, or before a verb and `normal`."""
    if at and words[at - 1] in _BE:
        yield from _back(words, at - 1, _state(words[at]))
    elif at > 1 and words[at - 2] in _BE and (words[at - 1] == "within" or _of_feature(words, at)):
        yield from _back(words, at - 2)  # "is within normal limits", "is of normal size"
    elif at and (at + 1 == len(words) or not words[at + 1].isalpha()):
        yield from _back(words, at, _state(words[at]))  # "both ovaries unremarkable."
    elif not at or words[at - 1] != "not":
        yield from _on(words, at + 1, _state(words[at]))


def _state(word: str) -> str:
    """How the lexicon calls it: `unremarkable` is normal."""
    return word if word == "intact" else NORMAL


def _of_feature(words: Sequence[str], at: int) -> bool:
    return words[at - 1] == "of" and words[at + 1 : at + 2] != () and words[at + 1] in _FEATURES


def _on(words: Sequence[str], i: int, state: str = NORMAL) -> Iterator[Match]:
    while True:
        i += i < len(words) and words[i] in _ARTICLES
        last = next((i + n for n in range(_NAME_WORDS, 0, -1) if _named(words, i, i + n, state)), None)
        if last is None:
            return
        if (organ := _organ(words, i, last, state)) is not None:
            yield organ
        if last >= len(words) or words[last] not in _JOINS:
            return
        i = last + 1 + (words[last + 1 : last + 2] == ("and",))


def _back(words: Sequence[str], end: int, state: str = NORMAL) -> Iterator[Match]:
    while True:
        first = next((end - n for n in range(_NAME_WORDS, 0, -1) if _named(words, end - n, end, state)), None)
        if first is None or _of_something(words, first):
            return
        if (organ := _organ(words, first, end, state)) is not None:
            yield organ
        end = first - (first > 0 and words[first - 1] in _ARTICLES)
        if end <= 0 or words[end - 1] not in _JOINS:
            return
        end -= 1 + (words[end - 2 : end - 1] == (",",) and words[end - 1] == "and")


def _named(words: Sequence[str], first: int, last: int, state: str) -> bool:
    """Whether the stretch is a place; not every one has a name for its normal state."""
    if _organ(words, first, last, state) is not None:
        return True
    inside = 0 <= first < last <= len(words) and words[first] not in _ARTICLES
    known = concept(" ".join(words[first:last])) if inside else None
    return known is not None and known[0] == "site"


def _of_something(words: Sequence[str], first: int) -> bool:
    """`filling of the bladder is normal`: not the bladder."""
    first -= first > 0 and words[first - 1] in _ARTICLES
    return first > 0 and words[first - 1] == "of"


def _whole(words: Sequence[str], matches: Sequence[Match]) -> Iterator[Match]:
    """`a normal chest CT`, `normal axial MRI`: the image as a whole, where nothing but what describes it is between."""
    for k, match in enumerate(matches):
        if match.kind != "modality":
            continue
        first = match.first
        for before in reversed(matches[:k]):
            if before.last != first or before.kind not in ("site", "attribute", "modality"):
                break
            first = before.first
        if first and words[first - 1] == NORMAL:
            part = _named_behind(words, match.last)
            yield Match("finding", part.value if part else WHOLE, first - 1, first)


def _named_behind(words: Sequence[str], i: int) -> Match | None:
    """`a normal sonogram of the gallbladder` is one of a normal gallbladder."""
    if words[i : i + 1] != ("of",):
        return None
    i += 1 + (words[i + 1 : i + 2] == ("the",))
    return next((m for size in range(_NAME_WORDS, 0, -1) if (m := _organ(words, i, i + size))), None)


def _organ(words: Sequence[str], first: int, last: int, state: str = NORMAL) -> Match | None:
    """The stretch as an organ whose normal state has a name."""
    if first < 0 or last > len(words):
        return None
    known = concept(" ".join((state, *words[first:last])))
    if known is None or known[0] != "finding" or lexicon().findings[known[1]].kind != NORMAL:
        return None
    return Match("finding", known[1], first, last)
