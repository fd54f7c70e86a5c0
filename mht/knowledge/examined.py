"""The place that an image shows, as the text says it: `MRI of the left knee`, a mammogram, `left eye: …`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from mht.knowledge.lexicon import lexicon, rows
from mht.knowledge.modifiers import SIDES
from mht.knowledge.spelling import normal
from mht.knowledge.study import examined
from mht.knowledge.vocabulary import Match, concept

_NOT_THIS = frozenset({"deny", "past", "hedge", "done"})


@dataclass(frozen=True, slots=True)
class Examined:
    """The place that the image shows, where the text says so: `MRI of the left knee`."""

    site: str | None = None
    side: str | None = None


def examined_place(words: Sequence[str], matches: Sequence[Match]) -> Examined:
    """The site of the first kind of image that names one; its side where no image of the text has another."""
    site, sides = None, set()
    for k, match in enumerate(matches):
        before = matches[k - 1] if k else None
        if not _names_image(match) or (before and before.value in _NOT_THIS and before.last == match.first):
            continue
        place = examined(words, matches, k)
        shown = place.value if place else _shown(words[match.first : match.last])
        if shown is None:
            continue
        site = site or shown
        beside = (place or match).first
        sides.add(next((SIDES[m.value] for m in matches if m.last == beside and m.value in SIDES), None))
    if site is None and (titled := _title(words, matches)):
        return titled
    return Examined(site, sides.pop() if len(sides) == 1 else None)


@lru_cache(maxsize=1 << 12)
def _shown(name: tuple[str, ...]) -> str | None:
    """The place that the name of an image holds: a coronary angiogram, a chest film, a mammogram."""
    by_word = {normal(word): site for word, site in rows("shows")}
    found = (by_word.get(word) or _site_named(word) for word in name)
    return next(filter(None, found), None)


def _site_named(word: str) -> str | None:
    known = concept(word)
    return known[1] if known is not None and known[0] == "site" else None


def _names_image(match: Match) -> bool:
    """A kind of image, or a view of it: `oblique view of the right foot`."""
    if match.kind == "attribute":
        return lexicon().attributes[match.value].scale in ("view", "plane")
    return match.kind == "modality"


def _title(words: Sequence[str], matches: Sequence[Match]) -> Examined | None:
    """`Left eye: …`: the place that stands before the first colon, by itself."""
    if len(matches) < 2 or matches[0].value not in SIDES or matches[1].kind != "site":
        return None
    side, place = matches[:2]
    alone = side.first == 0 and side.last == place.first and words[place.last : place.last + 1] == (":",)
    return Examined(place.value, SIDES[side.value]) if alone else None
