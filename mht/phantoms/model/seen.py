"""What a head CT phantom shows, in the lexicon's words: findings that are there, normal ones too, and what is not."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from mht.knowledge.lexicon import lexicon
from mht.knowledge.vocabulary import concept
from mht.phantoms.scene import Entity, Scene, findings

KIND = "head_ct"
NORMAL = {
    "midline structures in place": ("midline shift",),
    "normal ventricles": ("hydrocephalus", "intraventricular hemorrhage"),
    "intact skull": ("skull fracture",),
}
"""Normal findings, each with those that speak against it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A finding that is there, by the lexicon's names; None where it has no side, no place or no grade."""

    finding: str
    side: str | None = None
    site: str | None = None
    severity: str | None = None


_SPECIAL = {"infarct": "cerebral infarct"}
"""What the place makes of a finding that could be anywhere."""


@lru_cache(maxsize=256)
def named(words: str) -> str:
    """The lexicon's name of what a phantom calls so."""
    found = concept(_SPECIAL.get(words, words))
    return found[1] if found else words


def shown(scene: Scene) -> tuple[Seen, ...]:
    """All that is there: the scene's findings in its order, then the normal ones that hold."""
    normal = (Seen(name) for name, against in NORMAL.items() if set(scene.absent).issuperset(against))
    return (*map(_seen, scene.present), *normal)


def missing(scene: Scene) -> tuple[str, ...]:
    """All that is not there, normal findings too."""
    there = {entity.finding for entity in scene.present}
    normal = (name for name, against in NORMAL.items() if against[0] in there)
    return (*map(named, scene.absent), *normal)


def _seen(entity: Entity) -> Seen:
    site = named(entity.site) if entity.site else None
    return Seen(named(entity.finding), entity.side, site, entity.severity)


@lru_cache(maxsize=1)
def telling() -> frozenset[str]:
    """The words by which findings, sides, sites and grades are told from each other, and those that deny."""
    names = [*map(named, findings(KIND)), *NORMAL, *lexicon().severities, *lexicon().sites]
    sides = ("left", "right", "bilateral", "both", "sided", "side")
    return frozenset(word for name in (*names, *sides, "no not none") for word in name.split())


def place(seen: Seen) -> str:
    """`in the left frontal lobe`, `on both sides`; empty for what has no place."""
    if seen.site is not None:
        inside = seen.side in ("left", "right")
        words = lexicon().sites[seen.site].phrase.format(f"{seen.side} " if inside else "")
        return words if inside or seen.side is None else f"{words} on both sides"
    return on_side(seen.side) if seen.side else ""


def on_side(side: str) -> str:
    """`on the left`, `on both sides`."""
    return "on both sides" if side == "bilateral" else f"on the {side}"


def noun(finding: str, adjectives: str = "") -> str:
    """The finding with its article: `a midline shift`, `mild hydrocephalus`."""
    words = f"{adjectives} {finding}" if adjectives else finding
    if lexicon().findings[finding].noun != "count":
        return words
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def be(finding: str) -> str:
    """`is` or `are`."""
    return "are" if lexicon().findings[finding].noun == "plural" else "is"


def whole(seen: Seen) -> str:
    """Everything that is known of it as a phrase: `a small subdural haematoma on the left`."""
    return f"{noun(seen.finding, seen.severity or '')} {place(seen)}".strip()
