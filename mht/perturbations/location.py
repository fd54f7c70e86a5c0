"""The wrong place: a mass of the liver is said to lie in the spleen. Only places that can be mistaken for it."""

from __future__ import annotations

import random
from functools import lru_cache

from pydantic import BaseModel, ConfigDict

from mht.knowledge.lexicon import lexicon, seen_at
from mht.knowledge.presence import PRESENT
from mht.knowledge.truth import left_open
from mht.records import Edit, Reading, Subject

ABOUT = frozenset({Subject.STATED, Subject.STUDY})


class Params(BaseModel):
    """No settings: the siblings of a site are in the lexicon."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _has_side(site: str, side: str | None) -> bool:
    sided = lexicon().sites[site].sided
    return sided == "yes" or (sided == "no" and side is None) or (side is not None and sided == side)


@lru_cache(maxsize=1 << 14)
def _siblings(finding: str, site: str, side: str | None) -> tuple[str, ...]:
    """Where else the finding could be said to be: same group, same side, and seen there."""
    return tuple(s for s in lexicon().siblings[site] if seen_at(finding, s) and _has_side(s, side))


def perturb(reading: Reading, fact: int, rng: random.Random, params: Params) -> Edit | None:
    """The fact at a sibling of its site; None where it has none or the facts leave it open."""
    stated = reading.facts[fact]
    if stated.presence != PRESENT or stated.site is None:
        return None
    choices = _siblings(stated.finding, stated.site, stated.side)
    if not choices:
        return None
    after = choices[int(rng.random() * len(choices))]
    if left_open(reading, fact, "site", after):
        return None
    back = _siblings(stated.finding, after, stated.side)
    return (
        Edit("location", fact, "site", stated.site, after, 1 / len(choices), 1 / len(back)) if back else None
    )
