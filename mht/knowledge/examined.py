"""The place that an image shows, as the text says it: `MRI of the left knee`, a mammogram, `left eye: …`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from mht.knowledge.lexicon import lexicon, rows
from mht.knowledge.modifiers import SIDES
from mht.knowledge.spelling import normal
from mht.knowledge.study import examined
from mht.knowledge.vocabulary import Match, concept

_TITLE = 16
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
    if not any(sides) and site in (None, "globe") and (eye := _eye(matches)):
        return eye
    if not any(sides) and (titled := _title(words, matches)):
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


def _eye(matches: Sequence[Match]) -> Examined | None:
    """The one eye that the text speaks of, where no other side is named."""
    sides = {m.value for m in matches if m.value in SIDES}
    up = lexicon().site_ancestors
    named = any(
        one.value in SIDES and other.kind == "site" and one.last == other.first and "globe" in up[other.value]
        for one, other in pairwise(matches)
    )
    return Examined("globe", SIDES[sides.pop()]) if named and len(sides) == 1 else None


def _title(words: Sequence[str], matches: Sequence[Match]) -> Examined | None:
    """`Left eye: …`, `Core biopsy from the left breast: …`: the one place with a side before the first colon."""
    colon = next((i for i, word in enumerate(words[:_TITLE]) if word == ":"), None)
    head = [m for m in matches if colon is not None and m.last <= colon]
    if any(m.kind == "finding" for m in head):
        return None
    pairs = [
        (one, other)
        for one, other in pairwise(head)
        if one.value in SIDES and other.kind == "site" and one.last == other.first
    ]
    return Examined(pairs[0][1].value, SIDES[pairs[0][0].value]) if len(pairs) == 1 else None
