"""What a chest phantom shows, in the lexicon's words: findings that are there, normal ones too, and what is not."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from mht.knowledge.lexicon import lexicon
from mht.knowledge.vocabulary import concept
from mht.phantoms.scene import Entity, Scene

KIND = "chest_xray"
_LUNG = ("consolidation", "pulmonary edema", "atelectasis", "pulmonary nodule", "lung mass", "emphysema")
NORMAL = {
    "normal heart size": ("cardiomegaly",),
    "sharp costophrenic angles": ("pleural effusion",),
    "clear lungs": (*_LUNG, "pneumothorax", "pleural effusion"),
    "intact ribs": ("rib fracture",),
}
"""Normal findings, each with those that speak against it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A finding that is there, by the lexicon's names; None where it has no side, no place or no grade."""

    finding: str
    side: str | None = None
    site: str | None = None
    severity: str | None = None


@lru_cache(maxsize=256)
def named(words: str) -> str:
    """The lexicon's name of what a phantom calls so."""
    found = concept(words)
    return found[1] if found else words


def shown(scene: Scene) -> tuple[Seen, ...]:
    """All that is there: the scene's findings in its order, then the normal ones that hold."""
    there = {entity.finding for entity in scene.present}
    normal = (Seen(name) for name, against in NORMAL.items() if not there.intersection(against))
    return (*map(_seen, scene.present), *normal)


def missing(scene: Scene) -> tuple[str, ...]:
    """All that is not there, normal findings too."""
    there = {entity.finding for entity in scene.present}
    normal = (name for name, against in NORMAL.items() if against[0] in there)
    return (*map(named, scene.absent), *normal)


def _seen(entity: Entity) -> Seen:
    site = named(entity.site) if entity.site else None
    return Seen(named(entity.finding), entity.side, site, entity.severity)


def place(seen: Seen) -> str:
    """`in the left lower lobe`, `on both sides`, `at the lung base on the right`; empty for what has no place."""
    if seen.site is not None:
        inside = seen.side in ("left", "right")
        words = lexicon().sites[seen.site].phrase.format(f"{seen.side} " if inside else "")
        return words if inside or seen.side is None else f"{words} on both sides"
    return on_side(seen.side) if seen.side else ""


def on_side(side: str) -> str:
    """`on the left`, `on both sides`."""
    return "on both sides" if side == "bilateral" else f"on the {side}"


def noun(finding: str, adjectives: str = "") -> str:
    """The finding with its article: `a pacemaker`, `mild cardiomegaly`."""
    words = f"{adjectives} {finding}" if adjectives else finding
    if lexicon().findings[finding].noun != "count":
        return words
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def be(finding: str) -> str:
    """`is` or `are`."""
    return "are" if lexicon().findings[finding].noun == "plural" else "is"


def whole(seen: Seen) -> str:
    """Everything that is known of it as a phrase: `a small pleural effusion on the left`."""
    return f"{noun(seen.finding, seen.severity or '')} {place(seen)}".strip()
