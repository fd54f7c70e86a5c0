"""The wrong place: a mass of the liver is said to lie in the spleen. Only places that can be mistaken for it."""

from __future__ import annotations

import random
from functools import lru_cache

from pydantic import BaseModel, ConfigDict

from mht.knowledge.lexicon import lexicon, seen_at
from mht.knowledge.presence import PRESENT
from mht.knowledge.slots import SITE
from mht.perturbations._scale import exchange
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
    if not (seen_at(finding, site) and _has_side(site, side)):
        return ()
    return tuple(s for s in lexicon().siblings[site] if seen_at(finding, s) and _has_side(s, side))


def perturb(reading: Reading, fact: int, rng: random.Random, params: Params) -> Edit | None:
    """The fact at a sibling of its site; None where it has none or the facts leave it open."""
    stated = reading.facts[fact]
    if stated.presence != PRESENT or stated.site is None:
        return None
    start = Edit("location", fact, SITE, stated.site, stated.site, 1, 1)
    return exchange(reading, start, lambda own: _siblings(stated.finding, own, stated.side), rng)
