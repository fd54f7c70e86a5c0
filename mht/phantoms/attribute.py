"""The attributes of a finding in words: adjectives for the terms of `knowledge/attributes.tsv`."""

from __future__ import annotations

import random

from mht.phantoms.scene import CHANGES, Entity

ADJECTIVES: dict[str, tuple[str, ...]] = {
    "well-defined": ("well-defined", "well-defined", "well-circumscribed"),
    "ill-defined": ("ill-defined", "ill-defined", "poorly defined"),
    "non-calcified": ("non-calcified", "noncalcified"),
    "non-displaced": ("non-displaced", "nondisplaced"),
    "hyperdense": ("hyperdense", "hyperdense", "hyperattenuating", "high-density"),
    "isodense": ("isodense", "isodense", "isoattenuating"),
    "hypodense": ("hypodense", "hypodense", "hypoattenuating", "low-density"),
    "ring-enhancing": ("ring-enhancing", "ring-enhancing", "rim-enhancing"),
    "non-enhancing": ("non-enhancing", "nonenhancing"),
    "increased": ("increasing", "increased", "worsening"),
    "unchanged": ("unchanged", "unchanged", "stable"),
    "decreased": ("decreasing", "decreased", "improving"),
}
EDGES = ("well-defined", "ill-defined", "smooth", "spiculated")
MOST = 2  # adjectives in a row, the change not counted


def adjective(term: str, rng: random.Random) -> str:
    """One of the term's words."""
    return rng.choice(ADJECTIVES.get(term, (term,)))


def change(entity: Entity) -> str | None:
    """What became of the entity since an earlier study; None where there is none."""
    return next((term for term in entity.attributes if term in CHANGES), None)


def some(entity: Entity, share: float, rng: random.Random) -> list[str]:
    """Some of the entity's attributes, each with the chance `share`; never the change."""
    picked = [term for term in entity.attributes if term not in CHANGES and rng.random() < share]
    return picked[:MOST]
