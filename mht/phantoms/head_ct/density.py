"""How bright a finding of the head is, by its age and by contrast."""

from __future__ import annotations

import random
from dataclasses import replace

from mht.phantoms.scene import Entity

# What comes with a bleed or an infarct only while it is new.
FRESH = {"intraventricular hemorrhage", "subarachnoid hemorrhage", "scalp hematoma", "midline shift"}
# How old blood looks on a scan without contrast.
ACUTE, SUBACUTE, CHRONIC = ("hyperdense", "acute"), ("isodense", "subacute"), ("hypodense", "chronic")


def with_density(entity: Entity, enhanced: bool, fresh: bool, rng: random.Random) -> Entity:
    """The entity as bright as its age and the contrast make it; beside what is `fresh` nothing is old."""
    draw = rng.random() * (0.5 if fresh else 1.0)
    if entity.finding == "intracranial mass":
        draw = rng.random()
        margin = "well-defined" if rng.random() < 0.55 else "ill-defined"
        names = ("ring-enhancing", "enhancing", "non-enhancing")
        if not enhanced:
            names = ("hyperdense", "isodense", "hypodense")
        look = names[0] if draw < 0.42 else names[1] if draw < 0.72 else names[2]
        return replace(entity, attributes=(look, margin))
    if entity.finding == "subdural hematoma":
        return replace(entity, attributes=ACUTE if draw < 0.5 else SUBACUTE if draw < 0.65 else CHRONIC)
    if entity.finding == "intraparenchymal hemorrhage":
        return replace(entity, attributes=ACUTE if draw < 0.75 else CHRONIC)
    if entity.finding == "epidural hematoma":
        return replace(entity, attributes=ACUTE)
    if entity.finding == "infarct":
        return replace(entity, attributes=("hypodense", "acute" if draw < 0.6 else "chronic"))
    return entity
